/*
 * MSI-X and MSI of a function [PCI 6.8]: capabilities, the table of messages, and when a message
 * goes out, waits in the pending bits, or is lost because the device may not write memory.
 */
#include <string.h>
#include "models/pci-internals.h"

enum { MSIX_ENABLE = 1 << 15, MSIX_MASKALL = 1 << 14, MASTER = 1 << 2, INTX_OFF = 1 << 10 };

static void event(struct pci_function *f, const char *what)
{
	if (f->on_event)
		f->on_event(f, what);
}

static u16 msix_flags(const struct pci_function *f)
{
	return f->msix_cap ? pci_model_get16(f, f->msix_cap + 2) : 0;
}

bool pci_model_msix_on(const struct pci_function *f)
{
	return (msix_flags(f) & (MSIX_ENABLE | MSIX_MASKALL)) == MSIX_ENABLE;
}

static bool msi_on(const struct pci_function *f)
{
	return f->msi_cap && pci_model_get16(f, f->msi_cap + 2) & 1;
}

/* ---- Sending -------------------------------------------------------------------------------------- */

static bool store(struct pci_function *f, u64 addr, u32 data)
{
	if (!(pci_model_get16(f, 4) & MASTER))
		return false;		/* [PCI 6.2.2] */
	f->sent++;
	host_bus_requester = f->bus << 8 | f->devfn;
	host_bus_write(addr, data, 4);
	host_bus_requester = 0;
	return true;
}

static bool send_msix(struct pci_function *f, unsigned int n)
{
	const struct pci_model_row *row = &f->row[n];

	if (n >= f->msix_rows)
		host_die("pci model: row %u of %u", n, f->msix_rows);
	if (msix_flags(f) & MSIX_MASKALL || row->ctrl & 1) {
		f->pending |= BIT(n);
		return false;
	}
	f->pending &= ~BIT(n);
	return store(f, (u64)row->hi << 32 | row->lo, row->data);
}

/* Message N changes the low bits of the data. */
static bool send_msi(struct pci_function *f, unsigned int n)
{
	u8 cap = f->msi_cap;
	u16 flags = pci_model_get16(f, cap + 2);
	u16 data = pci_model_get16(f, cap + (f->msi_32 ? 8 : 0xc));
	u64 high = f->msi_32 ? 0 : pci_model_get32(f, cap + 8);
	unsigned int enabled = 1U << (flags >> 4 & 7);

	if (f->msi_maskable && pci_model_get32(f, cap + 0x10) & BIT(n)) {
		f->pending |= BIT(n);
		return false;
	}
	f->pending &= ~BIT(n);
	return store(f, high << 32 | pci_model_get32(f, cap + 4),
		     (data & ~(enabled - 1)) | n % enabled);
}

bool pci_model_send(struct pci_function *f, unsigned int n)
{
	if (msix_flags(f) & MSIX_ENABLE)
		return send_msix(f, n);
	if (msi_on(f))
		return send_msi(f, n);
	return false;
}

static void resend(struct pci_function *f)
{
	for (unsigned int n = 0; n < 64; n++)
		if (f->pending & BIT(n))
			pci_model_send(f, n);
}

/* ---- The table -------------------------------------------------------------------------------------- */

u64 pci_model_row_read(struct pci_function *f, u64 offset, unsigned int size)
{
	if (size != 4)
		host_die("pci model: MSI-X table read by %u bytes", size);
	return ((u32 *)&f->row[offset / 16])[offset / 4 % 4];
}

/* Changing a message that may be sent at any moment has no defined result. [PCI 6.8.2.9] */
void pci_model_row_write(struct pci_function *f, u64 offset, u64 v, unsigned int size)
{
	struct pci_model_row *row = &f->row[offset / 16];
	unsigned int field = offset / 4 % 4;

	if (size != 4)
		host_die("pci model: MSI-X table written by %u bytes", size);
	if (field < 3 && pci_model_msix_on(f) && !(row->ctrl & 1))
		host_die("pci model: message of row %u changed while unmasked",
			 (unsigned int)offset / 16);
	((u32 *)row)[field] = field == 3 ? (row->ctrl & ~1U) | (v & 1) : v;
	if (field == 0 && v & 3)
		host_die("pci model: message address 0x%x is not aligned", (u32)v);
	if (field == 3)
		event(f, v & 1 ? "mask" : "unmask");
	else if (field == 2)
		event(f, "message");
	resend(f);
}

/* ---- Configuration ------------------------------------------------------------------------------------ */

static void changed(struct pci_function *f, u16 was, u16 is, u16 bit, const char *on,
		    const char *off)
{
	if ((was ^ is) & bit)
		event(f, is & bit ? on : off);
}

void pci_model_config_written(struct pci_function *f, const u8 *before, unsigned int where,
			      unsigned int size)
{
	u16 was, is = pci_model_get16(f, 4);

	memcpy(&was, before + 4, 2);
	changed(f, was, is, INTX_OFF, "intx-off", "intx-on");
	changed(f, was, is, MASTER, "master", "no-master");
	if (f->msix_cap && where <= f->msix_cap + 3U && where + size > f->msix_cap + 2U) {
		memcpy(&was, before + f->msix_cap + 2, 2);
		is = msix_flags(f);
		changed(f, was, is, MSIX_MASKALL, "maskall", "unmaskall");
		changed(f, was, is, MSIX_ENABLE, "msix-on", "msix-off");
	}
	if (f->msi_cap && where == f->msi_cap + 2U) {
		memcpy(&was, before + f->msi_cap + 2, 2);
		changed(f, was, pci_model_get16(f, f->msi_cap + 2), 1, "msi-on", "msi-off");
	}
	resend(f);
}

void pci_model_add_msi(struct pci_function *f)
{
	if (f->msix_rows) {
		u8 body[10] = { 0 }, mask[10] = { 0 };
		u32 table = f->msix_bar, pba = f->msix_bar | 0x800;

		body[0] = (f->msix_rows - 1) & 0xff;
		body[1] = (f->msix_rows - 1) >> 8;
		mask[1] = 0xc0;
		memcpy(body + 2, &table, 4);
		memcpy(body + 6, &pba, 4);
		f->msix_cap = pci_model_capability(f, 0x11, body, 12, mask);
		for (unsigned int i = 0; i < f->msix_rows; i++)	/* firmware's leftovers */
			f->row[i] = (struct pci_model_row){ 0xdead0000, 0, 0xbeef, 1 };
	}
	if (f->has_msi) {
		u8 body[22] = { 0 }, mask[22];

		memset(mask, 0xff, sizeof(mask));
		body[0] = !f->msi_32 << 7 | f->msi_log2 << 1;
		body[1] = f->msi_maskable;
		mask[0] = 0x71;
		mask[1] = 0;
		memset(mask + 18, 0, 4);		/* pending bits */
		f->msi_cap = pci_model_capability(f, 0x05, body, f->msi_maskable ? 24 :
						  f->msi_32 ? 10 : 14, mask);
	}
}
