/*
 * virtio-blk: a disk, with a queue per CPU.
 *
 *	request -> slot { header: type, sector } -> [header][data …][status] on this CPU's queue
 *	done()  <- slot { status }               <- interrupt of that queue
 *
 * A request is three descriptors: the header, which the device reads; the data; one byte of
 * status, which the device writes. What finds no room waits in a list of its queue and goes out
 * when something comes back. Completion is by interrupt only. Manual: [VIRTIO 5.2].
 */
#include <drivers/virtio/virtio-blk.h>

enum { VIRTIO_BLK_T_IN = 0, VIRTIO_BLK_T_OUT = 1, VIRTIO_BLK_T_FLUSH = 4 };
enum { VIRTIO_BLK_S_OK = 0, VIRTIO_BLK_S_IOERR = 1, VIRTIO_BLK_S_UNSUPP = 2, S_UNWRITTEN = 0xff };

static bool is_stopped(const struct virtio_device *vdev)
{
	return __atomic_load_n(&vdev->broken, __ATOMIC_ACQUIRE);
}

/* ---- Completion ----------------------------------------------------------------------------- */

/* Bytes that the device did not write are not data. [VIRTIO 2.7.8] */
static int result(const struct vblk_slot *slot, u32 len)
{
	const struct blk_request *req = slot->slot.req;
	u32 expected = req->op == BLK_READ ? req->nsectors * SECTOR_SIZE + 1 : 1;

	switch (slot->status) {
	case VIRTIO_BLK_S_OK:
		return len >= expected ? 0 : -EIO;
	case VIRTIO_BLK_S_UNSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

/* ---- Submission ----------------------------------------------------------------------------- */

bool vblk_start_request(struct blk_queue *blk, struct blk_slot *free, struct blk_request *req)
{
	static const u8 type[] = {
		[BLK_READ] = VIRTIO_BLK_T_IN,
		[BLK_WRITE] = VIRTIO_BLK_T_OUT,
		[BLK_FLUSH] = VIRTIO_BLK_T_FLUSH,
	};
	struct vblk_slot *slot = container_of(free, struct vblk_slot, slot);
	struct vq_buf buf[DESCS_PER_REQUEST];
	unsigned int n = 0, out;

	slot->header.type = cpu_to_le32(type[req->op]);
	slot->header.sector = cpu_to_le64(req->op == BLK_FLUSH ? 0 : req->lba);
	slot->status = S_UNWRITTEN;
	buf[n++] = (struct vq_buf){ &slot->header, sizeof(slot->header) };
	if (req->op != BLK_FLUSH)
		buf[n++] = (struct vq_buf){ req->buf, req->nsectors * SECTOR_SIZE };
	buf[n++] = (struct vq_buf){ &slot->status, 1 };
	out = req->op == BLK_WRITE ? 2 : 1;
	return !virtqueue_add(container_of(blk, struct vblk_queue, blk)->vq, buf, out, n - out,
			      slot);
}

static void start_waiting(struct vblk_queue *q)
{
	if (blk_queue_start(&q->blk))
		virtqueue_kick(q->vq);
}

void vblk_fail(struct vblk *vb)
{
	LIST_HEAD(finished);

	if (!virtio_break_device(vb->vdev))
		return;
	for (unsigned int i = 0; i < vb->block.queues; i++) {
		struct vblk_queue *q = &vb->queue[i];
		unsigned long flags = spin_lock_irqsave(&q->vq->lock);
		struct vblk_slot *slot;

		while ((slot = virtqueue_detach_unused_buf(q->vq)))
			blk_queue_end(&q->blk, &slot->slot, -EIO, &finished);
		blk_queue_fail_waiting(&q->blk, &finished);
		spin_unlock_irqrestore(&q->vq->lock, flags);
	}
	blk_finish(&finished);
}

/* Without the feature the device has no cache that could lose anything. [VIRTIO 5.2.6.2] */
static bool nothing_to_do(struct vblk *vb, const struct blk_request *req)
{
	return req->op == BLK_FLUSH && !virtio_has_feature(vb->vdev, VIRTIO_BLK_F_FLUSH);
}

static void vblk_submit(struct block_device *block, struct blk_request *req)
{
	struct vblk *vb = container_of(block, struct vblk, block);
	unsigned long irqs = arch_local_irq_save();
	struct vblk_queue *q = &vb->queue[vb->queue_of[smp_processor_id()]];
	bool taken = false;

	spin_lock(&q->vq->lock);
	req->queue = q->vq->index;
	req->status = is_stopped(vb->vdev) ? -EIO : 0;
	if (!req->status && !nothing_to_do(vb, req)) {
		list_add_tail(&req->link, &q->blk.waiting);
		start_waiting(q);
		taken = true;
	}
	spin_unlock_irqrestore(&q->vq->lock, irqs);
	if (!taken)
		req->done(req);
}

static void vblk_abort(struct block_device *block)
{
	vblk_fail(container_of(block, struct vblk, block));
}

/* ---- Interrupts ----------------------------------------------------------------------------- */

/* Takes everything out, and looks again after asking for the next interrupt. */
void vblk_done(struct virtqueue *vq)
{
	struct vblk_queue *q = vq->priv;
	unsigned long flags = spin_lock_irqsave(&vq->lock);
	struct vblk_slot *slot;
	LIST_HEAD(finished);
	bool broken = false;
	u32 len;

	if (!is_stopped(vq->vdev)) {
		do {
			virtqueue_disable_cb(vq);
			while ((slot = virtqueue_get_buf(vq, &len)))
				blk_queue_end(&q->blk, &slot->slot, result(slot, len), &finished);
		} while (!virtqueue_enable_cb(vq));
		start_waiting(q);
		broken = vq->broken;
	}
	spin_unlock_irqrestore(&vq->lock, flags);
	blk_finish(&finished);
	if (broken)
		vblk_fail(vq->vdev->dev.driver_data);
}

const struct block_ops vblk_ops = {
	.submit = vblk_submit,
	.abort = vblk_abort,
};
