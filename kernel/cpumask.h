/*
 * Sets of logical CPUs, with Linux's names. NR_CPUS is one machine word, so that every operation
 * is one or two instructions. No locking. Any context.
 */
#ifndef KERNEL_CPUMASK_H
#define KERNEL_CPUMASK_H

#include <lib/types.h>

#define NR_CPUS		64

typedef struct cpumask {
	unsigned long bits;
} cpumask_t;

/* Kept by smp.c: present in the device tree / running and taking interrupts. */
extern struct cpumask cpu_possible_mask_, cpu_online_mask_;
#define cpu_possible_mask	((const struct cpumask *)&cpu_possible_mask_)
#define cpu_online_mask		((const struct cpumask *)&cpu_online_mask_)
extern unsigned int nr_cpu_ids;	/* number of possible CPUs; ids are 0 .. nr_cpu_ids - 1 */

#define CPU_MASK_NONE		((struct cpumask){ 0 })
#define cpumask_of(cpu)		((const struct cpumask *)&(struct cpumask){ BIT(cpu) })

static inline void cpumask_clear(struct cpumask *m) { m->bits = 0; }
static inline void cpumask_copy(struct cpumask *d, const struct cpumask *s) { d->bits = s->bits; }
static inline void cpumask_set_cpu(unsigned int cpu, struct cpumask *m) { m->bits |= BIT(cpu); }
static inline void cpumask_clear_cpu(unsigned int cpu, struct cpumask *m) { m->bits &= ~BIT(cpu); }

static inline bool cpumask_test_cpu(unsigned int cpu, const struct cpumask *m)
{
	return cpu < NR_CPUS && (m->bits >> cpu & 1);
}

static inline bool cpumask_empty(const struct cpumask *m) { return !m->bits; }
static inline bool cpumask_equal(const struct cpumask *a, const struct cpumask *b)
{
	return a->bits == b->bits;
}
static inline bool cpumask_intersects(const struct cpumask *a, const struct cpumask *b)
{
	return a->bits & b->bits;
}
static inline bool cpumask_subset(const struct cpumask *a, const struct cpumask *b)
{
	return !(a->bits & ~b->bits);
}

/* *d = a & b; returns whether anything is left. */
static inline bool cpumask_and(struct cpumask *d, const struct cpumask *a, const struct cpumask *b)
{
	return (d->bits = a->bits & b->bits) != 0;
}

static inline unsigned int cpumask_weight(const struct cpumask *m)
{
	unsigned int n = 0;

	for (unsigned long b = m->bits; b; b &= b - 1)
		n++;
	return n;
}

/* Lowest member above / at or above CPU; a number >= nr_cpu_ids if there is none. */
static inline unsigned int cpumask_next(int cpu, const struct cpumask *m)
{
	unsigned int n = cpu + 1;
	unsigned long rest = n < NR_CPUS ? m->bits >> n : 0;

	if (!rest)
		return NR_CPUS;
	for (; !(rest & 1); rest >>= 1)		/* masks have few gaps */
		n++;
	return n;
}
static inline unsigned int cpumask_first(const struct cpumask *m) { return cpumask_next(-1, m); }

#define for_each_cpu(cpu, m) \
	for ((cpu) = cpumask_first(m); (cpu) < NR_CPUS; (cpu) = cpumask_next(cpu, m))
#define for_each_online_cpu(cpu)	for_each_cpu(cpu, cpu_online_mask)
#define for_each_possible_cpu(cpu)	for_each_cpu(cpu, cpu_possible_mask)

/*
 * NUMGRPS masks, to be kfree()d, with each possible CPU in exactly one: consecutive CPUs, sizes
 * that differ by at most one, the larger groups first. With fewer CPUs than groups the last ones
 * are empty, with a warning. NULL when out of memory, or for no groups. Thread.
 */
struct cpumask *group_cpus_evenly(unsigned int numgrps);

/* "0-2,5" into *m: 0, or -EINVAL for anything else, or for a CPU that is not possible. */
int cpulist_parse(const char *text, struct cpumask *m);
/* The same back; returns BUF. SIZE of 64 always suffices for 16 CPUs; longer lists are cut. */
const char *cpulist_print(char *buf, size_t size, const struct cpumask *m);

#endif
