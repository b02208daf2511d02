/*
 * The PCI bus: devices and their functions, configuration space, address windows (BARs),
 * capabilities, interrupts, drivers. Names follow Linux's <linux/pci.h>. Manuals: [PCI], [PCIE].
 *
 * A device lives on a bus, a bus below a host. Addresses come in two kinds: a BAR holds a bus
 * address; the CPU reaches it at another one, which the host's windows relate.
 * Thread context unless said.
 */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include <kernel/interrupt.h>
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/msi.h>

/* ---- Configuration space: registers used here [PCI 6.1, 6.8] -------------------------------- */

enum {
	PCI_VENDOR_ID		= 0x00,
	PCI_DEVICE_ID		= 0x02,
	PCI_COMMAND		= 0x04,
	PCI_COMMAND_IO		= 1 << 0,
	PCI_COMMAND_MEMORY	= 1 << 1,
	PCI_COMMAND_MASTER	= 1 << 2,
	PCI_COMMAND_INTX_DISABLE = 1 << 10,
	PCI_STATUS		= 0x06,
	PCI_STATUS_CAP_LIST	= 1 << 4,
	PCI_CLASS_REVISION	= 0x08,
	PCI_HEADER_TYPE		= 0x0e,
	PCI_HEADER_TYPE_MASK	= 0x7f,
	PCI_HEADER_TYPE_BRIDGE	= 1,
	PCI_HEADER_TYPE_MFD	= 0x80,
	PCI_BASE_ADDRESS_0	= 0x10,
	PCI_SECONDARY_BUS	= 0x19,
	PCI_SUBORDINATE_BUS	= 0x1a,
	PCI_SUBSYSTEM_ID	= 0x2e,
	PCI_CAPABILITY_LIST	= 0x34,
	PCI_INTERRUPT_PIN	= 0x3d,

	PCI_CAP_ID_PM		= 0x01,
	PCI_CAP_ID_MSI		= 0x05,
	PCI_CAP_ID_VNDR		= 0x09,
	PCI_CAP_ID_MSIX		= 0x11,

	PCI_PM_CTRL		= 4,
	PCI_PM_CTRL_STATE_MASK	= 3,

	PCI_MSI_FLAGS		= 2,
	PCI_MSI_FLAGS_ENABLE	= 1 << 0,
	PCI_MSI_FLAGS_QMASK	= 7 << 1,
	PCI_MSI_FLAGS_QSIZE	= 7 << 4,
	PCI_MSI_FLAGS_64BIT	= 1 << 7,
	PCI_MSI_FLAGS_MASKBIT	= 1 << 8,
	PCI_MSI_ADDRESS_LO	= 4,
	PCI_MSI_ADDRESS_HI	= 8,

	PCI_MSIX_FLAGS		= 2,
	PCI_MSIX_FLAGS_QSIZE	= 0x7ff,
	PCI_MSIX_FLAGS_MASKALL	= 1 << 14,
	PCI_MSIX_FLAGS_ENABLE	= 1 << 15,
	PCI_MSIX_TABLE		= 4,
	PCI_MSIX_PBA		= 8,
	PCI_MSIX_BIR		= 7,
	PCI_MSIX_ENTRY_SIZE	= 16,
	PCI_MSIX_ENTRY_LOWER_ADDR = 0,
	PCI_MSIX_ENTRY_UPPER_ADDR = 4,
	PCI_MSIX_ENTRY_DATA	= 8,
	PCI_MSIX_ENTRY_VECTOR_CTRL = 12,
	PCI_MSIX_ENTRY_CTRL_MASKBIT = 1 << 0,
};

/* ---- Objects -------------------------------------------------------------------------------- */

enum pci_bar_type { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEM32, PCI_BAR_MEM64 };

struct pci_bar {
	enum pci_bar_type type;
	bool prefetchable, assigned;
	u64 size;
	u64 addr;			/* what the BAR holds: a bus address */
	phys_addr_t cpu_addr;		/* where the CPU finds it */
};

#define PCI_NUM_BARS	6
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
	u8 pm_cap, msi_cap, msix_cap;	/* offsets, 0: has none */
	bool bad_caps;			/* damage in the list has been reported */
	bool unusable;			/* a BAR found no room: no driver */
	struct pci_bar bar[PCI_NUM_BARS];
	const struct pci_driver *driver;

	/* Interrupts: msi.c, vectors.c */
	u32 msi_id;			/* what the MSI controller sees of us */
	bool no_msi, msi_enabled, msix_enabled, intx_enabled;
	unsigned int irq;		/* INTx, or the first MSI while that is on; 0: none */
	unsigned int intx_irq, nr_vectors;
	void *msix_base;		/* the mapped MSI-X table */
};

struct pci_bus {
	struct pci_host *host;
	struct pci_dev *bridge;		/* leads here; NULL: a root bus */
	struct pci_bus *parent, *next;
	u8 number;
	bool no_msi;			/* nothing below may use MSI */
	void *config;			/* configuration space: 4 KiB per function */
	struct pci_dev *devices;
};

/* A piece of CPU address space that the host turns into bus cycles. */
struct pci_window {
	bool io;
	u64 bus_addr, size, used;
	phys_addr_t cpu_addr;
};
#define PCI_MAX_WINDOWS	8

struct pci_host {
	struct device_node *node;
	struct resource ecam;
	u8 first_bus, last_bus;
	struct pci_window window[PCI_MAX_WINDOWS];
	unsigned int nr_windows;
	s64 dma_offset;
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

/* Every device in bus order; NULL starts and ends. */
struct pci_dev *pci_next_dev(struct pci_dev *dev);
#define for_each_pci_dev(dev) \
	for ((dev) = pci_next_dev(NULL); (dev); (dev) = pci_next_dev(dev))
/* By name, "00:01.0"; NULL if there is none. */
struct pci_dev *pci_find_dev(const char *bdf);

/* ---- Drivers -------------------------------------------------------------------------------- */

#define PCI_ANY_ID	0xffff

struct pci_device_id {
	u16 vendor, device;		/* PCI_ANY_ID: any; vendor 0 ends the table */
};
struct pci_driver {
	const char *name;
	const struct pci_device_id *id_table;
	/* 0, or errno, which the bus prints; -ENODEV: not for this driver, nothing is printed. */
	int (*probe)(struct pci_dev *dev);
	void (*remove)(struct pci_dev *dev);	/* quiet device, no irq, no memory left */
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
 * Nothing is delivered before request_irq(pci_irq_vector(dev, n), …). (S-139 … S-146)
 */
int __must_check pci_alloc_irq_vectors_affinity(struct pci_dev *dev, unsigned int min_vecs,
						unsigned int max_vecs, unsigned int flags,
						const struct irq_affinity *affd);
static inline int __must_check pci_alloc_irq_vectors(struct pci_dev *dev, unsigned int min_vecs,
						     unsigned int max_vecs, unsigned int flags)
{
	return pci_alloc_irq_vectors_affinity(dev, min_vecs, max_vecs, flags, NULL);
}
/* After free_irq() of each. Harmless without any. */
void pci_free_irq_vectors(struct pci_dev *dev);
/* The irq of vector NR, or -EINVAL. */
int pci_irq_vector(struct pci_dev *dev, unsigned int nr);
/* The CPUs vector NR was spread to; all CPUs if it was not; NULL: no such vector. */
const struct cpumask *pci_irq_get_affinity(struct pci_dev *dev, unsigned int nr);
/* What the device has: MSI-X entries / MSI messages, or -EINVAL without that capability. */
int pci_msix_vec_count(struct pci_dev *dev);
int pci_msi_vec_count(struct pci_dev *dev);

/* ---- Between the files of drivers/pci ------------------------------------------------------- */

/* ecam.c: a function that is not a pci_dev yet; the space of one more bus, -ENOMEM. */
u32 pci_bus_read_config32(const struct pci_bus *bus, unsigned int devfn, unsigned int where);
int pci_map_config(struct pci_bus *bus);
/* probe.c: finds the devices of HOST's root bus, gives them addresses, starts their drivers. */
int pci_host_probe(struct pci_host *host);
void pci_host_remove(struct pci_host *host);
/* bar.c: reads the sizes, decode off; assigns addresses to all of a bus. */
void pci_read_bars(struct pci_dev *dev);
int pci_assign_bars(struct pci_bus *bus);
/* msi.c */
void pci_msi_init(struct pci_dev *dev);		/* at enumeration: leftovers off (S-155) */
int pci_create_msi_domain(struct pci_dev *dev, bool msix, unsigned int hwsize);
bool pci_msi_domain_supports(const struct pci_dev *dev, u32 flags);
/* msi-enable.c: 0; or how many would have fitted; or an errno. */
int pci_enable_msix(struct pci_dev *dev, unsigned int nvec, const struct irq_affinity *affd);
int pci_enable_msi(struct pci_dev *dev, unsigned int nvec, const struct irq_affinity *affd);
void pci_disable_msix(struct pci_dev *dev);
void pci_disable_msi(struct pci_dev *dev);
void pci_intx(struct pci_dev *dev, bool enable);	/* the INTx disable bit, inverted */

#endif
