/* Shared by msi.c and msi-desc.c. */
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
	struct radix_tree descs;	/* by index */
	struct irq_domain *domain;
	struct device_msi_domain *own;
};

/* Made at first use; NULL when out of memory. put() frees it if nothing is in it. */
struct msi_device_data *msi_device_data_get(struct device *dev);
void msi_device_data_put(struct device *dev);

#endif
