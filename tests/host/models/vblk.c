/*
 * A disk behind a virtio device [VIRTIO 5.2]: takes requests when it likes, finishes them in any
 * order, sleeps and must be notified then.
 */
#include <stdlib.h>
#include <string.h>
#include "models/virtio.h"

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
enum { F_RO = 5, F_FLUSH = 9, F_MQ = 12 };

struct header {
	u32 type, reserved;
	u64 sector;
};

static const char *shape_fault(const struct vblk_model *b, const struct vm_chain *c)
{
	const struct header *h = (const struct header *)c->buf[0].p;
	unsigned int last = c->n - 1;

	if (c->n < 2 || c->buf[0].write || c->buf[0].len != sizeof(*h) || !c->buf[last].write ||
	    c->buf[last].len != 1)
		return "without header or status";
	if (h->reserved || (h->type == T_FLUSH && h->sector))
		return "with reserved fields that are not 0";
	if (h->type == T_FLUSH && !(b->vm.accepted >> F_FLUSH & 1))
		return "to flush, which was not agreed on";
	for (unsigned int i = 1; i < last; i++)
		if (c->buf[i].len % 512 || c->buf[i].write != (h->type == T_IN))
			return "with data of a part of a sector, or of the wrong direction";
	return NULL;
}

static bool check_shape(const struct vblk_model *b, struct vm_queue *q, const struct vm_chain *c)
{
	const char *fault = shape_fault(b, c);

	if (!fault)
		return true;
	model_violation("vblk model: a request of %u buffers %s", c->n, fault);
	q->broken = true;
	return false;
}

/* Moves the data; returns the status, *written the bytes put into the driver's buffers. */
static u8 transfer(struct vblk_model *b, const struct vm_chain *c, u32 *written)
{
	const struct header *h = (const struct header *)c->buf[0].p;
	u64 at = h->sector * 512;

	if (b->fail_next) {
		b->fail_next--;
		return S_IOERR;
	}
	if (h->type == T_FLUSH) {
		b->flushes++;
		return S_OK;
	}
	if (h->type != T_IN && h->type != T_OUT)
		return S_UNSUPP;
	for (unsigned int i = 1; i + 1 < c->n; i++) {
		if (at + c->buf[i].len > b->sectors * 512 || (b->read_only && h->type == T_OUT))
			return S_IOERR;
		if (h->type == T_IN) {
			memcpy(c->buf[i].p, b->disk + at, c->buf[i].len);
			*written += c->buf[i].len;
		} else {
			memcpy(b->disk + at, c->buf[i].p, c->buf[i].len);
		}
		at += c->buf[i].len;
	}
	return S_OK;
}

/* Memory is looked at once more: it must still be the driver's to lend. */
static void complete_one(struct vblk_model *b, unsigned int i)
{
	struct vm_chain c = b->flying[i].c;
	struct vm_queue *q = b->flying[i].q;
	u32 written = 0;
	u8 status;

	b->flying[i] = b->flying[--b->nr_flying];
	for (unsigned int n = 0; n < c.n; n++)
		if (!host_dma_ok((u64)c.buf[n].p, c.buf[n].len)) {
			model_violation("vblk model: buffer %u in flight was freed", n);
			return;
		}
	status = transfer(b, &c, &written);
	*c.buf[c.n - 1].p = status;
	b->served++;
	vring_model_push(&b->vm, q, &c, written + 1);
}

/* Takes a request, or goes to sleep; whether it took one. */
static bool look_at_queue(struct vblk_model *b, struct vm_queue *q)
{
	struct vm_chain c;

	if (!q->enabled || b->nr_flying == VBLK_IN_FLIGHT)
		return false;
	if (__atomic_exchange_n(&q->notified, 0, __ATOMIC_SEQ_CST))
		q->awake = true;
	if (!q->awake)
		return false;
	if (!vring_model_pop(&b->vm, q, &c))
		return vring_model_sleep(&b->vm, q);
	if (!check_shape(b, q, &c))
		return false;
	b->flying[b->nr_flying].q = q;
	b->flying[b->nr_flying++].c = c;
	return true;
}

bool vblk_model_step(void *arg)
{
	struct vblk_model *b = arg;
	bool any = false;

	if (b->resets != b->vm.resets)
		b->nr_flying = 0;		/* a reset device touches no memory */
	b->resets = b->vm.resets;
	if (b->vm.dead || !(b->vm.status & 4))
		return false;
	for (unsigned int i = 0; i < b->vm.nr_queues; i++)
		if (host_random(&b->random) % 2)
			any |= look_at_queue(b, &b->vm.queue[i]);
	while (b->nr_flying && host_random(&b->random) % 2) {
		complete_one(b, host_random(&b->random) % b->nr_flying);
		any = true;
	}
	if (any || b->nr_flying)
		return true;
	for (unsigned int i = 0; i < b->vm.nr_queues; i++)	/* chance passed them over */
		any |= look_at_queue(b, &b->vm.queue[i]);
	return any;
}

/* capacity, size_max, seg_max, geometry, blk_size, topology, writeback, num_queues; behind those,
 * what only features give that the model does not have [VIRTIO 5.2.4] */
static const struct vm_field fields[] = {
	{ 0, 8, 0 }, { 8, 4, 1 }, { 12, 4, 2 }, { 16, 2, 4 }, { 18, 1, 4 }, { 19, 1, 4 },
	{ 20, 4, 6 }, { 24, 1, 10 }, { 25, 1, 10 }, { 26, 2, 10 }, { 28, 4, 10 }, { 32, 1, 11 },
	{ 34, 2, F_MQ }, { 36, 4, 13 }, { 40, 4, 13 }, { 44, 4, 13 }, { 48, 4, 14 }, { 52, 4, 14 },
	{ 56, 1, 14 }, { 0, 0, 0 },
};

void vblk_model_init(struct vblk_model *b, u64 sectors, unsigned int nr_queues, u16 size,
		     u64 offered, u64 seed)
{
	free(b->disk);
	memset(b, 0, sizeof(*b));
	b->disk = malloc(sectors * 512);
	b->sectors = sectors;
	b->random = seed;
	for (u64 i = 0; i < sectors * 64; i++)
		((u64 *)b->disk)[i] = i / 64 ^ seed;
	b->vm.type = 2;
	b->vm.offered = offered | BIT(F_FLUSH) | BIT(F_MQ);
	b->vm.nr_queues = nr_queues;
	for (unsigned int i = 0; i < nr_queues; i++)
		b->vm.queue[i].max = size;
	b->vm.config_len = 60;
	b->vm.fields = fields;
	memcpy(b->vm.config, &sectors, 8);
	b->vm.config[34] = nr_queues;
}

void vblk_model_add(struct vblk_model *b, u8 slot, unsigned int rows)
{
	if (b->read_only)
		b->vm.offered |= BIT(F_RO);
	virtio_model_add(&b->vm, slot, rows);
	host_poll_add(vblk_model_step, b);
}
