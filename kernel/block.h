/*
 * Block devices: disks of 512-byte sectors. Those of one kind are numbered from 0 in the order they
 * are found, and the shell's command for them has the kind's name (see <kernel/cmd-blk.h>). A disk
 * may go at any time; the next one of its kind gets the lowest number that is free.
 *
 * A request is given to the device and completes by interrupt; blk_read() and its kin wait for
 * that, a bounded time. Buffers are ordinary memory of the kernel.
 */
#ifndef KERNEL_BLOCK_H
#define KERNEL_BLOCK_H

#include <kernel/thread.h>
#include <lib/errno.h>

#define SECTOR_SIZE	512
#define SECTOR_SHIFT	9
#define BLK_TIMEOUT_NS	(30 * NSEC_PER_SEC)

enum blk_op { BLK_READ, BLK_WRITE, BLK_FLUSH };

struct blk_request {
	enum blk_op op;
	u64 lba;
	u32 nsectors;
	void *buf;
	int status;			/* 0, -EIO, -EOPNOTSUPP, -EPERM; valid in done() */
	u32 queue;			/* where the driver put it, for messages */
	/* Called exactly once per submission, any context, perhaps before it returns. The request
	 * and its buffer are the owner's again. */
	void (*done)(struct blk_request *req);
	void *arg;			/* the owner's */
	struct list_head link;		/* the driver's */
	struct block_device *disk;	/* the driver's */
};

struct block_device;
struct block_ops {
	/* Any context. Never fails: errors come by done(). */
	void (*submit)(struct block_device *b, struct blk_request *req);
	/* Stops the device for good; every request it has is then done(), failed. Any context. */
	void (*abort)(struct block_device *b);
};

struct block_device {
	const struct block_ops *ops;
	const char *kind;		/* "blk", "nvme" */
	const char *bus_name;		/* "00:01.0" */
	unsigned int disk, queues;
	u64 sectors;			/* atomic: may change */
	u32 max_sectors;		/* of one request */
	bool read_only;
	struct block_device *next;	/* of a kind: by number */
	unsigned int users;		/* between blk_get() and blk_put() */
	bool gone;			/* forgotten */
	struct completion unused;	/* the last user of a forgotten disk has left */
};

/* Numbers the disk and makes it known. Thread context, as the rest. */
void blk_register(struct block_device *b);
/* Forgets it, aborts what it has, and waits until its users, who see nothing but errors from now
 * on, have put it: afterwards B may be freed. */
void blk_unregister(struct block_device *b);
/* The disk, which stays until blk_put() even if it is pulled out; NULL: none. */
struct block_device *blk_get(const char *kind, unsigned int disk);
void blk_put(struct block_device *b);
/* Puts B and gets the one of KIND after it (NULL: the first); NULL at the end. */
struct block_device *blk_next(const char *kind, struct block_device *b);

static inline u64 blk_sectors(const struct block_device *b)
{
	return __atomic_load_n(&b->sectors, __ATOMIC_RELAXED);
}

/*
 * Thread context, sleeping. 0; -EINVAL (beyond the end, before anything is done), -EPERM (disk is
 * read-only), -EIO, -ETIMEDOUT (no answer in BLK_TIMEOUT_NS: said, and the disk is off from then).
 */
int blk_read(struct block_device *b, u64 lba, void *buf, u64 nsectors);
int blk_write(struct block_device *b, u64 lba, const void *buf, u64 nsectors);
int blk_flush(struct block_device *b);
/* A request of somebody's has not been answered: says so and aborts. Thread context. */
void blk_timed_out(struct block_device *b, const struct blk_request *req);

/* ---- For drivers: a queue of a device. Locked by the driver, but for blk_finish(). ----------- */

/* Room for one request; around it, what the device needs for one beside the data. */
struct blk_slot {
	struct blk_request *req;	/* that is out; NULL: free */
	struct blk_slot *next;		/* free, too */
};

struct blk_queue {
	struct blk_slot *free;
	struct list_head waiting;	/* requests that found no room */
	/* Gives the device REQ, which gets SLOT; false if it has no room now. */
	bool (*start)(struct blk_queue *q, struct blk_slot *slot, struct blk_request *req);
};

void blk_queue_init(struct blk_queue *q, bool (*start)(struct blk_queue *q, struct blk_slot *slot,
						       struct blk_request *req));
void blk_queue_add_slot(struct blk_queue *q, struct blk_slot *slot);
/* Starts what waits, as long as there is room; true if that was any. */
bool blk_queue_start(struct blk_queue *q);
/* The request in SLOT has ended so: moves it to FINISHED. */
void blk_queue_end(struct blk_queue *q, struct blk_slot *slot, int status,
		   struct list_head *finished);
/* And all that waits with -EIO. */
void blk_queue_fail_waiting(struct blk_queue *q, struct list_head *finished);
/* Calls done() of each, which may submit the next request. */
void blk_finish(struct list_head *finished);

#endif
