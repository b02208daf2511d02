/* Shared by msi.c, msi-desc.c and msi-irqs.c. */
#ifndef KERNEL_IRQ_MSI_INTERNALS_H
#define KERNEL_IRQ_MSI_INTERNALS_H

#include <kernel/msi.h>

/* A device's own copy of its template, completed by the parent. */
struct device_msi_domain {
	struct msi_domain_template t;
	struct fwnode_handle *fwnode;	/* made for it, or NULL */
	char *name;
};

struct msi_device_data {
	struct mutex mutex;		/* descriptors and allocation of this device */
	struct msi_dev_domain {
		struct radix_tree descs;	/* by index */
		struct irq_domain *domain;
		struct device_msi_domain *own;
	} dom[MSI_MAX_DEVICE_IRQDOMAINS];
};

/* NULL: no such id, or the device has no data. */
static inline struct msi_dev_domain *msi_dev_domain(struct device *dev, unsigned int domid)
{
	return dev->msi.data && domid < MSI_MAX_DEVICE_IRQDOMAINS
		       ? &dev->msi.data->dom[domid] : NULL;
}

/* A copy of INIT: the index that it got, or an errno. */
int msi_dev_domain_insert(struct device *dev, struct msi_dev_domain *dom,
			  const struct msi_desc *init);
/* Frees what msi_setup_device_data() made, if nothing is in it. */
void msi_device_data_put(struct device *dev);

#endif
