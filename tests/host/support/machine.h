/*
 * Parts of device trees that machines share: a root of 2 + 2 cells with memory at MACHINE_MEMORY,
 * CPUs, a PCI host bridge.
 */
#ifndef TESTS_HOST_MACHINE_H
#define TESTS_HOST_MACHINE_H

#include "support/tree.h"

#define MACHINE_MEMORY	0x80000000

/* Opens the root; properties of its own can only follow at once. */
void machine_begin(struct tree *t);
/* … then these, in any order: /memory, /chosen with that property, /cpus. */
void machine_memory(struct tree *t);
void machine_chosen(struct tree *t, const char *name, const char *value);
void machine_cpus(struct tree *t, unsigned int cells, const u64 *hwid, unsigned int n);
/* One of them, left open; its address has 1 or 2 cells. */
void machine_cpu(struct tree *t, unsigned int cells, u64 hwid);
/* An ECAM bridge with its windows, left open. */
void machine_pci(struct tree *t);

#endif
