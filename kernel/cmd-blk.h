/*
 * Shell commands for disks: info, sum, fill, stress. One command serves the disks of one kind and
 * has its name; the driver of another kind than "blk" registers it.
 */
#ifndef KERNEL_CMD_BLK_H
#define KERNEL_CMD_BLK_H

#include <kernel/block.h>

/* What such a command runs, and how it is used. */
int disk_command(int argc, char **argv);
#define DISK_USAGE(name)									\
	name " info [--json]\n"									\
	name " sum LBA COUNT [--disk N] [--json]\n"						\
	name " fill LBA COUNT SEED [--disk N] [--json]\n"					\
	name " stress N [--disk N] [--seed N] [--cpu N] [--json]"

/* READS verified random reads from the CPUs ON, the same ones for the same SEED. Shell thread;
 * prints its result. 0 or a negative errno (said). */
int blk_stress(struct block_device *b, u64 reads, u64 seed, const struct cpumask *on);

#endif
