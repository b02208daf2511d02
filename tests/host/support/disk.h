/*
 * What tests of every PCI disk's driver do: random I/O against a copy of the contents, many requests
 * in flight at once, drivers that come and go. Sector n of a fresh model begins with n ^ its seed.
 */
#ifndef TESTS_HOST_DISK_H
#define TESTS_HOST_DISK_H

#include <kernel/block.h>

#define DISK_SECTORS	4096UL
#define DISK_MANY	400

struct disk_model {
	const char *kind;		/* as in blk_get() */
	unsigned int most;		/* sectors in one request of random I/O */
	u8 *const *contents;
	bool (*step)(void *model);	/* it does one thing, if there is one to do */
	void *model;
};
/* The machine's disk; its seed is random_seed(), except for disk_io(). */
extern const struct disk_model *disk_model;

struct block_device *the_disk(void);	/* must be there */
struct block_device *disk_of(unsigned int n);
bool disk_is_there(void);

/* Reads, writes and flushes at random, from all CPUs, to and from any multiple of four bytes. */
void disk_io(u64 *r, unsigned int steps);
/* As long as *DEAF the model does nothing: the driver waits its time, gives up for good, names the
 * function, and lets go of the buffer. */
void assert_given_up(bool *deaf);

/* DISK_MANY reads from all CPUs, some of which the model serves meanwhile. */
void disk_submit_many(u64 *r);
/* Each is complete, once: with its sector, or with ERROR. Returns how many have their sector. */
unsigned int disk_many_read(int error);

/* Drivers leave all devices of the bus. */
void disk_remove(void);
/* For fail_each(): drivers are probed; was the disk there? Then they leave again. */
bool disk_comes_and_goes(void *unused);

#endif
