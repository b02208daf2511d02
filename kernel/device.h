/* struct device: what the irq core, the DMA layer and the log need to know of any device. */
#ifndef KERNEL_DEVICE_H
#define KERNEL_DEVICE_H

#include <kernel/fwnode.h>

struct irq_domain;
struct msi_device_data;

struct device {
	const char *name;		/* "00:01.0", "serial@10000000" */
	struct fwnode_handle *fwnode;	/* NULL: none */
	struct device *parent;
	void *driver_data;
	struct {
		struct irq_domain *domain;	/* the MSI parent domain, NULL: no MSI */
		struct msi_device_data *data;	/* descriptors and per-device domains */
	} msi;
	s64 dma_offset;			/* bus address - physical address */
};

static inline const char *dev_name(const struct device *dev)
{
	return dev ? dev->name : "(no device)";
}

#define dev_err(dev, fmt, ...)	pr_err("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_warn(dev, fmt, ...)	pr_warn("%s: " fmt, dev_name(dev), ##__VA_ARGS__)

#endif
