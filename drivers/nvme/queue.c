/*
 * NVMe queues. A queue is a pair of rings in memory, each with a doorbell register:
 *
 *	submission ring   [cmd][cmd][   ][   ]    we write, and ring its tail
 *	completion ring   [ 1 ][ 1 ][ 0 ][ 0 ]    the device writes; we take, and ring its head
 *
 * Nothing tells how far the device has written but the phase bit of each entry: it is 1 in the
 * first round through the ring, 0 in the second, and so on, so that an entry is new when its bit
 * is that of our round. At most DEPTH - 1 commands are out at a time, so neither ring overflows.
 * Manual: [NVME 3.1.16, 3.1.17, 4.1, 4.6].
 */
#include <drivers/nvme/nvme.h>
#include <kernel/io.h>
#include <string.h>

#define PHASE	1

/* ---- Rings (locked) ------------------------------------------------------------------------- */

void nvme_queue_push(struct nvme_queue *q, const struct nvme_command *cmd)
{
	q->sq[q->sq_tail] = *cmd;
	q->sq_tail = (q->sq_tail + 1) % q->depth;
}

/* writel() keeps the commands in front of the doorbell. */
void nvme_queue_ring(struct nvme_queue *q)
{
	writel(q->sq_tail, q->sq_doorbell);
}

bool nvme_queue_pop(struct nvme_queue *q, struct nvme_completion *entry)
{
	const struct nvme_completion *next = &q->cq[q->cq_head];

	if ((__atomic_load_n(&next->status.raw, __ATOMIC_RELAXED) & PHASE) != q->phase)
		return false;
	dma_rmb();			/* the phase before the rest of the entry */
	*entry = *next;
	if (++q->cq_head == q->depth) {
		q->cq_head = 0;
		q->phase ^= PHASE;
	}
	return true;
}

void nvme_queue_ack(struct nvme_queue *q)
{
	writel(q->cq_head, q->cq_doorbell);
}

/* ---- Coming and going ----------------------------------------------------------------------- */

/* Tail and head doorbells alternate, at a distance that the device chooses. [NVME 3.1.16] */
static void *doorbell(const struct nvme *ctrl, unsigned int n)
{
	unsigned int stride = 4U << (ctrl->cap >> 32 & 0xf);

	return ctrl->regs + NVME_DOORBELLS + n * stride;
}

static int create_slots(struct nvme_queue *q)
{
	struct device *dev = &q->ctrl->pci->dev;

	q->slot = kcalloc(q->depth - 1, sizeof(*q->slot));
	q->prps = dma_alloc_coherent(dev, q->depth * NVME_PRPS * sizeof(*q->prps), &q->prps_dma);
	if (!q->slot || !q->prps)
		return -ENOMEM;
	for (unsigned int n = 0; n + 1U < q->depth; n++)
		blk_queue_add_slot(&q->blk, &q->slot[n]);
	return 0;
}

int nvme_queue_create(struct nvme *ctrl, u16 id, u16 depth)
{
	struct nvme_queue *q = &ctrl->queue[id];
	struct device *dev = &ctrl->pci->dev;

	*q = (struct nvme_queue){ .ctrl = ctrl, .id = id, .depth = depth, .phase = PHASE };
	blk_queue_init(&q->blk, nvme_start_request);
	q->sq_doorbell = doorbell(ctrl, 2 * id);
	q->cq_doorbell = doorbell(ctrl, 2 * id + 1);
	q->sq = dma_alloc_coherent(dev, depth * sizeof(*q->sq), &q->sq_dma);
	q->cq = dma_alloc_coherent(dev, depth * sizeof(*q->cq), &q->cq_dma);
	if (!q->sq || !q->cq || (id && create_slots(q))) {
		nvme_queue_destroy(q);
		return -ENOMEM;
	}
	return 0;
}

void nvme_queue_destroy(struct nvme_queue *q)
{
	struct device *dev = &q->ctrl->pci->dev;

	dma_free_coherent(dev, q->depth * sizeof(*q->sq), q->sq, q->sq_dma);
	dma_free_coherent(dev, q->depth * sizeof(*q->cq), q->cq, q->cq_dma);
	dma_free_coherent(dev, q->depth * NVME_PRPS * sizeof(*q->prps), q->prps, q->prps_dma);
	kfree(q->slot);
	memset(q, 0, sizeof(*q));
}
