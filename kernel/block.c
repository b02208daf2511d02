/*
 * Block devices: the list of disks, and requests that somebody waits for.
 *
 *	blk_read()  ->  pieces the device can take  ->  submit  ...  interrupt  ->  done()  ->  wake
 *
 * A device that does not answer is stopped before its waiter returns: until then it could still
 * write to the buffer, which the waiter is about to free.
 *
 * A driver keeps a queue's requests in slots, one for each that the device has; what finds none
 * free waits until one comes back.
 */
#include <kernel/block.h>
#include <kernel/printk.h>
#include <string.h>

#define PATIENCE_NS	(10 * NSEC_PER_SEC)

static struct block_device *disks;	/* of all kinds; of each by number */
static struct mutex disks_lock = MUTEX_INIT(disks_lock);	/* and users */

/* ---- The list ------------------------------------------------------------------------------- */

void blk_register(struct block_device *b)
{
	struct block_device **link = &disks;

	b->disk = b->users = 0;
	init_completion(&b->unused);
	mutex_lock(&disks_lock);
	for (; *link; link = &(*link)->next) {
		if (strcmp((*link)->kind, b->kind))
			continue;
		if ((*link)->disk != b->disk)
			break;
		b->disk++;
	}
	b->next = *link;
	*link = b;
	mutex_unlock(&disks_lock);
}

void blk_unregister(struct block_device *b)
{
	struct block_device **link = &disks;

	mutex_lock(&disks_lock);
	while (*link && *link != b)
		link = &(*link)->next;
	if (*link)
		*link = b->next;
	b->gone = true;
	b->users++;			/* ours, so that somebody is the last one */
	mutex_unlock(&disks_lock);
	b->ops->abort(b);
	blk_put(b);
	while (wait_for_completion_timeout(&b->unused, PATIENCE_NS))
		pr_warn("disk %u (%s) is gone, but somebody still uses it", b->disk, b->bus_name);
}

/* The first disk of KIND from number FROM on. */
static struct block_device *get_from(const char *kind, unsigned int from)
{
	struct block_device *b;

	mutex_lock(&disks_lock);
	for (b = disks; b && (b->disk < from || strcmp(b->kind, kind)); )
		b = b->next;
	if (b)
		b->users++;
	mutex_unlock(&disks_lock);
	return b;
}

void blk_put(struct block_device *b)
{
	mutex_lock(&disks_lock);
	if (!--b->users && b->gone)
		complete(&b->unused);
	mutex_unlock(&disks_lock);
}

struct block_device *blk_next(const char *kind, struct block_device *b)
{
	struct block_device *next = get_from(kind, b ? b->disk + 1 : 0);

	if (b)
		blk_put(b);
	return next;
}

struct block_device *blk_get(const char *kind, unsigned int disk)
{
	struct block_device *b = get_from(kind, disk);

	if (!b || b->disk == disk)
		return b;
	blk_put(b);
	return NULL;
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

/* ---- A driver's queue ----------------------------------------------------------------------- */

void blk_queue_init(struct blk_queue *q, bool (*start)(struct blk_queue *q, struct blk_slot *slot,
						       struct blk_request *req))
{
	q->free = NULL;
	q->start = start;
	INIT_LIST_HEAD(&q->waiting);
}

void blk_queue_add_slot(struct blk_queue *q, struct blk_slot *slot)
{
	slot->req = NULL;
	slot->next = q->free;
	q->free = slot;
}

bool blk_queue_start(struct blk_queue *q)
{
	bool any = false;

	for (struct blk_slot *slot; (slot = q->free) && !list_empty(&q->waiting); any = true) {
		struct blk_request *req = list_first_entry(&q->waiting, struct blk_request, link);

		if (!q->start(q, slot, req))
			break;
		q->free = slot->next;
		slot->req = req;
		list_del_init(&req->link);
	}
	return any;
}

static void end(struct blk_request *req, int status, struct list_head *finished)
{
	req->status = status;
	list_add_tail(&req->link, finished);
}

void blk_queue_end(struct blk_queue *q, struct blk_slot *slot, int status,
		   struct list_head *finished)
{
	end(slot->req, status, finished);
	blk_queue_add_slot(q, slot);
}

void blk_queue_fail_waiting(struct blk_queue *q, struct list_head *finished)
{
	struct blk_request *req, *next;

	list_for_each_entry_safe(req, next, &q->waiting, link) {
		list_del_init(&req->link);
		end(req, -EIO, finished);
	}
}

void blk_finish(struct list_head *finished)
{
	struct blk_request *req, *next;

	list_for_each_entry_safe(req, next, finished, link) {
		list_del_init(&req->link);
		req->done(req);
	}
}
