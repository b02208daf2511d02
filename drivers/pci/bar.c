/*
 * Base address registers (BARs): how much address space a device wants, and what it gets.
 *
 * Writing all ones to a BAR and reading it back leaves zeros below the bit of its size. Nothing
 * may decode the address meanwhile, so the command register's decode bits are off until every
 * device of the bus has its place. [PCI 6.2.5.1]
 *
 *	host window (bus addresses)  |BAR 1 MiB      |BAR 16 KiB|4 KiB|
 *	                             largest first, so that alignment leaves no holes
 */
#include <drivers/pci/pci.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <stdlib.h>

#define BAR_IO			1	/* bit 0: the kind */
#define BAR_MEM_TYPE_64		4	/* bits 2:1 = 2 */
#define BAR_MEM_TYPE		6
#define BAR_MEM_PREFETCH	8
#define BAR_IO_FLAGS		3UL
#define BAR_MEM_FLAGS		15UL
#define FOUR_GIB		(1ULL << 32)
#define LOWEST_ADDR		0x1000	/* a BAR at bus address 0 would mean "not set" */

static unsigned int bar_reg(unsigned int i) { return PCI_BASE_ADDRESS_0 + 4 * i; }
static u64 lowest_bit(u64 bits) { return bits & -bits; }

/* ---- Sizes ---------------------------------------------------------------------------------- */

/* What remains set of all ones; the old value goes back. */
static u32 probe_bits(struct pci_dev *dev, unsigned int i)
{
	u32 old = pci_read_config32(dev, bar_reg(i)), bits;

	pci_write_config32(dev, bar_reg(i), ~0U);
	bits = pci_read_config32(dev, bar_reg(i));
	pci_write_config32(dev, bar_reg(i), old);
	return bits;
}

/* Reads BAR I of N; returns the number of registers it takes. */
static unsigned int read_bar(struct pci_dev *dev, unsigned int i, unsigned int n)
{
	struct pci_bar *bar = &dev->bar[i];
	u64 bits = probe_bits(dev, i);

	if (!bits)
		return 1;
	if (bits & BAR_IO) {
		bar->type = PCI_BAR_IO;
		bar->size = lowest_bit(bits & ~BAR_IO_FLAGS);
		return 1;
	}
	bar->prefetchable = bits & BAR_MEM_PREFETCH;
	if ((bits & BAR_MEM_TYPE) != BAR_MEM_TYPE_64) {
		bar->type = PCI_BAR_MEM32;
		bar->size = lowest_bit(bits & ~BAR_MEM_FLAGS);
		return 1;
	}
	if (i + 1 == n) {
		dev_warn(&dev->dev, "BAR %u is 64 bits wide but the last one; not used", i);
		return 1;
	}
	bar->type = PCI_BAR_MEM64;
	bits |= (u64)probe_bits(dev, i + 1) << 32;
	bar->size = lowest_bit(bits & ~BAR_MEM_FLAGS);
	return 2;
}

void pci_read_bars(struct pci_dev *dev)
{
	unsigned int n = pci_is_bridge(dev) ? 2 : PCI_NUM_BARS;
	u16 command = pci_read_config16(dev, PCI_COMMAND);

	if ((dev->header_type & ~PCI_HEADER_TYPE_BRIDGE) != 0)
		return;				/* CardBus and unknown headers: no BARs we know */
	pci_write_config16(dev, PCI_COMMAND, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (unsigned int i = 0; i < n; )
		i += read_bar(dev, i, n);
}

/* ---- Addresses ------------------------------------------------------------------------------ */

struct claim {
	struct pci_dev *dev;
	unsigned int index;		/* of the BAR */
	unsigned int order;		/* of discovery: equal sizes stay in it */
};

static int largest_first(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	u64 xs = x->dev->bar[x->index].size, ys = y->dev->bar[y->index].size;

	if (xs != ys)
		return xs < ys ? 1 : -1;
	return x->order < y->order ? -1 : 1;
}

/* Takes the BAR's size out of the window, aligned; false if there is no room. */
static bool take(struct pci_window *window, struct pci_bar *bar)
{
	u64 start = max(window->bus_addr + window->used, (u64)LOWEST_ADDR);
	u64 addr = ALIGN_UP(start, bar->size), offset = addr - window->bus_addr;

	if (addr < start || offset >= window->size || window->size - offset < bar->size)
		return false;
	if (bar->type != PCI_BAR_MEM64 && addr + bar->size > FOUR_GIB)
		return false;
	window->used = offset + bar->size;
	bar->addr = addr;
	bar->cpu_addr = window->cpu_addr + offset;
	bar->assigned = true;
	return true;
}

/* 64-bit prefetchable BARs go above 4 GiB if they can, all others below: bridges have no way to
 * pass on what is 64-bit but not prefetchable. [PCI-to-PCI bridge 3.2.5.9] */
static bool find_room(struct pci_host *host, struct pci_bar *bar)
{
	bool high_first = bar->type == PCI_BAR_MEM64 && bar->prefetchable;

	for (int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 0; i < host->nr_windows; i++) {
			struct pci_window *window = &host->window[i];
			bool preferred = (window->bus_addr >= FOUR_GIB) == high_first;

			if (window->io == (bar->type == PCI_BAR_IO) && preferred == !pass &&
			    take(window, bar))
				return true;
		}
	}
	return false;
}

static void update_command(struct pci_dev *dev, u16 clear, u16 set)
{
	u16 command = pci_read_config16(dev, PCI_COMMAND);

	pci_write_config16(dev, PCI_COMMAND, (command & ~clear) | set);
}

/* The device answers to its addresses; it still may not write memory. */
static void decode(struct pci_dev *dev)
{
	u16 spaces = 0;

	for (unsigned int i = 0; i < PCI_NUM_BARS; i++)
		if (dev->bar[i].size)
			spaces |= dev->bar[i].type == PCI_BAR_IO ? PCI_COMMAND_IO
								 : PCI_COMMAND_MEMORY;
	update_command(dev, 0, spaces);
}

static void write_bar(struct pci_dev *dev, unsigned int i)
{
	const struct pci_bar *bar = &dev->bar[i];

	pci_write_config32(dev, bar_reg(i), bar->addr);
	if (bar->type == PCI_BAR_MEM64)
		pci_write_config32(dev, bar_reg(i + 1), bar->addr >> 32);
}

static unsigned int collect(struct pci_bus *bus, struct claim *list)
{
	unsigned int n = 0;

	for (struct pci_dev *dev = bus->devices; dev; dev = dev->next) {
		for (unsigned int i = 0; i < PCI_NUM_BARS; i++) {
			if (!dev->bar[i].size)
				continue;
			if (list)
				list[n] = (struct claim){ dev, i, n };
			n++;
		}
	}
	return n;
}

int pci_assign_bars(struct pci_bus *bus)
{
	unsigned int n = collect(bus, NULL);
	struct claim *list = n ? kcalloc(n, sizeof(*list)) : NULL;

	if (!n)
		return 0;
	if (!list)
		return -ENOMEM;
	collect(bus, list);
	qsort(list, n, sizeof(*list), largest_first);
	for (unsigned int i = 0; i < n; i++) {
		struct pci_dev *dev = list[i].dev;
		struct pci_bar *bar = &dev->bar[list[i].index];

		if (find_room(bus->host, bar)) {
			write_bar(dev, list[i].index);
			continue;
		}
		dev->unusable = true;
		dev_err(&dev->dev, "BAR %u wants 0x%llx bytes, for which %s has no room; "
			"the device is not used", list[i].index, (unsigned long long)bar->size,
			bus->host->node->fwnode.name);
	}
	kfree(list);
	for (struct pci_dev *dev = bus->devices; dev; dev = dev->next)
		if (!dev->unusable)
			decode(dev);
	return 0;
}

/* ---- For drivers ---------------------------------------------------------------------------- */

static void set_full_power(struct pci_dev *dev)
{
	u16 ctrl;

	if (!dev->pm_cap)
		return;
	ctrl = pci_read_config16(dev, dev->pm_cap + PCI_PM_CTRL);
	pci_write_config16(dev, dev->pm_cap + PCI_PM_CTRL, ctrl & ~PCI_PM_CTRL_STATE_MASK);
	if (ctrl & PCI_PM_CTRL_STATE_MASK)
		udelay(10000);		/* recovery from D3hot [PCI-PM 5.6.1] */
	dev->current_state = PCI_D0;
}

int pci_enable_device(struct pci_dev *dev)
{
	if (dev->unusable)
		return -EINVAL;
	set_full_power(dev);
	decode(dev);
	return 0;
}

void pci_disable_device(struct pci_dev *dev)
{
	pci_clear_master(dev);
}

void pci_set_master(struct pci_dev *dev)
{
	update_command(dev, 0, PCI_COMMAND_MASTER);
}

void pci_clear_master(struct pci_dev *dev)
{
	update_command(dev, PCI_COMMAND_MASTER, 0);
}

void *pci_ioremap_bar(struct pci_dev *dev, unsigned int i)
{
	if (i >= PCI_NUM_BARS || !dev->bar[i].assigned) {
		dev_err(&dev->dev, "BAR %u is needed but not there", i);
		return NULL;
	}
	return ioremap(dev->bar[i].cpu_addr, dev->bar[i].size);
}
