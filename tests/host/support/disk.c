/* I/O of any disk: see disk.h. */
#include <drivers/pci/internals.h>
#include <kernel/mm.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"
#include "support/board.h"
#include "support/disk.h"
#include "support/random.h"
#include "support/rec.h"

const struct disk_model *disk_model;

struct block_device *disk_of(unsigned int n)
{
	struct block_device *b = blk_get(disk_model->kind, n);

	assert_non_null(b);
	blk_put(b);			/* stays: nobody removes it meanwhile */
	return b;
}

struct block_device *the_disk(void)
{
	return disk_of(0);
}

bool disk_is_there(void)
{
	struct block_device *b = blk_get(disk_model->kind, 0);

	if (b)
		blk_put(b);
	return b;
}

/* ---- Waiting I/O ----------------------------------------------------------------------------- */

static void random_io(struct block_device *b, u8 *buf, u8 *shadow, u64 n, u64 *r)
{
	u64 lba = host_random(r) % (DISK_SECTORS - n + 1), bytes = n * SECTOR_SIZE;

	switch (host_random(r) % 5) {
	case 0:
		for (u64 k = 0; k < bytes; k++)
			buf[k] = host_random(r);
		memcpy(shadow + lba * SECTOR_SIZE, buf, bytes);
		assert_int_equal(blk_write(b, lba, buf, n), 0);
		break;
	case 1:
		assert_int_equal(blk_flush(b), 0);
		break;
	default:
		memset(buf, 0xee, bytes);
		assert_int_equal(blk_read(b, lba, buf, n), 0);
		assert_memory_equal(buf, shadow + lba * SECTOR_SIZE, bytes);
	}
}

void disk_io(u64 *r, unsigned int steps)
{
	const unsigned int shift = 4 * SECTOR_SIZE;	/* of a buffer's beginning, in words */
	u8 *mem = kmalloc(disk_model->most * SECTOR_SIZE + 4 * shift);
	u8 *shadow = malloc(DISK_SECTORS * SECTOR_SIZE);

	memcpy(shadow, *disk_model->contents, DISK_SECTORS * SECTOR_SIZE);
	for (unsigned int i = 0; i < steps; i++) {
		u64 n = 1 + host_random(r) % (i % 8 ? 20 : disk_model->most);

		host_set_cpu(host_random(r) % BOARD_HARTS);
		random_io(the_disk(), mem + 4 * (host_random(r) % shift), shadow, n, r);
	}
	assert_memory_equal(*disk_model->contents, shadow, DISK_SECTORS * SECTOR_SIZE);
	host_set_cpu(0);
	free(shadow);
	kfree(mem);
}

void assert_given_up(bool *deaf)
{
	u8 *buf = kmalloc(SECTOR_SIZE);
	u64 before = ktime_get_ns();

	*deaf = true;
	host_printk();
	assert_int_equal(blk_read(the_disk(), 0, buf, 1), -ETIMEDOUT);
	assert_in_range(ktime_get_ns() - before, BLK_TIMEOUT_NS, 2 * BLK_TIMEOUT_NS);
	assert_true(logged("00:01.0"));
	kfree(buf);			/* the device may not touch it any more */
	*deaf = false;
	host_run_deferred();
	buf = kmalloc(SECTOR_SIZE);
	before = ktime_get_ns();
	assert_int_equal(blk_read(the_disk(), 0, buf, 1), -EIO);
	assert_true(ktime_get_ns() - before < NSEC_PER_SEC);
	kfree(buf);
}

/* ---- Many in flight -------------------------------------------------------------------------- */

static struct {
	struct blk_request req;
	u8 *buf;
	unsigned int done;
} many[DISK_MANY];

static void many_done(struct blk_request *req)
{
	many[req->lba].done++;
}

void disk_submit_many(u64 *r)
{
	struct block_device *b = the_disk();

	for (unsigned int i = 0; i < DISK_MANY; i++) {
		host_set_cpu(host_random(r) % BOARD_HARTS);
		many[i].buf = kmalloc(SECTOR_SIZE);
		many[i].done = 0;
		many[i].req = (struct blk_request){ .op = BLK_READ, .lba = i, .nsectors = 1,
						    .buf = many[i].buf, .done = many_done };
		b->ops->submit(b, &many[i].req);
		if (host_random(r) % 8 == 0)
			disk_model->step(disk_model->model);
	}
	host_set_cpu(0);
}

unsigned int disk_many_read(int error)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < DISK_MANY; i++) {
		assert_int_equal(many[i].done, 1);
		if (many[i].req.status) {
			assert_int_equal(many[i].req.status, error);
		} else {
			assert_int_equal(*(u64 *)many[i].buf, i ^ random_seed());
			good++;
		}
		kfree(many[i].buf);
	}
	return good;
}

/* ---- Coming and going ------------------------------------------------------------------------ */

static struct pci_bus *root_bus(void)
{
	return list_first_entry(&pci_hosts, struct pci_host, link)->root;
}

void disk_remove(void)
{
	devices_lock();
	pci_remove_devices(root_bus());
	devices_unlock();
	host_run_deferred();
}

bool disk_comes_and_goes(void *unused)
{
	bool there;
	int err;

	(void)unused;
	devices_lock();
	err = pci_add_devices(root_bus());
	devices_unlock();
	there = !err && disk_is_there();
	if (!err)
		disk_remove();
	return there;
}
