/*
 * The PCI bus: devices and their functions, configuration space, address windows (BARs),
 * capabilities, interrupts, drivers. Names follow Linux's <linux/pci.h>. Manuals: [PCI], [PCIE].
 *
 * A device lives on a bus; a bus hangs on a bridge, which is a device of another bus, or on a host.
 * Addresses come in two kinds: a BAR holds a bus address; the CPU reaches it at another one, which
 * the host's windows relate. Devices come and go at run time, too: whoever walks them holds
 * devices_lock(), as the callers of a driver's probe() and remove() do. Thread context unless said.
 */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include <drivers/pci/pci-regs.h>
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/msi.h>
#include <kernel/thread.h>

/* ---- Objects -------------------------------------------------------------------------------- */

enum pci_bar_type { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEM32, PCI_BAR_MEM64 };

struct pci_bar {
	enum pci_bar_type type;
	bool prefetchable, assigned;
	bool hopeless;			/* more than the host has: nobody makes room for it */
	u64 size;
	u64 addr;			/* what the BAR holds: a bus address */
	phys_addr_t cpu_addr;		/* where the CPU finds it */
};

/* How bad an error on a link is. */
enum pci_severity { PCI_CORRECTABLE, PCI_NONFATAL, PCI_FATAL, PCI_NR_SEVERITIES };

#define PCI_NUM_BARS	6
#define PCI_NUM_PINS	4
#define PCI_D0		0

struct pci_dev {
	struct device dev;		/* name is "bb:dd.f" */
	char name[8];
	struct pci_bus *bus;
	struct pci_dev *next;		/* on this bus, by ascending devfn */
	u8 devfn, header_type, pin;	/* pin: 1 is INTA#, 0 none */
	u16 vendor, device, subsystem;
	u32 class;			/* base class, sub-class, interface */
	u8 current_state;		/* PCI_D0 … 3, as last read or set */
	u8 pm_cap, msi_cap, msix_cap, pcie_cap;	/* offsets, 0: has none */
	u8 pcie_type;			/* PCI_EXP_TYPE_*, with a pcie_cap */
	bool hotplug;			/* a port with a slot for cards that come and go */
	bool bad_caps;			/* damage in the list has been reported */
	bool unusable;			/* a memory BAR found no room: no driver */
	bool is_busmaster;		/* its driver has it write memory */
	struct pci_bar bar[PCI_NUM_BARS];
	struct pci_bus *subordinate;	/* the bus behind this bridge; NULL: none */
	const struct pci_driver *driver;
	u32 errors[PCI_NR_SEVERITIES];	/* reported so far */

	/* Interrupts: msi.c, vectors.c */
	u32 msi_id;			/* what the MSI controller sees of us */
	bool no_msi, msi_enabled, msix_enabled, intx_enabled;
	unsigned int irq;		/* INTx, or the first MSI while that is on; 0: none */
	unsigned int intx_irq, nr_vectors;
	void *msix_base;		/* the mapped MSI-X table */
};

/* What can be told apart on its way through bridges. */
enum pci_space {
	PCI_SPACE_IO,
	PCI_SPACE_MEM,			/* below 4 GiB */
	PCI_SPACE_PREF,			/* prefetchable, and 64-bit addresses all the way */
	PCI_NR_SPACES,
};

/* A range of addresses that a host or a bridge passes on. Size 0: none. */
struct pci_window {
	enum pci_space space;
	u64 bus_addr, size, used;
	phys_addr_t cpu_addr;
	bool refused;			/* there was no room for it, which has been said */
};

struct pci_bus {
	struct pci_host *host;
	struct pci_dev *bridge;		/* leads here; NULL: a root bus */
	struct pci_bus *parent;		/* the bus that the bridge is on */
	struct list_head link;		/* in host->buses, by number: parents before children */
	u8 number, last;		/* last: the greatest number behind it */
	bool no_msi;			/* nothing below may use MSI */
	bool io, io32, pref64;		/* what its bridges can pass on */
	void *config;			/* configuration space: 4 KiB per function */
	struct pci_dev *devices;
	struct pci_window window[PCI_NR_SPACES];	/* the bridge's */
	struct {
		u64 size, align;
	} need[PCI_NR_SPACES];		/* what they must be */
};

#define PCI_MAX_WINDOWS	8

struct pci_host {
	struct device_node *node;
	struct resource ecam;
	struct list_head link;
	u8 first_bus, last_bus;
	struct pci_window window[PCI_MAX_WINDOWS];	/* PREF: those above 4 GiB */
	unsigned int nr_windows;
	s64 dma_offset;
	struct list_head buses;
	struct pci_bus *root;
};

static inline struct pci_dev *to_pci_dev(struct device *dev)
{
	return container_of(dev, struct pci_dev, dev);
}
static inline unsigned int pci_slot(const struct pci_dev *dev) { return dev->devfn >> 3; }
static inline unsigned int pci_func(const struct pci_dev *dev) { return dev->devfn & 7; }
static inline u16 pci_dev_id(const struct pci_dev *dev)
{
	return dev->bus->number << 8 | dev->devfn;
}
static inline bool pci_is_bridge(const struct pci_dev *dev)
{
	return dev->header_type == PCI_HEADER_TYPE_BRIDGE;
}
static inline bool pcie_is(const struct pci_dev *dev, u8 type)
{
	return dev->pcie_cap && dev->pcie_type == type;
}

/* Every device in bus order; NULL starts and ends. Locked. */
struct pci_dev *pci_next_dev(struct pci_dev *dev);
#define for_each_pci_dev(dev) \
	for ((dev) = pci_next_dev(NULL); (dev); (dev) = pci_next_dev(dev))
/* By name, "00:01.0"; NULL if there is none. Locked. */
struct pci_dev *pci_find_dev(const char *bdf);
/* False once it has been pulled out: all its registers read as ones. Any context. */
bool pci_device_is_present(const struct pci_dev *dev);

/* ---- Drivers -------------------------------------------------------------------------------- */

#define PCI_ANY_ID	0xffff

struct pci_device_id {
	u16 vendor, device;		/* PCI_ANY_ID: any; vendor 0 ends the table */
	u32 class, class_mask;		/* the bits that must be the class's */
};
struct pci_driver {
	const char *name;
	const struct pci_device_id *id_table;
	/* 0, or errno, which the bus prints; -ENODEV: not for this driver, nothing is printed. */
	int (*probe)(struct pci_dev *dev);
	/* Leaves a quiet device, no irq, no memory. The device may be gone already. */
	void (*remove)(struct pci_dev *dev);
};
#define PCI_DRIVER(object)	TABLE_ENTRY(pci_driver, const struct pci_driver, object)

/* ---- Configuration space accesses (any context) --------------------------------------------- */

u8 pci_read_config8(const struct pci_dev *dev, unsigned int where);
u16 pci_read_config16(const struct pci_dev *dev, unsigned int where);
u32 pci_read_config32(const struct pci_dev *dev, unsigned int where);
void pci_write_config8(const struct pci_dev *dev, unsigned int where, u8 value);
void pci_write_config16(const struct pci_dev *dev, unsigned int where, u16 value);
void pci_write_config32(const struct pci_dev *dev, unsigned int where, u32 value);

/* Offset of the first capability ID, or of the next one after the one at POS; 0 if there is none.
 * A list that is damaged ends there, which is said once per device. */
u8 pci_find_capability(struct pci_dev *dev, u8 id);
u8 pci_find_next_capability(struct pci_dev *dev, u8 pos, u8 id);
/* The same for the extended ones, which PCI Express devices have. */
u16 pci_find_ext_capability(struct pci_dev *dev, u16 id);

/* ---- What a driver calls -------------------------------------------------------------------- */

/* Full power, BARs decoded: 0, or -EINVAL if a BAR has no address. Disabled, it cannot write
 * memory any more. */
int __must_check pci_enable_device(struct pci_dev *dev);
void pci_disable_device(struct pci_dev *dev);
/* The device may / may not write memory, MSIs included. (S-157) Any context. */
void pci_set_master(struct pci_dev *dev);
void pci_clear_master(struct pci_dev *dev);
/* The registers behind a BAR; NULL (said) if it is unset. */
void *pci_ioremap_bar(struct pci_dev *dev, unsigned int bar);

enum {
	PCI_IRQ_INTX		= 1 << 0,
	PCI_IRQ_LEGACY		= PCI_IRQ_INTX,
	PCI_IRQ_MSI		= 1 << 1,
	PCI_IRQ_MSIX		= 1 << 2,
	PCI_IRQ_AFFINITY	= 1 << 3,	/* spread over the CPUs, managed */
	PCI_IRQ_ALL_TYPES	= PCI_IRQ_INTX | PCI_IRQ_MSI | PCI_IRQ_MSIX,
};

/*
 * Between MIN and MAX interrupts of the best kind in FLAGS: MSI-X, else MSI, else INTx (only if
 * MIN is 1). Returns their number, which the caller must look at, or a negative errno: -ERANGE
 * (MAX below MIN), -ENOSPC (fewer than MIN to be had), -EINVAL (no such capability, or one is
 * enabled already), -ENOTSUPP (no controller takes them), -EBUSY (INTx beside MSI).
 * Boot argument pci=nomsi: as if no device had MSI-X or MSI, -EINVAL.
 * Nothing is delivered before request_irq(pci_irq_vector(dev, n), …). (S-139 … S-146)
 */
int __must_check pci_alloc_irq_vectors_affinity(struct pci_dev *dev, unsigned int min_vecs,
						unsigned int max_vecs, unsigned int flags,
						struct irq_affinity *affd);
static inline int __must_check pci_alloc_irq_vectors(struct pci_dev *dev, unsigned int min_vecs,
						     unsigned int max_vecs, unsigned int flags)
{
	return pci_alloc_irq_vectors_affinity(dev, min_vecs, max_vecs, flags, NULL);
}
/* After free_irq() of each. Harmless without any. */
void pci_free_irq_vectors(struct pci_dev *dev);
/* The irq of vector NR, or -EINVAL. */
int pci_irq_vector(struct pci_dev *dev, unsigned int nr);
/* The CPUs vector NR was spread to; NULL: it was not, or no such vector; INTx: all CPUs. */
const struct cpumask *pci_irq_get_affinity(struct pci_dev *dev, unsigned int nr);
/* One kind only. entries[n].entry (ENTRIES may be NULL: n) is the row that
 * vector n shall have; .vector becomes its irq. MINVEC … MAXVEC: their number, or an errno. */
struct msix_entry {
	u32 vector;
	u16 entry;
};
int __must_check pci_enable_msix_range(struct pci_dev *dev, struct msix_entry *entries, int minvec,
				       int maxvec);
int __must_check pci_enable_msi(struct pci_dev *dev);	/* one message: 0 or an errno */
void pci_disable_msix(struct pci_dev *dev);
void pci_disable_msi(struct pci_dev *dev);
/* The INTx disable bit, inverted. */
void pci_intx(struct pci_dev *dev, int enable);
/* "msix", "msi", "intx" or "none", as the shell shows it. */
const char *pci_irq_mode(const struct pci_dev *dev);
/* What the device has: MSI-X entries / MSI messages, or -EINVAL without that capability. */
int pci_msix_vec_count(struct pci_dev *dev);
int pci_msi_vec_count(struct pci_dev *dev);

#endif
