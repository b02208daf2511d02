/*
 * Split virtqueues: how buffers go to a device and come back.
 *
 *	desc[]   { address, length, flags, next }       the driver writes: chains of buffers
 *	avail    idx, ring[] of first descriptors       the driver writes: take these
 *	used     idx, ring[] of { first, bytes }        the device writes: these are done
 *
 * Each side says in memory whether it wants to be notified at all: by a flag, or with EVENT_IDX by
 * the index it wants to hear about. Whoever switches its notifications back on must look once more
 * at the other side's index, as that may have moved just before. Manual: [VIRTIO 2.7].
 *
 * The device may write nonsense; ids and lengths are checked against a private copy.
 */
#include <drivers/virtio/virtio.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

struct vring_desc {
	le64 addr;
	le32 len;
	le16 flags, next;
};
#define VRING_DESC_F_NEXT	1
#define VRING_DESC_F_WRITE	2

struct vring_avail {
	le16 flags, idx;
	le16 ring[];			/* and, with EVENT_IDX, used_event behind it */
};
#define VRING_AVAIL_F_NO_INTERRUPT	1

struct vring_used {
	le16 flags, idx;
	struct {
		le32 id, len;
	} ring[];			/* and, with EVENT_IDX, avail_event behind it */
};
#define VRING_USED_F_NO_NOTIFY	1

struct vq_slot {
	void *token;			/* of the chain that begins here; NULL: none does */
	u32 writable;			/* bytes the device may write in that chain */
	u16 next;			/* in the chain, or in the free list */
	u16 count;			/* descriptors of that chain */
};

/* ---- Words that both sides use at the same time: exactly one access each --------------------- */

static u16 load16(const le16 *p)
{
	return __atomic_load_n(&p->raw, __ATOMIC_RELAXED);
}

static u32 load32(const le32 *p)
{
	return __atomic_load_n(&p->raw, __ATOMIC_RELAXED);
}

static void store16(le16 *p, u16 value)
{
	__atomic_store_n(&p->raw, value, __ATOMIC_RELAXED);
}

static le16 *used_event(struct virtqueue *vq)
{
	return &vq->avail->ring[vq->num];
}

static le16 *avail_event(struct virtqueue *vq)
{
	return (le16 *)&vq->used->ring[vq->num];
}

static void break_queue(struct virtqueue *vq, const char *what, unsigned int value)
{
	if (!__atomic_exchange_n(&vq->broken, true, __ATOMIC_RELAXED))
		pr_err("virtio: %s queue %u: the device %s (%u); the queue is given up",
		       virtio_bus_name(vq->vdev), vq->index, what, value);
}

/* ---- To the device -------------------------------------------------------------------------- */

static void fill_desc(struct virtqueue *vq, u16 i, const struct vq_buf *buf, u16 flags)
{
	struct vring_desc *desc = &vq->desc[i];

	desc->addr = cpu_to_le64(dma_map(&vq->vdev->dev, buf->addr, buf->len));
	desc->len = cpu_to_le32(buf->len);
	desc->flags = cpu_to_le16(flags);
	desc->next = cpu_to_le16(vq->slot[i].next);
}

int virtqueue_add(struct virtqueue *vq, const struct vq_buf *buf, unsigned int out,
		  unsigned int in, void *token)
{
	u16 head = vq->free_head, i = head;
	u32 writable = 0;

	if (vq->broken)
		return -EIO;
	if (!(out + in) || out + in > vq->num_free)
		return -ENOSPC;
	for (unsigned int n = 0; n < out + in; n++) {
		u16 flags = n + 1 < out + in ? VRING_DESC_F_NEXT : 0;

		if (n >= out) {
			flags |= VRING_DESC_F_WRITE;
			writable += buf[n].len;
		}
		fill_desc(vq, i, &buf[n], flags);
		i = vq->slot[i].next;
	}
	vq->free_head = i;
	vq->num_free -= out + in;
	vq->slot[head].token = token;
	vq->slot[head].writable = writable;
	vq->slot[head].count = out + in;
	store16(&vq->avail->ring[vq->avail_idx % vq->num], head);
	dma_wmb();			/* the entry before its index [VIRTIO 2.7.13.3.1] */
	store16(&vq->avail->idx, ++vq->avail_idx);
	return 0;
}

/* Has the other side's index EVENT been passed on the way from OLD to NEW? [VIRTIO 2.7.10.1] */
static bool passed(u16 event, u16 new, u16 old)
{
	return (u16)(new - event - 1) < (u16)(new - old);
}

void virtqueue_kick(struct virtqueue *vq)
{
	u16 old = vq->kicked_idx;
	bool wanted;

	dma_mb();			/* our index before its wish [VIRTIO 2.7.13.4.1] */
	vq->kicked_idx = vq->avail_idx;
	if (vq->event_idx)
		wanted = passed(load16(avail_event(vq)), vq->avail_idx, old);
	else
		wanted = !(load16(&vq->used->flags) & VRING_USED_F_NO_NOTIFY);
	if (wanted && !vq->broken)
		writew(vq->index, vq->notify);
}

/* ---- From the device ------------------------------------------------------------------------ */

/* Puts a chain's descriptors back; returns its token. */
static void *free_chain(struct virtqueue *vq, u16 head)
{
	struct vq_slot *slot = &vq->slot[head];
	void *token = slot->token;
	u16 last = head;

	for (unsigned int n = 1; n < slot->count; n++)
		last = vq->slot[last].next;
	vq->slot[last].next = vq->free_head;
	vq->free_head = head;
	vq->num_free += slot->count;
	slot->token = NULL;
	return token;
}

static bool more_used(const struct virtqueue *vq)
{
	return load16(&vq->used->idx) != vq->last_used;
}

void *virtqueue_get_buf(struct virtqueue *vq, u32 *len)
{
	unsigned int ready = (u16)(load16(&vq->used->idx) - vq->last_used);
	unsigned int i = vq->last_used % vq->num;
	u32 id;

	if (!ready || vq->broken)
		return NULL;
	if (ready > vq->num) {
		break_queue(vq, "finished more than it was given", ready);
		return NULL;
	}
	dma_rmb();			/* the index before the element [VIRTIO 2.7.14] */
	id = load32(&vq->used->ring[i].id);
	*len = load32(&vq->used->ring[i].len);
	if (id >= vq->num || !vq->slot[id].token) {
		break_queue(vq, "finished a buffer that it was not given", id);
		return NULL;
	}
	if (*len > vq->slot[id].writable) {
		break_queue(vq, "wrote more bytes than there is room for", *len);
		return NULL;
	}
	vq->last_used++;
	if (vq->event_idx && vq->callbacks) {
		store16(used_event(vq), vq->last_used);
		dma_mb();		/* before the next look at its index */
	}
	return free_chain(vq, id);
}

void virtqueue_disable_cb(struct virtqueue *vq)
{
	vq->callbacks = false;
	if (!vq->event_idx)		/* with it, an index in the past says the same */
		store16(&vq->avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
}

bool virtqueue_enable_cb(struct virtqueue *vq)
{
	vq->callbacks = true;
	if (vq->event_idx)
		store16(used_event(vq), vq->last_used);
	else
		store16(&vq->avail->flags, 0);
	dma_mb();			/* our wish before its index [VIRTIO 2.7.14] */
	return !more_used(vq) || vq->broken;
}

void *virtqueue_detach_unused_buf(struct virtqueue *vq)
{
	for (unsigned int i = 0; i < vq->num; i++)
		if (vq->slot[i].token)
			return free_chain(vq, i);
	return NULL;
}

/* No register tells who interrupts; an early look may have emptied the ring already. So an
 * interrupt without news is as good as one with. */
irqreturn_t vring_interrupt(int irq, void *dev_id)
{
	struct virtqueue *vq = dev_id;

	(void)irq;
	if (vq->callback)
		vq->callback(vq);
	return IRQ_HANDLED;
}

/* ---- Memory --------------------------------------------------------------------------------- */

struct vring_layout {
	size_t avail, used, total;	/* offsets; desc is at 0 */
};

/* Alignments 16, 2 and 4, each part with room for its event index. [VIRTIO 2.7] */
static struct vring_layout vring_layout(unsigned int num)
{
	struct vring_layout layout;

	layout.avail = num * sizeof(struct vring_desc);
	layout.used = ALIGN_UP(layout.avail + sizeof(struct vring_avail) + 2 * (num + 1), 4);
	layout.total = layout.used + sizeof(struct vring_used) + 8 * num + 2;
	return layout;
}

struct virtqueue *vring_create(struct virtio_device *vdev, unsigned int index, unsigned int num,
			       const struct virtqueue_info *info)
{
	struct vring_layout layout = vring_layout(num);
	struct virtqueue *vq = kzalloc(sizeof(*vq));
	struct vq_slot *slot = kcalloc(num, sizeof(*slot));
	dma_addr_t dma = 0;
	char *ring = vq && slot ? dma_alloc_coherent(&vdev->dev, layout.total, &dma) : NULL;

	if (!ring) {
		kfree(slot);
		kfree(vq);
		return NULL;
	}
	*vq = (struct virtqueue){
		.vdev = vdev, .index = index, .num = num,
		.name = info->name, .callback = info->callback,
		.desc = (struct vring_desc *)ring, .desc_dma = dma,
		.avail = (struct vring_avail *)(ring + layout.avail),
		.avail_dma = dma + layout.avail,
		.used = (struct vring_used *)(ring + layout.used),
		.used_dma = dma + layout.used,
		.slot = slot, .num_free = num, .callbacks = true,
		.event_idx = virtio_has_feature(vdev, VIRTIO_F_EVENT_IDX),
	};
	for (unsigned int i = 0; i < num; i++)
		slot[i].next = i + 1;
	return vq;
}

void vring_destroy(struct virtqueue *vq)
{
	dma_free_coherent(&vq->vdev->dev, vring_layout(vq->num).total, vq->desc, vq->desc_dma);
	kfree(vq->irq_name);
	kfree(vq->slot);
	kfree(vq);
}
