/*
 * The bus: configuration space [PCI 6.1], decoding of BARs [PCI 6.2.5], capabilities. Interrupts
 * are in pci-msi.c.
 */
#include <string.h>
#include "models/imsic.h"
#include "models/pci-internals.h"

#define MAX_FUNCTIONS	32

struct window {
	u64 cpu, bus, size;
	bool io;
};

static const struct window windows[] = {
	{ 0x3000000, 0, 0x10000, true },
	{ 0x40000000, 0x40000000, 0x40000000, false },
	{ 0x400000000, 0x400000000, 0x400000000, false },
};
static struct pci_function *functions[MAX_FUNCTIONS];
static unsigned int nr_functions;

u16 pci_model_get16(const struct pci_function *f, unsigned int where)
{
	u16 v;

	memcpy(&v, f->config + where, 2);
	return v;
}

u32 pci_model_get32(const struct pci_function *f, unsigned int where)
{
	u32 v;

	memcpy(&v, f->config + where, 4);
	return v;
}

void pci_model_put16(struct pci_function *f, unsigned int where, u16 v)
{
	memcpy(f->config + where, &v, 2);
}

void pci_model_put32(struct pci_function *f, unsigned int where, u32 v)
{
	memcpy(f->config + where, &v, 4);
}

/* ---- Configuration space ---------------------------------------------------------------------- */

static struct pci_function *find(u64 offset)
{
	for (unsigned int i = 0; i < nr_functions; i++)
		if (functions[i]->bus == offset >> 20 &&
		    functions[i]->devfn == (offset >> 12 & 0xff))
			return functions[i];
	return NULL;
}

static u64 config_read(void *priv, u64 offset, unsigned int size)
{
	struct pci_function *f = find(offset);
	u64 v = 0;

	(void)priv;
	if (!f || size > 4)
		return ~0ULL;		/* nobody answers */
	memcpy(&v, f->config + offset % 4096, size);
	return v;
}

/* A bridge has two. */
static bool is_bar(const struct pci_function *f, unsigned int where)
{
	return where >= 0x10 && where < ((f->header_type & 0x7f) == 1 ? 0x18 : 0x28);
}

/* Writing one while the device decodes it makes it answer at two addresses in between. */
static void check_bar_write(struct pci_function *f, unsigned int where)
{
	const struct pci_model_bar *bar = &f->bar[(where - 0x10) / 4];
	u16 decode = bar->io ? 1 : 2;

	if (where > 0x10 && bar[-1].mem64)
		bar--, decode = 2;
	if (bar->size && pci_model_get16(f, 4) & decode)
		model_violation("pci model: BAR %u of %02x.%u written while it is decoded",
				(where - 0x10) / 4, f->devfn >> 3, f->devfn & 7);
}

static void config_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	struct pci_function *f = find(offset);
	unsigned int where = offset % 4096;
	u8 before[256];

	(void)priv;
	if (!f)
		return;
	if (is_bar(f, where)) {
		if (size != 4)
			model_violation("pci model: BAR written by %u bytes", size);
		check_bar_write(f, where);
	}
	if (size > 4) {
		model_violation("pci model: configuration space written by %u bytes", size);
		return;
	}
	pci_model_reserved(f, where, size, v);
	memcpy(before, f->config, sizeof(before));
	for (unsigned int i = 0; i < size; i++) {
		u8 mask = f->writable[where + i];

		f->config[where + i] = (f->config[where + i] & ~mask) | (v >> 8 * i & mask);
	}
	pci_model_config_written(f, before, where, size);
}

/* ---- BARs --------------------------------------------------------------------------------------- */

static u64 bar_address(const struct pci_function *f, unsigned int i)
{
	u64 v = pci_model_get32(f, 0x10 + 4 * i) & ~(f->bar[i].io ? 3U : 15U);

	if (f->bar[i].mem64)
		v |= (u64)pci_model_get32(f, 0x14 + 4 * i) << 32;
	return v;
}

/* The one function that answers there; NULL, and a violation, if none does. */
static struct pci_function *decode(const struct window *w, u64 addr, unsigned int *bar)
{
	struct pci_function *found = NULL;

	for (unsigned int n = 0; n < nr_functions; n++) {
		struct pci_function *f = functions[n];

		for (unsigned int i = 0; i < 6; i++) {
			u16 enable = w->io ? 1 : 2;

			if (!f->bar[i].size || f->bar[i].io != w->io ||
			    !(pci_model_get16(f, 4) & enable) || addr < bar_address(f, i) ||
			    addr - bar_address(f, i) >= f->bar[i].size)
				continue;
			if (found)
				model_violation("pci model: two BARs answer at 0x%lx",
						(unsigned long)addr);
			found = f;
			*bar = i;
		}
	}
	if (!found)
		model_violation("pci model: nothing answers at 0x%lx", (unsigned long)addr);
	return found;
}

/* MSI-X table or pending bits. */
static bool is_table(const struct pci_function *f, unsigned int bar, u64 offset)
{
	return f->msix_rows && bar == f->msix_bar &&
	       (offset < 16 * f->msix_rows ||
		(offset >= PCI_MODEL_PBA && offset < PCI_MODEL_PBA + 8));
}

static u64 window_read(void *priv, u64 offset, unsigned int size)
{
	const struct window *w = priv;
	unsigned int i = 0;
	u64 addr = w->bus + offset;
	struct pci_function *f = decode(w, addr, &i);

	if (!f)
		return ~0ULL;
	addr -= bar_address(f, i);
	if (is_table(f, i, addr))
		return pci_model_table_read(f, addr, size);
	return f->bar[i].read ? f->bar[i].read(f, addr, size) : 0;
}

static void window_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	const struct window *w = priv;
	unsigned int i = 0;
	u64 addr = w->bus + offset;
	struct pci_function *f = decode(w, addr, &i);

	if (!f)
		return;
	addr -= bar_address(f, i);
	if (is_table(f, i, addr))
		pci_model_table_write(f, addr, v, size);
	else if (f->bar[i].write)
		f->bar[i].write(f, addr, v, size);
}

/* ---- Making functions ----------------------------------------------------------------------------- */

static void writable(struct pci_function *f, unsigned int where, u32 mask)
{
	memcpy(f->writable + where, &mask, 4);
}

u8 pci_model_capability(struct pci_function *f, u8 id, const void *body, unsigned int len,
			const u8 *mask)
{
	u8 pos = f->caps_end ? f->caps_end : 0x40, link = 0x34;

	while (f->config[link])
		link = f->config[link] + 1;
	f->config[link] = pos;
	f->config[pos] = id;
	memcpy(f->config + pos + 2, body, len - 2);
	if (mask)
		memcpy(f->writable + pos + 2, mask, len - 2);
	f->config[6] |= 1 << 4;
	f->caps_end = ALIGN_UP(pos + len, 4U);
	return pos;
}

static void make_bar(struct pci_function *f, unsigned int i)
{
	const struct pci_model_bar *bar = &f->bar[i];
	u64 mask = ~(bar->size - 1);

	if (!bar->size)
		return;
	writable(f, 0x10 + 4 * i, mask);
	pci_model_put32(f, 0x10 + 4 * i, bar->io ? 1 : (bar->mem64 ? 4 : 0) | (bar->pref ? 8 : 0));
	if (bar->mem64)
		writable(f, 0x14 + 4 * i, mask >> 32);
}

void pci_model_add(struct pci_function *f)
{
	if (nr_functions == MAX_FUNCTIONS)
		host_die("pci model: too many functions");
	functions[nr_functions++] = f;
	pci_model_put16(f, 0, f->vendor);
	pci_model_put16(f, 2, f->device);
	pci_model_put32(f, 8, f->class << 8);
	f->config[0xe] = f->header_type;
	pci_model_put16(f, 0x2e, f->subsystem);
	f->config[0x3d] = f->pin;
	writable(f, 4, 0x547);		/* I/O, memory, master, parity, SERR, INTx disable */
	f->writable[0x3c] = 0xff;
	for (unsigned int i = 0; i < 6; i++)
		make_bar(f, i);
	pci_model_add_msi(f);
}

void pci_model_intx(struct pci_function *f, bool level)
{
	if (level)
		f->config[6] |= 1 << 3;
	else
		f->config[6] &= ~(1 << 3);
	if (f->pin && (!level || !(pci_model_get16(f, 4) & 1 << 10)))
		aplic_model_wire(32 + ((f->devfn >> 3) + f->pin - 1) % 4, level);
}

void pci_model(void)
{
	static const struct host_mmio_ops config = { config_read, config_write };
	static const struct host_mmio_ops memory = { window_read, window_write };

	nr_functions = 0;
	host_mmio_add("pci config", 0x30000000, 0x10000000, &config, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(windows); i++)
		host_mmio_add("pci window", windows[i].cpu, windows[i].size, &memory,
			      (void *)&windows[i]);
}
