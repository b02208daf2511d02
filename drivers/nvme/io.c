/*
 * NVMe reads, writes and flushes, each on the queue of the CPU that asks.
 *
 *	request -> slot (its index is the command id) -> command { LBA, blocks, memory } -> ring
 *	done()  <- slot                               <- entry { command id, status } <- interrupt
 *
 * The memory is told as PRPs, physical region pages: the first entry may begin within a page, the
 * others are whole pages; two fit into the command, for more the second one points to a list. What
 * finds no slot waits until one comes back. Completion is by interrupt only.
 * Manual: [NVME 4.3, 6.8, 6.9, 6.15].
 */
#include <drivers/nvme/nvme.h>

enum { NVME_FLUSH = 0, NVME_WRITE = 1, NVME_READ = 2 };

#define STATUS_INVALID_OPCODE	0x001
#define STATUS_WRITE_PROTECTED	0x020
#define MAX_SAID		10	/* errors of a controller printed in full */

static struct nvme_disk *to_disk(struct block_device *block)
{
	return container_of(block, struct nvme_disk, block);
}

/* ---- Completion ----------------------------------------------------------------------------- */

static void report(struct nvme *ctrl, const struct blk_request *req, unsigned int status)
{
	static const char *const verb[] = { "read", "write", "flush" };
	u32 n = __atomic_fetch_add(&ctrl->errors, 1, __ATOMIC_RELAXED);

	if (n < MAX_SAID)
		nvme_err(ctrl, "namespace %u, %s of %u sectors at %llu: %s (0x%03x)%s",
			 to_disk(req->disk)->nsid, verb[req->op], req->nsectors,
			 (unsigned long long)req->lba, nvme_status_name(status),
			 status & NVME_STATUS_CODE,
			 n + 1 == MAX_SAID ? "; its further errors are not printed" : "");
}

static int result(struct nvme *ctrl, const struct blk_request *req, unsigned int status)
{
	if (!status)
		return 0;
	report(ctrl, req, status);
	switch (status & NVME_STATUS_CODE) {
	case STATUS_INVALID_OPCODE:	return -EOPNOTSUPP;
	case STATUS_WRITE_PROTECTED:	return -EPERM;
	default:			return -EIO;
	}
}

/* False: that command was not out. Locked. */
static bool take(struct nvme_queue *q, const struct nvme_completion *entry,
		 struct list_head *finished)
{
	unsigned int cid = le16_to_cpu(entry->cid);

	if (cid + 1 >= q->depth || !q->slot[cid].req) {
		nvme_err(q->ctrl, "queue %u: the device finished command %u, which it was not "
			 "given; it is stopped", q->id, cid);
		return false;
	}
	blk_queue_end(&q->blk, &q->slot[cid],
		      result(q->ctrl, q->slot[cid].req, NVME_STATUS(entry)), finished);
	return true;
}

/* ---- Submission ----------------------------------------------------------------------------- */

/* [NVME 4.3] */
static void set_data(struct nvme_queue *q, unsigned int cid, struct nvme_command *cmd,
		     const struct blk_request *req)
{
	u32 len = req->nsectors * SECTOR_SIZE, n = 0;
	dma_addr_t dma = dma_map(&q->ctrl->pci->dev, req->buf, len), end = dma + len;
	dma_addr_t page = ALIGN_DOWN(dma, PAGE_SIZE) + PAGE_SIZE;
	le64 *list = &q->prps[cid * NVME_PRPS];

	cmd->prp1 = cpu_to_le64(dma);
	if (end <= page)
		return;
	if (end <= page + PAGE_SIZE) {
		cmd->prp2 = cpu_to_le64(page);
		return;
	}
	for (; page < end; page += PAGE_SIZE)
		list[n++] = cpu_to_le64(page);
	cmd->prp2 = cpu_to_le64(q->prps_dma + cid * NVME_PRPS * sizeof(*list));
}

bool nvme_start_request(struct blk_queue *blk, struct blk_slot *slot, struct blk_request *req)
{
	static const u8 opcode[] = {
		[BLK_READ] = NVME_READ,
		[BLK_WRITE] = NVME_WRITE,
		[BLK_FLUSH] = NVME_FLUSH,
	};
	struct nvme_queue *q = container_of(blk, struct nvme_queue, blk);
	struct nvme_command cmd = {
		.opcode = opcode[req->op],
		.cid = cpu_to_le16(slot - q->slot),
		.nsid = cpu_to_le32(to_disk(req->disk)->nsid),
	};

	if (req->op != BLK_FLUSH) {
		set_data(q, slot - q->slot, &cmd, req);
		cmd.cdw10 = cpu_to_le32((u32)req->lba);
		cmd.cdw11 = cpu_to_le32(req->lba >> 32);
		cmd.cdw12 = cpu_to_le32(req->nsectors - 1);
	}
	nvme_queue_push(q, &cmd);
	return true;
}

/* nvme_close() waits for whoever has seen it open. Locked. */
static void start_waiting(struct nvme_queue *q)
{
	if (nvme_is_open(q->ctrl) && blk_queue_start(&q->blk))
		nvme_queue_ring(q);
}

/* A data pointer has its two lowest bits clear. [NVME 4.3] */
static int check(const struct nvme *ctrl, const struct blk_request *req)
{
	if (!nvme_is_open(ctrl))
		return -EIO;
	return req->op != BLK_FLUSH && (uintptr_t)req->buf % 4 ? -EINVAL : 0;
}

static void nvme_submit(struct block_device *block, struct blk_request *req)
{
	struct nvme *ctrl = to_disk(block)->ctrl;
	unsigned long irqs = arch_local_irq_save();
	struct nvme_queue *q = &ctrl->queue[ctrl->queue_of[smp_processor_id()]];
	int err;

	spin_lock(&q->lock);
	req->disk = block;
	req->queue = q->id;
	req->status = err = check(ctrl, req);
	if (!err) {
		list_add_tail(&req->link, &q->blk.waiting);
		start_waiting(q);
	}
	spin_unlock_irqrestore(&q->lock, irqs);
	if (err)
		req->done(req);
}

/* ---- The end -------------------------------------------------------------------------------- */

static void fail_queue(struct nvme_queue *q, struct list_head *finished)
{
	unsigned long flags = spin_lock_irqsave(&q->lock);

	for (unsigned int n = 0; n + 1U < q->depth; n++)
		if (q->slot[n].req)
			blk_queue_end(&q->blk, &q->slot[n], -EIO, finished);
	blk_queue_fail_waiting(&q->blk, finished);
	spin_unlock_irqrestore(&q->lock, flags);
}

void nvme_close(struct nvme *ctrl)
{
	__atomic_store_n(&ctrl->closed, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < ctrl->nr_queues; i++) {
		unsigned long flags = spin_lock_irqsave(&ctrl->queue[i].lock);

		/* whoever has seen it open is done */
		spin_unlock_irqrestore(&ctrl->queue[i].lock, flags);
	}
}

void nvme_fail(struct nvme *ctrl)
{
	LIST_HEAD(finished);

	if (__atomic_exchange_n(&ctrl->broken, true, __ATOMIC_ACQ_REL))
		return;
	nvme_close(ctrl);		/* no doorbell is rung after it has been stopped */
	nvme_halt(ctrl);
	nvme_admin_abort(ctrl);
	for (unsigned int i = 1; i < ctrl->nr_queues; i++)
		fail_queue(&ctrl->queue[i], &finished);
	blk_finish(&finished);
}

static void nvme_abort(struct block_device *block)
{
	nvme_fail(to_disk(block)->ctrl);
}

const struct block_ops nvme_block_ops = {
	.submit = nvme_submit,
	.abort = nvme_abort,
};

/* ---- Interrupts ----------------------------------------------------------------------------- */

bool nvme_drain_io(struct nvme_queue *q)
{
	unsigned long flags = spin_lock_irqsave(&q->lock);
	struct nvme_completion entry;
	LIST_HEAD(finished);
	bool good = true, any = false;

	while (!nvme_is_broken(q->ctrl) && good && nvme_queue_pop(q, &entry)) {
		good = take(q, &entry, &finished);
		any = true;
	}
	if (any && good) {
		nvme_queue_ack(q);
		start_waiting(q);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	blk_finish(&finished);
	if (!good)
		nvme_fail(q->ctrl);
	return any;
}
