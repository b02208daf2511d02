/*
 * A CPU x id allocator: each CPU has NR_IDS interrupt ids of its own (IMSIC identities; x86
 * vectors), and an interrupt needs one of them on one CPU of a mask. Takes the CPU with most ids
 * free. (Linux: kernel/irq/matrix.c)  Irq-safe: it has its own lock. Any context unless said.
 */
#ifndef KERNEL_MATRIX_H
#define KERNEL_MATRIX_H

#include <kernel/cpumask.h>

struct irq_matrix;

/* Ids FIRST .. END - 1 on each possible CPU, all CPUs offline. NULL when out of memory. Thread. */
struct irq_matrix *irq_matrix_create(unsigned int first, unsigned int end);
void irq_matrix_destroy(struct irq_matrix *m);
/* Takes ID out of every CPU's pool, before the first CPU is online (the IPI's). */
void irq_matrix_reserve(struct irq_matrix *m, unsigned int id);
/* Only online CPUs are allocated from; ids already given stay given. */
void irq_matrix_online(struct irq_matrix *m, unsigned int cpu);
void irq_matrix_offline(struct irq_matrix *m, unsigned int cpu);
/* An id on the online CPU of MASK with most free ids: the id, *cpu where; -EINVAL: no CPU of MASK
 * is online here; -ENOSPC: all full. */
int irq_matrix_alloc(struct irq_matrix *m, const struct cpumask *mask, unsigned int *cpu);
void irq_matrix_free(struct irq_matrix *m, unsigned int cpu, unsigned int id);
bool irq_matrix_test(struct irq_matrix *m, unsigned int cpu, unsigned int id);
/* CPU's ids are counted as there are bits, and no reserved one is given. */
bool irq_matrix_is_sound(struct irq_matrix *m, unsigned int cpu);
/* Given / free ids of a CPU, for messages. */
unsigned int irq_matrix_allocated(struct irq_matrix *m, unsigned int cpu);
unsigned int irq_matrix_available(struct irq_matrix *m, unsigned int cpu);

#endif
