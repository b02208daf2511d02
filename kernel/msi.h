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

/* One message of a device (for multi-message MSI: nvec_used of them). */
struct msi_desc {
	unsigned int irq;		/* 0: none */
	unsigned int nvec_used;
	struct device *dev;
	struct msi_msg msg;		/* last message written (S-132) */
	struct irq_affinity_desc *affinity;
	unsigned int msi_index;		/* in the device */
	bool fresh;			/* bound by the allocation that is under way */
	/* The PCI layer's. */
	struct {
		u32 msix_ctrl;		/* cached vector control of the table entry */
		u32 msi_mask;		/* cached mask bits of the MSI capability */
		void *base;		/* the MSI-X table, NULL: MSI */
		u16 cap;		/* offset of the MSI capability */
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
	MSI_FLAG_USE_DEF_CHIP_OPS	= 1 << 1,
	MSI_FLAG_ACTIVATE_EARLY		= 1 << 2,
	MSI_FLAG_MUST_REACTIVATE	= 1 << 3,
	MSI_FLAG_LEVEL_CAPABLE		= 1 << 6,
	MSI_FLAG_MULTI_PCI_MSI		= 1 << 16,
	MSI_FLAG_PCI_MSIX		= 1 << 17,
	MSI_FLAG_MSIX_CONTIGUOUS	= 1 << 18,
	MSI_FLAG_PCI_MSI_MASK_PARENT	= 1 << 20,
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
	const char *name;		/* "PCI-MSIX" */
	struct irq_chip chip;
	struct msi_domain_ops ops;
	struct msi_domain_info info;
};

/* What a parent domain offers its devices' domains. */
struct msi_parent_ops {
	u32 supported_flags, required_flags;	/* child = (child & supported) | required (S-134) */
	const char *prefix;			/* of the child's name: "IMSIC-" */
	/* Completes INFO for a child. False: this parent cannot serve that bus token. */
	bool (*init_dev_msi_info)(struct device *dev, struct irq_domain *parent,
				  struct msi_domain_info *info);
};

/* Makes the device's own domain from a template on dev->msi.domain; HWSIZE messages. 0, -ENODEV
 * (no parent), -EBUSY (has one), -ENOTSUPP (parent refuses), -ENOMEM. (S-133) */
int msi_create_device_irq_domain(struct device *dev, const struct msi_domain_template *tmpl,
				 unsigned int hwsize, void *domain_data, void *chip_data);
void msi_remove_device_irq_domain(struct device *dev);
struct irq_domain *msi_device_domain(struct device *dev);	/* NULL: none */

/* The MSI parent of devices for whose messages firmware names nobody; NULL (the default): none.
 * Set by a controller that starts. */
void msi_set_default_parent(struct irq_domain *d);
struct irq_domain *msi_default_parent(void);

/* Descriptors of a device, by index. */
int msi_insert_desc(struct device *dev, const struct msi_desc *init);	/* copies; -EBUSY taken */
struct msi_desc *msi_desc_at(struct device *dev, unsigned int index);	/* NULL: none */
/* The first with index >= INDEX; NULL at the end. */
struct msi_desc *msi_desc_next(struct device *dev, unsigned int index);
#define msi_for_each_desc(desc, dev)						\
	for ((desc) = msi_desc_next(dev, 0); (desc);				\
	     (desc) = msi_desc_next(dev, (desc)->msi_index + 1))

/*
 * Interrupts for the descriptors FIRST … LAST: prepare, set_desc, numbers, link, early activation
 * (S-128, S-129). 0; or the number that did fit, if > 0; or -ENOSPC, -EINVAL, -ERANGE. On failure
 * everything this call made is undone.
 */
int msi_domain_alloc_irqs_range(struct device *dev, unsigned int first, unsigned int last);
void msi_domain_free_irqs_range(struct device *dev, unsigned int first, unsigned int last);
/* Frees interrupts and descriptors. */
void msi_domain_free_irqs_all(struct device *dev);
/* One more at INDEX (MSI_ANY_INDEX: the lowest free one); the irq or an errno. */
#define MSI_ANY_INDEX (~0U)
int msi_domain_alloc_irq_at(struct device *dev, unsigned int index,
			    const struct irq_affinity_desc *affinity);
unsigned int msi_get_virq(struct device *dev, unsigned int index);	/* 0: none */

/* Chip callbacks of a device's domain; the template uses them through MSI_FLAG_USE_DEF_CHIP_OPS. */
int msi_domain_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force);
void get_cached_msi_msg(unsigned int irq, struct msi_msg *msg);

static inline u64 msi_msg_address(const struct msi_msg *msg)
{
	return (u64)msg->address_hi << 32 | msg->address_lo;
}

#endif
