/*
 * Base address registers (BARs): how much address space a device wants, and whether it may use it.
 *
 *	write 0xffffffff, read 0xfffff00c:   4 KiB (lowest bit that can be set), prefetchable (8),
 *	                                     64 bits wide (4): the next BAR is the upper half
 *
 * Nothing may decode the address meanwhile, so the command register's decode bits are off until
 * every device has its place (assign.c). Manual: [PCI 6.2.5.1].
 */
#include <drivers/pci/internals.h>
#include <kernel/io.h>
#include <kernel/printk.h>

#define BAR_IO			1	/* bit 0: the kind */
#define BAR_MEM_TYPE_64		4	/* bits 2:1 = 2 */
#define BAR_MEM_TYPE		6
#define BAR_MEM_PREFETCH	8
#define BAR_IO_FLAGS		3UL
#define BAR_MEM_FLAGS		15UL

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

/* ---- In use --------------------------------------------------------------------------------- */

static void update_command(struct pci_dev *dev, u16 clear, u16 set)
{
	u16 command = pci_read_config16(dev, PCI_COMMAND);

	pci_write_config16(dev, PCI_COMMAND, (command & ~clear) | set);
}

/* The device answers to its addresses, if it has all of a kind; it still may not write memory. A
 * bridge passes on, both ways: whoever is behind it has a switch of its own. */
void pci_decode(struct pci_dev *dev)
{
	u16 there = 0, missing = 0;

	for (unsigned int i = 0; i < PCI_NUM_BARS; i++) {
		const struct pci_bar *bar = &dev->bar[i];
		u16 space = bar->type == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

		if (bar->size)
			*(bar->assigned ? &there : &missing) |= space;
	}
	there &= ~missing;
	if (dev->subordinate)
		there |= PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	update_command(dev, 0, there);
}

void pci_write_bar(struct pci_dev *dev, unsigned int i)
{
	const struct pci_bar *bar = &dev->bar[i];

	pci_write_config32(dev, bar_reg(i), bar->addr);
	if (bar->type == PCI_BAR_MEM64)
		pci_write_config32(dev, bar_reg(i + 1), bar->addr >> 32);
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
	pci_decode(dev);
	return 0;
}

void pci_disable_device(struct pci_dev *dev)
{
	if (!dev->subordinate)
		pci_clear_master(dev);
}

void pci_set_master(struct pci_dev *dev)
{
	update_command(dev, 0, PCI_COMMAND_MASTER);
	dev->is_busmaster = true;
}

void pci_clear_master(struct pci_dev *dev)
{
	update_command(dev, PCI_COMMAND_MASTER, 0);
	dev->is_busmaster = false;
}

void *pci_ioremap_bar(struct pci_dev *dev, unsigned int i)
{
	if (i >= PCI_NUM_BARS || !dev->bar[i].assigned) {
		dev_err(&dev->dev, "BAR %u is needed but not there", i);
		return NULL;
	}
	return ioremap(dev->bar[i].cpu_addr, dev->bar[i].size);
}
