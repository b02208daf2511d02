/*
 * The virtio bus: devices that exchange buffers with a driver through rings in memory.
 *
 * A virtio device has a type, feature bits, a small configuration space and virtqueues. The PCI
 * transport (pci.c, pci-vq.c) finds and sets them up, ring.c moves buffers, a driver per type uses
 * both. Names follow Linux's <linux/virtio.h>. Manual: [VIRTIO] (version 1.x only).
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include <kernel/driver.h>
#include <kernel/interrupt.h>

enum {
	VIRTIO_ID_NET		= 1,
	VIRTIO_ID_BLOCK		= 2,

	/* Feature bit numbers [VIRTIO 6] */
	VIRTIO_F_EVENT_IDX	= 29,
	VIRTIO_F_VERSION_1	= 32,
	VIRTIO_F_ACCESS_PLATFORM = 33,
};

struct virtqueue;
struct virtio_driver;

struct virtio_device {
	struct device dev;		/* name is "virtio0"; parent is the PCI device */
	u32 id;				/* VIRTIO_ID_* */
	u64 features;			/* offered, wanted and accepted */
	const struct virtio_driver *driver;
	unsigned int nr_vqs;
	struct virtqueue **vqs;
	u32 broken;			/* stopped for good; atomic */
};

static inline bool virtio_has_feature(const struct virtio_device *vdev, unsigned int bit)
{
	return vdev->features >> bit & 1;
}
/* The name the user knows it by: that of its PCI device. */
static inline const char *virtio_bus_name(const struct virtio_device *vdev)
{
	return dev_name(vdev->dev.parent);
}

/* ---- Drivers -------------------------------------------------------------------------------- */

struct virtio_driver {
	const char *name;
	u32 id;
	u64 features;			/* a mask of what it can use */
	unsigned int queues_per_cpu;	/* set up and interrupt together; 0 is 1 */
	/* Features are negotiated. Calls virtio_find_vqs() and virtio_device_ready(). */
	int (*probe)(struct virtio_device *vdev);
	void (*remove)(struct virtio_device *vdev);
	/* Irq context; may be NULL: new configuration; the device says that it has failed. */
	void (*config_changed)(struct virtio_device *vdev);
	void (*failed)(struct virtio_device *vdev);
};
#define VIRTIO_DRIVER(object)	TABLE_ENTRY(virtio_driver, const struct virtio_driver, object)

/* ---- The device (pci.c). Thread context unless said. ---------------------------------------- */

/* A field of the device's configuration; beyond its end: 0. Any context. */
u8 virtio_cread8(struct virtio_device *vdev, unsigned int offset);
u16 virtio_cread16(struct virtio_device *vdev, unsigned int offset);
u32 virtio_cread32(struct virtio_device *vdev, unsigned int offset);
u64 virtio_cread64(struct virtio_device *vdev, unsigned int offset);	/* in one piece */

/* DRIVER_OK: from here on the device works. */
void virtio_device_ready(struct virtio_device *vdev);
/* Back to the beginning: afterwards the device knows no queue and writes no memory. 0, or
 * -ETIMEDOUT (said), and then it is kept from writing memory by its PCI command register. */
int virtio_reset_device(struct virtio_device *vdev);
/* The same in any context and for good, once: false if it was broken already. */
bool virtio_break_device(struct virtio_device *vdev);

struct virtqueue_info {
	const char *name;		/* "req": for the names of its interrupts */
	void (*callback)(struct virtqueue *vq);	/* irq context: buffers were used */
};
/*
 * Sets up between MIN and MAX queues (0, 1, …), each with an interrupt of its own if there are
 * enough; with fewer, fewer queues; with too few for MIN queues, these share one. INFO has MAX
 * entries. Returns how many, with vdev->vqs filled, or a negative errno (said). (S-139 …)
 */
int __must_check virtio_find_vqs(struct virtio_device *vdev, unsigned int min, unsigned int max,
				 const struct virtqueue_info *info);
/* One more queue, any of the device's, that never interrupts: NULL if it cannot be had (said). The
 * driver destroys it itself, with vring_destroy(), when the device has been reset. */
struct virtqueue *virtio_find_polled_vq(struct virtio_device *vdev, unsigned int index,
					const char *name);
/* Undoes virtio_find_vqs(), resetting the device first. */
void virtio_del_vqs(struct virtio_device *vdev);

/* ---- Queues (ring.c). The caller holds vq->lock, irqs off. ---------------------------------- */

struct vq_slot;

struct virtqueue {
	struct virtio_device *vdev;
	const char *name;
	unsigned int index;
	unsigned int num;		/* descriptors, a power of two */
	void (*callback)(struct virtqueue *vq);
	void *priv;			/* the driver's */
	unsigned int irq;
	struct cpumask cpus;		/* the CPUs it is meant for */
	spinlock_t lock;
	u32 broken;			/* the device broke the rules here; atomic */

	/* ring.c's own */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	dma_addr_t desc_dma, avail_dma, used_dma;
	struct vq_slot *slot;		/* what we remember of each descriptor */
	unsigned int num_free;
	u16 free_head;
	u16 avail_idx, kicked_idx;	/* ours; at the last look whether to notify */
	u16 last_used;			/* first used element not yet taken */
	bool event_idx, callbacks;
	void *notify;			/* the doorbell register */
	const char *irq_name;
};

/* A piece of memory for the device. */
struct vq_buf {
	void *addr;
	u32 len;
};

/*
 * Queues a chain of OUT buffers the device reads and IN buffers it writes; TOKEN (not NULL) comes
 * back when it is done. 0; -ENOSPC if there are not enough descriptors; -EIO if broken. The device
 * sees it at once and is told by virtqueue_kick().
 */
int virtqueue_add(struct virtqueue *vq, const struct vq_buf *buf, unsigned int out,
		  unsigned int in, void *token);
/* Notifies the device unless it asked not to be. */
void virtqueue_kick(struct virtqueue *vq);
/* The token of a chain the device has finished, and how many bytes it wrote; NULL: none. What the
 * device returns is checked; nonsense breaks the queue, which is said. */
void *virtqueue_get_buf(struct virtqueue *vq, u32 *len);
/* No callback wanted / wanted again; false: something was used meanwhile, look again first. */
void virtqueue_disable_cb(struct virtqueue *vq);
bool virtqueue_enable_cb(struct virtqueue *vq);
/* Tokens of chains that will never come back, after the device was stopped; NULL at the end. */
void *virtqueue_detach_unused_buf(struct virtqueue *vq);

/* Between ring.c and the transport. The interrupt's handler: DEV_ID is the queue. */
irqreturn_t vring_interrupt(int irq, void *dev_id);
struct virtqueue *vring_create(struct virtio_device *vdev, unsigned int index, unsigned int num,
			       const struct virtqueue_info *info);
void vring_destroy(struct virtqueue *vq);

#endif
