/* The PCI transport: shared by pci.c and pci-vq.c. Register names of [VIRTIO 4.1.4.3]. */
#ifndef DRIVERS_VIRTIO_VIRTIO_PCI_H
#define DRIVERS_VIRTIO_VIRTIO_PCI_H

#include <drivers/pci/pci.h>
#include <drivers/virtio/virtio.h>

/* Common configuration */
enum {
	DEVICE_FEATURE_SELECT	= 0,
	DEVICE_FEATURE		= 4,
	DRIVER_FEATURE_SELECT	= 8,
	DRIVER_FEATURE		= 12,
	CONFIG_MSIX_VECTOR	= 16,
	NUM_QUEUES		= 18,
	DEVICE_STATUS		= 20,
	CONFIG_GENERATION	= 21,
	QUEUE_SELECT		= 22,
	QUEUE_SIZE		= 24,
	QUEUE_MSIX_VECTOR	= 26,
	QUEUE_ENABLE		= 28,
	QUEUE_NOTIFY_OFF	= 30,
	QUEUE_DESC		= 32,
	QUEUE_DRIVER		= 40,
	QUEUE_DEVICE		= 48,
	COMMON_CFG_SIZE		= 56,

	VIRTIO_MSI_NO_VECTOR	= 0xffff,
};

/* DEVICE_STATUS [VIRTIO 2.1] */
enum {
	STATUS_ACKNOWLEDGE	= 1,
	STATUS_DRIVER		= 2,
	STATUS_DRIVER_OK	= 4,
	STATUS_FEATURES_OK	= 8,
	STATUS_NEEDS_RESET	= 64,
	STATUS_FAILED		= 128,
};

/* ISR status [VIRTIO 4.1.4.5] */
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

/* A structure of the device, found by a vendor capability. */
struct vp_region {
	char *base;			/* NULL: the device has none */
	u32 len;
};

/* How interrupts are shared out. */
enum vp_vectors {
	VP_PER_QUEUE,			/* vector 0: configuration; 1 + n: queue n */
	VP_SHARED,			/* vector 0: configuration; 1: all queues */
	VP_ONE,				/* vector 0: everything */
	VP_INTX,			/* a line; the ISR register tells what */
};

struct virtio_pci {
	struct virtio_device vdev;
	struct pci_dev *pci;
	struct vp_region common, isr, notify, config;
	u32 notify_multiplier;
	enum vp_vectors vectors;
	unsigned int index;		/* of "virtio0" */
	unsigned int irqs_requested;	/* config/shared vectors, in order */
	u8 generation;			/* of the configuration, at the last look */
	char name[16];
};

static inline struct virtio_pci *to_vp(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_pci, vdev);
}

/* pci-regs.c */
void vp_add_status(struct virtio_pci *vp, u8 bits);
/* Version 1, WANTED and what the rings can use, as far as offered. 0 or -ENOTSUPP (said). */
int vp_negotiate(struct virtio_pci *vp, u64 wanted);
/* Irq context: the configuration, or the status, has changed. */
void vp_config_changed(struct virtio_pci *vp);

#endif
