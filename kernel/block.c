/*
 * Block devices: the list of disks, and requests that somebody waits for.
 *
 *	blk_read()  ->  pieces the device can take  ->  submit  ...  interrupt  ->  done()  ->  wake
 *
 * A device that does not answer is stopped before its waiter returns: until then it could still
 * write to the buffer, which the waiter is about to free.
 */
#include <kernel/block.h>
#include <kernel/printk.h>

static struct block_device *disks;	/* by number */
static unsigned int next_disk;

/* ---- The list ------------------------------------------------------------------------------- */

void blk_register(struct block_device *b)
{
	struct block_device **end = &disks;

	while (*end)
		end = &(*end)->next;
	if (!disks)
		next_disk = 0;
	b->disk = next_disk++;
	b->next = NULL;
	*end = b;
}

void blk_unregister(struct block_device *b)
{
	struct block_device **link = &disks;

	while (*link && *link != b)
		link = &(*link)->next;
	if (*link)
		*link = b->next;
}

struct block_device *blk_next(struct block_device *b)
{
	return b ? b->next : disks;
}

struct block_device *blk_get(unsigned int disk)
{
	struct block_device *b = disks;

	while (b && b->disk != disk)
		b = b->next;
	return b;
}

/* ---- Waiting -------------------------------------------------------------------------------- */

static const char *op_name(enum blk_op op)
{
	return op == BLK_READ ? "read" : op == BLK_WRITE ? "write" : "flush";
}

void blk_timed_out(struct block_device *b, const struct blk_request *req)
{
	pr_err("disk %u (%s): no answer from queue %u in %u s to: %s of %u sectors at %llu; "
	       "the disk is off from now on", b->disk, b->bus_name, req->queue,
	       (unsigned int)(BLK_TIMEOUT_NS / NSEC_PER_SEC), op_name(req->op), req->nsectors,
	       (unsigned long long)req->lba);
	b->ops->abort(b);
}

static void wake_waiter(struct blk_request *req)
{
	complete(req->arg);
}

static int submit_and_wait(struct block_device *b, struct blk_request *req)
{
	struct completion answered;

	init_completion(&answered);
	req->done = wake_waiter;
	req->arg = &answered;
	b->ops->submit(b, req);
	if (!wait_for_completion_timeout(&answered, BLK_TIMEOUT_NS))
		return req->status;
	blk_timed_out(b, req);
	wait_for_completion(&answered);
	return -ETIMEDOUT;
}

static int transfer(struct block_device *b, enum blk_op op, u64 lba, char *buf, u64 nsectors)
{
	u64 sectors = blk_sectors(b);

	if (lba > sectors || nsectors > sectors - lba)
		return -EINVAL;
	while (nsectors) {
		struct blk_request req = {
			.op = op, .lba = lba, .buf = buf,
			.nsectors = min(nsectors, (u64)b->max_sectors),
		};
		int err = submit_and_wait(b, &req);

		if (err)
			return err;
		lba += req.nsectors;
		buf += (size_t)req.nsectors * SECTOR_SIZE;
		nsectors -= req.nsectors;
	}
	return 0;
}

int blk_read(struct block_device *b, u64 lba, void *buf, u64 nsectors)
{
	return transfer(b, BLK_READ, lba, buf, nsectors);
}

int blk_write(struct block_device *b, u64 lba, const void *buf, u64 nsectors)
{
	return b->read_only ? -EPERM : transfer(b, BLK_WRITE, lba, (char *)buf, nsectors);
}

int blk_flush(struct block_device *b)
{
	struct blk_request req = { .op = BLK_FLUSH };

	return submit_and_wait(b, &req);
}
