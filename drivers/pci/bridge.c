/*
 * A PCI-to-PCI bridge: the bus behind it, and the addresses it passes on.
 *
 *	configuration cycles   to buses secondary … subordinate
 *	I/O                    base … limit, multiples of 4 KiB
 *	memory                 base … limit, multiples of 1 MiB, below 4 GiB
 *	prefetchable memory    the same, but with 64-bit addresses (in a bridge that can)
 *
 * What comes from behind, DMA and MSI, goes up if none of the windows holds its address. A window
 * with a base above its limit is closed. Where prefetching ends in 32 bits it is not used: such
 * BARs may live in the memory window as well. Manual: [PCI-to-PCI bridge 3.2.5].
 */
#include <drivers/pci/internals.h>

#define IO_CLOSED_BASE		0xf0	/* limit 0: below the base */
#define MEM_CLOSED_BASE		0xfff0

void pci_write_bus_numbers(struct pci_dev *bridge, u8 primary, u8 secondary, u8 subordinate)
{
	pci_write_config8(bridge, PCI_PRIMARY_BUS, primary);
	pci_write_config8(bridge, PCI_SECONDARY_BUS, secondary);
	pci_write_config8(bridge, PCI_SUBORDINATE_BUS, subordinate);
}

static void write_io_window(struct pci_dev *bridge, const struct pci_window *w, bool io32)
{
	u64 limit = w->bus_addr + w->size - 1;

	if (!w->size) {
		pci_write_config8(bridge, PCI_IO_BASE, IO_CLOSED_BASE);
		pci_write_config8(bridge, PCI_IO_LIMIT, 0);
	} else {
		pci_write_config8(bridge, PCI_IO_BASE, w->bus_addr >> 8 & 0xf0);
		pci_write_config8(bridge, PCI_IO_LIMIT, limit >> 8 & 0xf0);
	}
	if (io32) {
		pci_write_config16(bridge, PCI_IO_BASE_UPPER16, w->size ? w->bus_addr >> 16 : 0);
		pci_write_config16(bridge, PCI_IO_LIMIT_UPPER16, w->size ? limit >> 16 : 0);
	}
}

/* REG is the base's register, the limit's is two bytes behind. */
static void write_mem_window(struct pci_dev *bridge, unsigned int reg, const struct pci_window *w)
{
	u64 limit = w->bus_addr + w->size - 1;

	pci_write_config16(bridge, reg, w->size ? w->bus_addr >> 16 & 0xfff0 : MEM_CLOSED_BASE);
	pci_write_config16(bridge, reg + 2, w->size ? limit >> 16 & 0xfff0 : 0);
}

static void write_upper_halves(struct pci_dev *bridge, const struct pci_window *w)
{
	u64 limit = w->bus_addr + w->size - 1;

	pci_write_config32(bridge, PCI_PREF_BASE_UPPER32, w->size ? w->bus_addr >> 32 : 0);
	pci_write_config32(bridge, PCI_PREF_LIMIT_UPPER32, w->size ? limit >> 32 : 0);
}

/* The bridge does not decode yet, so the order of these does not matter. */
void pci_write_windows(const struct pci_bus *bus)
{
	struct pci_dev *bridge = bus->bridge;

	if (bus->io)
		write_io_window(bridge, &bus->window[PCI_SPACE_IO], bus->io32);
	write_mem_window(bridge, PCI_MEMORY_BASE, &bus->window[PCI_SPACE_MEM]);
	write_mem_window(bridge, PCI_PREF_MEMORY_BASE, &bus->window[PCI_SPACE_PREF]);
	if (bus->pref64)
		write_upper_halves(bridge, &bus->window[PCI_SPACE_PREF]);
}

/* A window that a bridge does not have reads as zero whatever is written. */
void pci_read_window_kinds(struct pci_bus *bus)
{
	struct pci_dev *bridge = bus->bridge;
	unsigned int io, pref;

	pci_write_windows(bus);
	io = pci_read_config8(bridge, PCI_IO_BASE);
	pref = pci_read_config16(bridge, PCI_PREF_MEMORY_BASE);
	bus->io = io && bus->parent->io;
	bus->io32 = (io & PCI_RANGE_TYPE_MASK) == PCI_IO_RANGE_TYPE_32;
	bus->pref64 = (pref & PCI_RANGE_TYPE_MASK) == PCI_PREF_RANGE_TYPE_64 && bus->parent->pref64;
}
