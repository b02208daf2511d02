/*
 * MSI-X and MSI of a function [PCI 6.8]: capabilities, the table of messages, and when a message
 * goes out, waits in the pending bits, or is lost because the device may not write memory.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "models/pci-internals.h"

enum {
	MSIX_ENABLE = 1 << 15, MSIX_MASKALL = 1 << 14, MSIX_RESERVED = 7 << 11,
	MSI_ENABLE = 1, MSI_RESERVED = 0xfe00, MSI_MME = 7 << 4,
	MASTER = 1 << 2, INTX_OFF = 1 << 10, COMMAND_RESERVED = 0xf800,
	STATUS_INTERRUPT = 1 << 3,
};

#define WRITTEN_ALL	7	/* address, upper address, data */

static void __printf(2, 3) broken(const struct pci_function *f, const char *fmt, ...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	model_violation("pci model: %02x.%u: %s", f->devfn >> 3, f->devfn & 7, text);
}

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

/* Without an upper address the rest moves up. [PCI 6.8.1] */
static unsigned int msi_data_reg(const struct pci_function *f)
{
	return f->msi_cap + (f->msi_32 ? 8 : 0xc);
}

static unsigned int msi_mask_reg(const struct pci_function *f)
{
	return msi_data_reg(f) + 4;
}

static u16 msi_flags(const struct pci_function *f)
{
	return f->msi_cap ? pci_model_get16(f, f->msi_cap + 2) : 0;
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

static u32 upper(const struct pci_function *f)
{
	return f->msi_32 ? 0 : pci_model_get32(f, f->msi_cap + 8);
}

/* Message N changes the low bits of the data. */
static bool send_msi(struct pci_function *f, unsigned int n)
{
	u8 cap = f->msi_cap;
	u16 flags = pci_model_get16(f, cap + 2);
	u16 data = pci_model_get16(f, cap + (f->msi_32 ? 8 : 0xc));
	u64 high = f->msi_32 ? 0 : pci_model_get32(f, cap + 8);
	unsigned int enabled = 1U << (flags >> 4 & 7);

	if (f->msi_maskable && pci_model_get32(f, msi_mask_reg(f)) & BIT(n)) {
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
	if (msi_flags(f) & MSI_ENABLE)
		return send_msi(f, n);
	f->config[6] |= STATUS_INTERRUPT;	/* whether or not the pin may show it [PCI 6.2.3] */
	return false;
}

static void resend(struct pci_function *f)
{
	for (unsigned int n = 0; n < 64; n++)
		if (f->pending & BIT(n))
			pci_model_send(f, n);
}

/* ---- The table ------------------------------------------------------------------------------ */

static bool may_send(const struct pci_function *f, const struct pci_model_row *row)
{
	return !(row->ctrl & 1) && !(msix_flags(f) & MSIX_MASKALL);
}

u64 pci_model_table_read(struct pci_function *f, u64 offset, unsigned int size)
{
	u64 v = 0;

	f->reads++;
	if (size < 4)
		broken(f, "MSI-X structures read by %u bytes", size);
	if (offset >= PCI_MODEL_PBA)
		memcpy(&v, (char *)&f->pending + (offset - PCI_MODEL_PBA), min(size, 8U));
	else
		memcpy(&v, (char *)f->row + offset, size);
	return v;
}

static void write_message(struct pci_function *f, struct pci_model_row *row, unsigned int field,
			  u32 v)
{
	unsigned int n = row - f->row;

	/* The function may have read the row at any time since. [PCI 6.8.2.9] */
	if (may_send(f, row) && ((u32 *)row)[field] != v)
		broken(f, "message of row %u changed while it is unmasked", n);
	if (!field && v & 3)
		broken(f, "row %u: address 0x%x is not aligned", n, v);
	((u32 *)row)[field] = v;
	f->written[n] |= 1 << field;
	if (!row->lo && !row->hi)
		f->written[n] = 0;	/* taken back */
	if (field == 2)
		event(f, "message");
}

static void check_programmed(struct pci_function *f, unsigned int n)
{
	if (may_send(f, &f->row[n]) && f->written[n] != WRITTEN_ALL)
		broken(f, "row %u unmasked before its message is programmed", n);
}

static void write_control(struct pci_function *f, struct pci_model_row *row, u32 v)
{
	bool could = may_send(f, row);

	if (v & ~1U)
		broken(f, "row %u: reserved bits of vector control written: 0x%x",
		       (unsigned int)(row - f->row), v);
	row->ctrl = v & 1;
	event(f, v & 1 ? "mask" : "unmask");
	if (!could)
		check_programmed(f, row - f->row);
}

/* Whole aligned dwords, or two of them [PCI 6.8.2]; but what unmasks a row must not come together
 * with what it sends. */
void pci_model_table_write(struct pci_function *f, u64 offset, u64 v, unsigned int size)
{
	struct pci_model_row *row = &f->row[offset / 16 % PCI_MODEL_MAX_ROWS];
	unsigned int field = offset / 4 % 4;

	if (f->asleep) {
		broken(f, "written while it sleeps");
	} else if (offset >= PCI_MODEL_PBA) {
		broken(f, "pending bits written");
	} else if (size < 4) {
		broken(f, "MSI-X table written by %u bytes", size);
	} else if (size == 8 && field == 2) {
		broken(f, "row %u: data and vector control in one write",
		       (unsigned int)offset / 16);
	} else if (field == 3) {
		write_control(f, row, v);
	} else {
		write_message(f, row, field, v);
		if (size == 8)
			write_message(f, row, field + 1, v >> 32);
	}
	resend(f);
}

/* ---- Configuration ------------------------------------------------------------------------------------ */

static void changed(struct pci_function *f, u16 was, u16 is, u16 bit, const char *on,
		    const char *off)
{
	if ((was ^ is) & bit)
		event(f, is & bit ? on : off);
}

static void msix_control_written(struct pci_function *f, u16 was)
{
	u16 is = msix_flags(f);

	changed(f, was, is, MSIX_MASKALL, "maskall", "unmaskall");
	changed(f, was, is, MSIX_ENABLE, "msix-on", "msix-off");
	if (~was & is & MSIX_ENABLE && !(is & MSIX_MASKALL))
		broken(f, "MSI-X enabled without the function mask");
	for (unsigned int n = 0; n < f->msix_rows && is & MSIX_ENABLE; n++)
		if (was & MSIX_MASKALL)
			check_programmed(f, n);
}

static void msi_control_written(struct pci_function *f, u16 was)
{
	u16 is = msi_flags(f), data = pci_model_get16(f, msi_data_reg(f));
	unsigned int log2 = is >> 4 & 7;

	changed(f, was, is, MSI_ENABLE, "msi-on", "msi-off");
	if (log2 > f->msi_log2)
		broken(f, "more messages enabled than it has: 2^%u", log2);
	if (was & is & MSI_ENABLE && (was ^ is) & MSI_MME)
		broken(f, "number of messages changed while MSI is enabled");
	if (!(~was & is & MSI_ENABLE))
		return;
	if (f->msi_written != WRITTEN_ALL)
		broken(f, "MSI enabled before its message is programmed");
	else if (data & ((1U << log2) - 1))
		broken(f, "data 0x%x is not aligned for %u messages", data, 1U << log2);
}

/* Message N goes out as soon as it is not masked; half a message is one that nobody made. */
static bool msi_may_send(const struct pci_function *f, const u8 *before)
{
	u32 mask = 0, all = ~0U >> (32 - (1 << f->msi_log2));

	if (f->msi_maskable)
		memcpy(&mask, before + msi_mask_reg(f), 4);
	return before[f->msi_cap + 2] & MSI_ENABLE && (mask & all) != all;
}

static void msi_message_written(struct pci_function *f, const u8 *before, unsigned int where)
{
	unsigned int reg = where - f->msi_cap;

	if (msi_may_send(f, before) && memcmp(before + where, f->config + where, 4))
		broken(f, "MSI message changed while it may be sent");
	if (reg == 4 && pci_model_get32(f, where) & 3)
		broken(f, "address 0x%x is not aligned", pci_model_get32(f, where));
	f->msi_written |= f->msi_32 && reg == 8 ? 6 : 1 << (reg - 4) / 4;
	if (!pci_model_get32(f, f->msi_cap + 4) && !upper(f))
		f->msi_written = 0;
}

void pci_model_reserved(struct pci_function *f, unsigned int where, unsigned int size, u32 v)
{
	static const u16 command = COMMAND_RESERVED, msix = MSIX_RESERVED, msi = MSI_RESERVED;
	u32 mask = ~0U << (1 << f->msi_log2 & 31);
	struct {
		unsigned int at, len;
		const void *reserved;
	} regs[] = {
		{ 4, 2, &command },
		{ f->msix_cap ? f->msix_cap + 2 : 0, 2, &msix },
		{ f->msi_cap ? f->msi_cap + 2 : 0, 2, &msi },
		{ f->msi_maskable && f->msi_log2 < 5 ? msi_mask_reg(f) : 0, 4, &mask },
	};

	for (unsigned int i = 0; i < size; i++)
		for (unsigned int r = 0; r < ARRAY_SIZE(regs); r++) {
			unsigned int byte = where + i - regs[r].at;

			if (!regs[r].at || byte >= regs[r].len ||
			    !(v >> 8 * i & ((const u8 *)regs[r].reserved)[byte]))
				continue;
			broken(f, "reserved bits of the register at 0x%x written", regs[r].at);
			return;
		}
}

static bool touches(unsigned int where, unsigned int size, unsigned int reg, unsigned int len)
{
	return where < reg + len && where + size > reg;
}

void pci_model_config_written(struct pci_function *f, const u8 *before, unsigned int where,
			      unsigned int size)
{
	u16 was, is = pci_model_get16(f, 4);

	memcpy(&was, before + 4, 2);
	changed(f, was, is, INTX_OFF, "intx-off", "intx-on");
	changed(f, was, is, MASTER, "master", "no-master");
	if (f->msix_cap && touches(where, size, f->msix_cap + 2, 2)) {
		memcpy(&was, before + f->msix_cap + 2, 2);
		msix_control_written(f, was);
	}
	if (f->msi_cap && touches(where, size, f->msi_cap + 2, 2)) {
		memcpy(&was, before + f->msi_cap + 2, 2);
		msi_control_written(f, was);
	}
	for (unsigned int reg = 4; f->msi_cap && reg <= msi_data_reg(f) - f->msi_cap; reg += 4)
		if (touches(where, size, f->msi_cap + reg, 4))
			msi_message_written(f, before, f->msi_cap + reg);
	if (msix_flags(f) & MSIX_ENABLE && msi_flags(f) & MSI_ENABLE)
		broken(f, "MSI and MSI-X both enabled");
	resend(f);
}

void pci_model_add_msi(struct pci_function *f)
{
	if (f->msix_rows) {
		u8 body[10] = { 0 }, mask[10] = { 0 };
		u32 table = f->msix_bar, pba = f->msix_bar | PCI_MODEL_PBA;

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
		mask[2] = 0xfc;			/* of the address, two bits are always 0 */
		memset(mask + (f->msi_32 ? 14 : 18), 0, 4);	/* pending bits */
		f->msi_cap = pci_model_capability(f, 0x05, body, (f->msi_maskable ? 24 : 14) -
						  (f->msi_32 ? 4 : 0), mask);
	}
}
