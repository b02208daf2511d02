/*
 * MSI: an interrupt that is a memory write. A message is an address and a data word; a chip with
 * irq_compose_msi_msg receives such writes, a chip with irq_write_msi_msg makes a device send them.
 *
 * An MSI parent domain (IMSIC, ITS, v2m) serves many devices. Each device gets a domain of its own
 * on top, made from a template by the kind of sender (PCI MSI, MSI-X, a wired APLIC), whose hwirq
 * is the index of the message in the device. (Linux: <linux/msi.h>, <linux/irqchip/irq-msi-lib.h>)
 *
 * Thread context throughout, except where a chip callback is meant.
 */
#ifndef KERNEL_MSI_H
#define KERNEL_MSI_H

#include <kernel/device.h>
#include <kernel/irqdomain.h>

struct msi_msg {
	u32 address_lo, address_hi, data;
};

struct msi_domain_info;

/* What msi_domain_alloc_irq_at() got: .virq, or .virq 0 and an errno in .index. */
struct msi_map {
	int index, virq;
};

union msi_instance_cookie;

/* One message of a device (for multi-message MSI: nvec_used of them). */
struct msi_desc {
	unsigned int irq;		/* 0: none */
	u16 nvec_used;
	bool fresh;			/* unbound before the allocation that is under way */
	struct device *dev;
	struct msi_msg msg;		/* last message written (S-132) */
	unsigned int msi_index;		/* in the device */
	struct irq_affinity_desc *affinity;	/* one per vector; insertion copies it */
	/* The PCI layer's. */
	struct {
		union {
			u32 msix_ctrl;	/* cached vector control of the table entry */
			u32 msi_mask;	/* cached mask bits of the MSI capability */
		};
		bool is_msix, can_mask, is_64;
	} pci;
};

typedef struct msi_alloc_info {
	struct msi_desc *desc;
	irq_hw_number_t hwirq;
	u32 device_id;			/* what the parent sees: requester id */
	unsigned int nvec;		/* messages wanted under that id, now or by its sharers */
	struct irq_fwspec fwspec;	/* wire-to-MSI: the translated specifier */
} msi_alloc_info_t;

struct msi_domain_ops {
	/* Once per allocation with the total count. 0 or errno. */
	int (*msi_prepare)(struct irq_domain *d, struct device *dev, int nvec,
			   msi_alloc_info_t *arg);
	/* Fills ARG for one descriptor. NULL: hwirq = index. */
	void (*set_desc)(msi_alloc_info_t *arg, struct msi_desc *desc);
	int (*msi_init)(struct irq_domain *d, struct msi_domain_info *info, unsigned int virq,
			irq_hw_number_t hwirq, msi_alloc_info_t *arg);
	/* Wire-to-MSI only: firmware's specifier into hwirq and type. */
	int (*msi_translate)(struct irq_domain *d, struct irq_fwspec *fwspec,
			     unsigned long *hwirq, unsigned int *type);
};

enum {
	MSI_FLAG_USE_DEF_CHIP_OPS	= 1 << 1,	/* what is NULL goes to the parent */
	MSI_FLAG_ACTIVATE_EARLY		= 1 << 2,
	MSI_FLAG_FREE_MSI_DESCS		= 1 << 6,	/* freeing irqs frees them, too */
	MSI_FLAG_USE_DEV_FWNODE		= 1 << 7,	/* found by the tree's node */
	MSI_FLAG_PCI_MSI_MASK_PARENT	= 1 << 9,
	MSI_GENERIC_FLAGS_MASK		= 0xffff,
	MSI_FLAG_MULTI_PCI_MSI		= 1 << 16,
	MSI_FLAG_PCI_MSIX		= 1 << 17,
	MSI_FLAG_LEVEL_CAPABLE		= 1 << 18,	/* two messages: asserted, deasserted */
};

struct msi_domain_info {
	u32 flags;
	enum irq_domain_bus_token bus_token;
	unsigned int hwsize;		/* messages the device can send */
	const struct msi_domain_ops *ops;
	struct irq_chip *chip;		/* the template's copy, completed by the parent */
	void *chip_data;
	irq_flow_handler_t handler;	/* NULL: the parent's alloc() set one */
	const char *handler_name;
	void *data;
};

struct msi_domain_template {
	const char *name;		/* "PCI-MSIX"; NULL: the chip's */
	struct irq_chip chip;
	struct msi_domain_ops ops;
	struct msi_domain_info info;
};

/* What a parent domain offers its devices' domains. */
struct msi_parent_ops {
	u32 supported_flags, required_flags;	/* child = (child & supported) | required (S-134) */
	u32 bus_select_mask;			/* MATCH_*: whom it can serve; 0: all */
	const char *prefix;			/* of the child's name: "IMSIC-" */
	/* Completes INFO for a child. False: REAL_PARENT cannot serve that bus token. */
	bool (*init_dev_msi_info)(struct device *dev, struct irq_domain *d,
				  struct irq_domain *real_parent, struct msi_domain_info *info);
};
#define MATCH_PCI_MSI		BIT(DOMAIN_BUS_PCI_MSI)
#define MATCH_PLATFORM_MSI	BIT(DOMAIN_BUS_PLATFORM_MSI)

/* What most init_dev_msi_info() begin with: flags, affinity and retrigger by the parent. */
bool msi_lib_init_dev_msi_info(struct device *dev, struct irq_domain *d,
			       struct irq_domain *real_parent, struct msi_domain_info *info);

/* ---- A device's own domains ----------------------------------------------------------------- */

enum msi_domain_ids {
	MSI_DEFAULT_DOMAIN,
	MSI_SECONDARY_DOMAIN,
	MSI_MAX_DEVICE_IRQDOMAINS,
};

/* Makes domain DOMID of a device from a template on dev->msi.domain; HWSIZE messages. False: no
 * parent, has one already, the parent refuses, or no memory. (S-133) */
bool msi_create_device_irq_domain(struct device *dev, unsigned int domid,
				  const struct msi_domain_template *tmpl, unsigned int hwsize,
				  void *domain_data, void *chip_data);
void msi_remove_device_irq_domain(struct device *dev, unsigned int domid);
/* NULL: none. */
struct irq_domain *msi_get_device_domain(struct device *dev, unsigned int domid);

/* The MSI parent of devices for whose messages firmware names nobody; NULL (the default): none.
 * Set by a controller that starts. */
void msi_set_default_parent(struct irq_domain *d);
struct irq_domain *msi_default_parent(void);

/* ---- Descriptors of a device, by index ------------------------------------------------------ */

/* Room for them: 0 or -ENOMEM. Idempotent; the first of the calls below does it otherwise. */
int msi_setup_device_data(struct device *dev);
/* Against others who allocate for the same device; what is not called _locked takes it itself. */
void msi_lock_descs(struct device *dev);
void msi_unlock_descs(struct device *dev);

/* Copies INIT, its masks too: 0; -ERANGE beyond the domain's size; -EBUSY taken, or MSI_ANY_INDEX
 * (the lowest free one) and none is free; -ENOMEM. */
#define MSI_ANY_INDEX (~0U)
int msi_domain_insert_msi_desc(struct device *dev, unsigned int domid,
			       const struct msi_desc *init);
static inline int msi_insert_msi_desc(struct device *dev, const struct msi_desc *init)
{
	return msi_domain_insert_msi_desc(dev, MSI_DEFAULT_DOMAIN, init);
}
/* Those that have no irq; a bound one stays, with a warning. */
void msi_domain_free_msi_descs_range(struct device *dev, unsigned int domid, unsigned int first,
				     unsigned int last);

enum msi_desc_filter { MSI_DESC_ALL, MSI_DESC_NOTASSOCIATED, MSI_DESC_ASSOCIATED };
/* The first that passes FILTER, with index >= INDEX; NULL at the end. */
struct msi_desc *msi_desc_from(struct device *dev, unsigned int domid, unsigned int index,
			       enum msi_desc_filter filter);
#define msi_first_desc(dev, filter)	msi_desc_from(dev, MSI_DEFAULT_DOMAIN, 0, filter)
struct msi_desc *msi_desc_at(struct device *dev, unsigned int index);	/* NULL: none */
#define msi_for_each_desc(desc, dev, filter)						\
	for ((desc) = msi_first_desc(dev, filter); (desc);				\
	     (desc) = msi_desc_from(dev, MSI_DEFAULT_DOMAIN, (desc)->msi_index + 1, filter))

/* ---- Interrupts for them -------------------------------------------------------------------- */

/*
 * For the descriptors FIRST … LAST: prepare, set_desc, numbers, link, early activation (S-128,
 * S-129). 0; PCI: the number that did fit, if > 0, and 1 for a block of messages that did not;
 * -ENOSPC, -EINVAL for a range beyond the domain, -ENODEV without one, or what a callback said. On
 * failure everything this call made is undone.
 */
int msi_domain_alloc_irqs_range(struct device *dev, unsigned int domid, unsigned int first,
				unsigned int last);
int msi_domain_alloc_irqs_range_locked(struct device *dev, unsigned int domid, unsigned int first,
				       unsigned int last);
/* Frees interrupts, and descriptors by MSI_FLAG_FREE_MSI_DESCS. (S-136) */
void msi_domain_free_irqs_range(struct device *dev, unsigned int domid, unsigned int first,
				unsigned int last);
void msi_domain_free_irqs_range_locked(struct device *dev, unsigned int domid,
				       unsigned int first, unsigned int last);
#define msi_domain_free_irqs_all(dev, domid)	\
	msi_domain_free_irqs_range(dev, domid, 0, MSI_ANY_INDEX - 1)
/* One more, with a descriptor, at INDEX or MSI_ANY_INDEX. AFFDESC: may be NULL; COOKIE: unused. */
struct msi_map msi_domain_alloc_irq_at(struct device *dev, unsigned int domid, unsigned int index,
				       const struct irq_affinity_desc *affdesc,
				       union msi_instance_cookie *cookie);
/* 0: none. */
unsigned int msi_domain_get_virq(struct device *dev, unsigned int domid, unsigned int index);
#define msi_get_virq(dev, index)	msi_domain_get_virq(dev, MSI_DEFAULT_DOMAIN, index)

/* Chip callbacks of a device's domain; the template uses them through MSI_FLAG_USE_DEF_CHIP_OPS. */
int msi_domain_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force);
void get_cached_msi_msg(unsigned int irq, struct msi_msg *msg);

static inline u64 msi_msg_address(const struct msi_msg *msg)
{
	return (u64)msg->address_hi << 32 | msg->address_lo;
}

#endif
