/* virtio-blk: shared by blk.c (requests) and blk-probe.c (coming and going). [VIRTIO 5.2] */
#ifndef DRIVERS_VIRTIO_VIRTIO_BLK_H
#define DRIVERS_VIRTIO_VIRTIO_BLK_H

#include <drivers/virtio/virtio.h>
#include <kernel/block.h>

/* Feature bits [VIRTIO 5.2.3] and configuration fields [VIRTIO 5.2.4] */
enum {
	VIRTIO_BLK_F_SIZE_MAX	= 1,
	VIRTIO_BLK_F_RO		= 5,
	VIRTIO_BLK_F_FLUSH	= 9,
	VIRTIO_BLK_F_MQ		= 12,

	CFG_CAPACITY		= 0,
	CFG_SIZE_MAX		= 8,
	CFG_NUM_QUEUES		= 34,
};

#define DESCS_PER_REQUEST	3

/* What the device needs beside the data of one request. */
struct vblk_slot {
	struct blk_slot slot;
	struct {
		le32 type, reserved;
		le64 sector;
	} header;
	u8 status;
};

struct vblk_queue {
	struct virtqueue *vq;		/* its lock protects the rest */
	struct blk_queue blk;
	struct vblk_slot *slots;
	unsigned int nr_slots;
	dma_addr_t slots_dma;
};

struct vblk {
	struct virtio_device *vdev;
	struct block_device block;
	struct vblk_queue *queue;
	u8 queue_of[NR_CPUS];
};

extern const struct block_ops vblk_ops;
bool vblk_start_request(struct blk_queue *blk, struct blk_slot *slot, struct blk_request *req);
/* Irq context: buffers of the queue were used. */
void vblk_done(struct virtqueue *vq);
/* Stops the device, then fails all that it had: it cannot touch a buffer any more. Any context. */
void vblk_fail(struct vblk *vb);

#endif
