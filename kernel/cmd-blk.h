/* blk: shared by cmd-blk.c and blk-stress.c. */
#ifndef KERNEL_CMD_BLK_H
#define KERNEL_CMD_BLK_H

#include <kernel/block.h>

/* READS verified random reads from the CPUs ON, the same ones for the same SEED. Shell thread;
 * prints its result. 0 or a negative errno (said). */
int blk_stress(struct block_device *b, u64 reads, u64 seed, const struct cpumask *on);

#endif
