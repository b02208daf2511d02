/* The PCI bus: what its files have to do with each other. All under devices_lock() unless said. */
#ifndef DRIVERS_PCI_INTERNALS_H
#define DRIVERS_PCI_INTERNALS_H

#include <drivers/pci/pci.h>

/* ecam.c: a function that is not a pci_dev yet; the space of one more bus, -ENOMEM. */
u32 pci_bus_read_config32(const struct pci_bus *bus, unsigned int devfn, unsigned int where);
int pci_map_config(struct pci_bus *bus);

/* bus.c: the tree of buses. */
extern struct list_head pci_hosts;
/* An empty bus behind BRIDGE (NULL: HOST's first), in the list; NULL when out of memory. */
struct pci_bus *pci_add_bus(struct pci_host *host, struct pci_dev *bridge, u8 number);
/* Forgets the bus, which has no buses behind it, and its devices, which have no drivers. */
void pci_free_bus(struct pci_bus *bus);
void pci_free_devices(struct pci_bus *bus);
/* Buses behind TOP, and TOP itself, parents first; NULL starts and ends. Backwards: PREV. */
struct pci_bus *pci_next_below(struct pci_bus *top, struct pci_bus *bus);
struct pci_bus *pci_prev_below(struct pci_bus *top, struct pci_bus *bus);
#define for_each_bus_below(bus, top) \
	for ((bus) = (top); (bus); (bus) = pci_next_below(top, bus))
#define for_each_bus_below_reverse(bus, top) \
	for ((bus) = pci_prev_below(top, NULL); (bus); (bus) = pci_prev_below(top, bus))
/* Where an MSI of DEV seems to come from, beyond all bridges. */
u16 pci_requester_id(const struct pci_dev *dev);
/* The pin, of *DEV, at which the INTx of *DEV arrives on the root bus; *DEV becomes the device
 * there that it belongs to. */
u8 pci_swizzle(const struct pci_dev **dev);

/* scan.c: finds the devices of TOP and of all buses behind its bridges, which get the numbers from
 * TOP's own up to LIMIT. 0 or -ENOMEM. */
int pci_scan_tree(struct pci_bus *top, u8 limit);

/* bridge.c: the registers of a bridge. */
void pci_write_bus_numbers(struct pci_dev *bridge, u8 primary, u8 secondary, u8 subordinate);
void pci_read_window_kinds(struct pci_bus *bus);	/* bus->io, io32, pref64; windows closed */
void pci_write_windows(const struct pci_bus *bus);

/* bar.c: reads the sizes, decode off; writes bar[i].addr; lets the device answer there. */
void pci_read_bars(struct pci_dev *dev);
void pci_write_bar(struct pci_dev *dev, unsigned int i);
void pci_decode(struct pci_dev *dev);

/* assign.c: addresses for all devices and bridges of TOP and behind. 0 or -ENOMEM. */
int pci_assign_addresses(struct pci_bus *top);

/* probe.c: finds HOST's devices, gives them addresses, starts their drivers. Takes the lock. */
int pci_host_probe(struct pci_host *host);
void pci_host_remove(struct pci_host *host);
/* The same for what has come on a bus, or goes from it with all that is behind. */
int pci_add_devices(struct pci_bus *bus);
void pci_remove_devices(struct pci_bus *bus);

/* aer.c: DEV tells its root port of errors; those from before are forgotten. */
void pci_enable_error_reporting(struct pci_dev *dev);
const char *pci_severity_name(enum pci_severity severity);

/* check.c: an irq_check_fn. */
unsigned int pci_check(void (*report)(void *arg, const char *text), void *arg);

/* Its row N of the MSI-X table. Any context. */
static inline char *pci_msix_row(const struct pci_dev *dev, unsigned int n)
{
	return (char *)dev->msix_base + n * PCI_MSIX_ENTRY_SIZE;
}
/* msi.c */
void pci_msi_init(struct pci_dev *dev);		/* at enumeration: leftovers off (S-155) */
int pci_create_msi_domain(struct pci_dev *dev, bool msix, unsigned int hwsize);
bool pci_msi_domain_supports(const struct pci_dev *dev, u32 flags);
/* The message as DEV has it: of that row, or with MSI the one of all vectors. */
void pci_read_msi_msg(const struct pci_dev *dev, unsigned int row, struct msi_msg *msg);
/* MSI's data, behind an address of one or two words; then the mask bits and the pending ones. */
static inline unsigned int pci_msi_data_reg(const struct pci_dev *dev, bool is_64)
{
	return dev->msi_cap + (is_64 ? 0x0c : 0x08);
}
/* A driver's wish for one kind of messages; START is one of the two below. */
struct pci_msi_wish {
	unsigned int min, max;
	struct msix_entry *entries;
	struct irq_affinity *affd;
	int (*start)(struct pci_dev *dev, unsigned int nvec, const struct pci_msi_wish *wish);
};
/* msi-enable.c: 0; or how many would have fitted; or an errno. */
int pci_start_msix(struct pci_dev *dev, unsigned int nvec, const struct pci_msi_wish *wish);
int pci_start_msi(struct pci_dev *dev, unsigned int nvec, const struct pci_msi_wish *wish);
void pci_msi_set_enable(struct pci_dev *dev, bool on);

#endif
