/*
 * The device's side of a split virtqueue [VIRTIO 2.7], checking the driver's: chains are valid and
 * not the device's already, memory behind them is the driver's to give, what is in flight stays as
 * it is, indices only grow, notifications and interrupts follow the wishes.
 */
#include "models/virtio.h"

enum { F_NEXT = 1, F_WRITE = 2, EVENT_IDX = 29 };

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};

static struct desc *descs(struct vm_queue *q) { return (struct desc *)q->desc; }
static u16 *avail(struct vm_queue *q) { return (u16 *)q->driver; }	/* flags, idx, ring … */
static u16 *used(struct vm_queue *q) { return (u16 *)q->device; }
static u16 load(u16 *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static void store(u16 *p, u16 v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
static u16 *used_event(struct vm_queue *q) { return avail(q) + 2 + q->size; }
static u16 *avail_event(struct vm_queue *q) { return used(q) + 2 + 4 * q->size; }

static bool event_idx(const struct virtio_model *vm)
{
	return vm->accepted >> EVENT_IDX & 1;
}

static unsigned int index_of(const struct virtio_model *vm, const struct vm_queue *q)
{
	return q - vm->queue;
}

void vring_model_enable(struct virtio_model *vm, struct vm_queue *q)
{
	unsigned int n = index_of(vm, q);

	if (!q->size || q->size & (q->size - 1) || q->size > q->max)
		model_violation("virtio model: queue %u enabled with size %u of %u", n, q->size,
				q->max);
	else if (q->desc % 16 || q->driver % 2 || q->device % 4)
		model_violation("virtio model: queue %u is not aligned", n);
	else if (!host_dma_ok(q->desc, 16UL * q->size) ||
		 !host_dma_ok(q->driver, 6 + 2UL * q->size) ||
		 !host_dma_ok(q->device, 6 + 8UL * q->size))
		model_violation("virtio model: queue %u enabled before its addresses, 0x%lx 0x%lx "
				"0x%lx, are memory", n, (unsigned long)q->desc,
				(unsigned long)q->driver, (unsigned long)q->device);
	else
		q->enabled = true;	/* and asleep: the first request must be announced */
}

/* ---- Chains ----------------------------------------------------------------------------------------- */

static u32 checksum(struct vm_queue *q, u16 head)
{
	u32 sum = 0;

	for (u16 i = head;; i = descs(q)[i].next) {
		const struct desc *d = &descs(q)[i];

		sum = sum * 31 + (u32)d->addr + (u32)(d->addr >> 32) + d->len * 7 + d->flags * 3;
		if (!(d->flags & F_NEXT))
			return sum;
	}
}

/* What is wrong with D as the next descriptor of C; NULL: nothing. */
static const char *desc_fault(const struct vm_queue *q, const struct vm_chain *c,
			      const struct desc *d)
{
	if (d->flags & ~(F_NEXT | F_WRITE))
		return "has flags that were not agreed on";
	if (!d->len)
		return "is empty";
	if (c->n == VM_MAX_BUFS || c->n == q->size)
		return "makes a chain too long";
	if (c->n && c->buf[c->n - 1].write && !(d->flags & F_WRITE))
		return "is readable, behind a writable one";
	if (!host_dma_ok(d->addr, d->len))
		return "is not memory of one live allocation";
	return NULL;
}

static bool take_desc(struct virtio_model *vm, struct vm_queue *q, u16 i, struct vm_chain *c)
{
	const struct desc *d = &descs(q)[i];
	const char *fault = i >= q->size ? "does not exist" : q->owned[i] == q->take ?
		"is in its chain already" : q->owned[i] ? "is the device's" : desc_fault(q, c, d);

	if (fault) {
		model_violation("virtio model: queue %u: descriptor %u %s", index_of(vm, q), i, fault);
		q->broken = true;
		return false;
	}
	c->buf[c->n].p = (u8 *)d->addr;
	c->buf[c->n].len = d->len;
	c->buf[c->n++].write = d->flags & F_WRITE;
	q->owned[i] = q->take;
	return true;
}

/* Flags of the available ring: with EVENT_IDX none. [VIRTIO 2.7.7.1] */
static bool check_avail(struct virtio_model *vm, struct vm_queue *q, u16 waiting)
{
	u16 flags = load(avail(q));

	if (waiting > q->size)
		model_violation("virtio model: queue %u: available index jumped by %u, it has %u",
				index_of(vm, q), waiting, q->size);
	else if (flags & (event_idx(vm) ? 0xffff : 0xfffe))
		model_violation("virtio model: queue %u: available flags 0x%x", index_of(vm, q),
				flags);
	else if (!(pci_model_get16(&vm->pci, 4) & 4))
		model_violation("virtio model: queue %u: requests, but no bus mastering",
				index_of(vm, q));
	else
		return true;
	q->broken = true;
	return false;
}

bool vring_model_pop(struct virtio_model *vm, struct vm_queue *q, struct vm_chain *c)
{
	u16 waiting = load(avail(q) + 1) - q->last_avail, i;

	if (!waiting || q->broken || !check_avail(vm, q, waiting))
		return false;
	c->head = i = avail(q)[2 + q->last_avail++ % q->size];
	c->n = 0;
	if (!++q->take)
		q->take = 1;
	for (;; i = descs(q)[i].next) {
		if (!take_desc(vm, q, i, c))
			return false;
		if (!(descs(q)[i].flags & F_NEXT))
			break;
	}
	q->sum[c->head] = checksum(q, c->head);
	if (event_idx(vm))		/* not before half the numbers have passed */
		store(avail_event(q), q->last_avail + 0x7fff);
	else
		store(used(q), 1);
	return true;
}

static bool wants_interrupt(struct virtio_model *vm, struct vm_queue *q)
{
	u16 old = q->signalled;

	q->signalled = q->used_idx;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!event_idx(vm))
		return !(load(avail(q)) & 1);
	return (u16)(q->used_idx - load(used_event(q)) - 1) < (u16)(q->used_idx - old);
}

void vring_model_push_raw(struct virtio_model *vm, struct vm_queue *q, u32 id, u32 len)
{
	u32 *element = (u32 *)(used(q) + 2) + 2 * (q->used_idx % q->size);

	if (load(used(q) + 1) != q->used_idx)
		model_violation("virtio model: queue %u: the driver has written the used index",
				index_of(vm, q));
	__atomic_store_n(&element[0], id, __ATOMIC_RELAXED);
	__atomic_store_n(&element[1], len, __ATOMIC_RELAXED);
	store(used(q) + 1, ++q->used_idx);
	if (wants_interrupt(vm, q)) {
		q->interrupts++;
		virtio_model_interrupt(vm, q);
	}
}

void vring_model_push(struct virtio_model *vm, struct vm_queue *q, const struct vm_chain *c,
		      u32 len)
{
	u16 i = c->head;

	if (checksum(q, c->head) != q->sum[c->head])
		model_violation("virtio model: queue %u: a chain in flight was changed",
				index_of(vm, q));
	for (;; i = descs(q)[i].next) {
		q->owned[i] = 0;
		if (!(descs(q)[i].flags & F_NEXT))
			break;
	}
	vring_model_push_raw(vm, q, c->head, len);
}

/* ---- Notifications ---------------------------------------------------------------------------------- */

bool vring_model_sleep(struct virtio_model *vm, struct vm_queue *q)
{
	q->awake = false;
	if (event_idx(vm))
		store(avail_event(q), q->last_avail);
	else
		store(used(q), 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (load(avail(q) + 1) == q->last_avail)
		return false;
	q->awake = true;
	return true;
}

bool vring_model_unwanted(struct virtio_model *vm, struct vm_queue *q)
{
	return !event_idx(vm) && load(used(q)) & 1;
}
