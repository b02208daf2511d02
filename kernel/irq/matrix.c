/*
 * The matrix of interrupt ids: one column per CPU, one row per id, a bit where an id is given.
 *
 *            cpu 0  cpu 1  cpu 2  cpu 3
 *   id 1       R      R      R      R      reserved on every CPU
 *   id 2       x      x      .      x      x: given
 *   id 3       x      .      .      .
 *
 * A request names CPUs, not ids: it gets the lowest free id of the CPU that has most of them free
 * (the lowest such CPU), so that lines spread and a given order of requests always ends in the
 * same places. (Linux: kernel/irq/matrix.c)
 */
#include <kernel/matrix.h>
#include <kernel/mm.h>
#include <kernel/spinlock.h>
#include <kernel/trace.h>
#include <lib/bitmap.h>
#include <lib/errno.h>

struct irq_matrix {
	spinlock_t lock;
	unsigned int first, end;	/* all below first are reserved */
	unsigned int words;		/* of one bitmap */
	unsigned int usable;		/* ids of a CPU that are not reserved */
	struct cpumask online;
	struct matrix_cpu {
		unsigned int given;	/* number of bits set in its bitmap */
		unsigned int lowest;	/* no id below is free */
		unsigned long *map;
	} cpu[NR_CPUS];
	unsigned long map[];		/* the reserved ids, then one bitmap a CPU */
};

struct irq_matrix *irq_matrix_create(unsigned int first, unsigned int end)
{
	unsigned int words = BITS_TO_LONGS(end);
	struct irq_matrix *m;

	m = kzalloc(sizeof(*m) + (nr_cpu_ids + 1) * words * sizeof(unsigned long));
	if (!m)
		return NULL;
	spin_lock_init(&m->lock);
	m->first = first;
	m->end = end;
	m->words = words;
	m->usable = end - first;
	for (unsigned int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		m->cpu[cpu].lowest = first;
		m->cpu[cpu].map = m->map + (cpu + 1) * words;
	}
	return m;
}

void irq_matrix_destroy(struct irq_matrix *m)
{
	kfree(m);
}

void irq_matrix_reserve(struct irq_matrix *m, unsigned int id)
{
	if (id < m->first || id >= m->end || test_bit(id, m->map))
		return;
	__set_bit(id, m->map);
	m->usable--;
	m->first += id == m->first;
}

void irq_matrix_online(struct irq_matrix *m, unsigned int cpu)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);

	cpumask_set_cpu(cpu, &m->online);
	spin_unlock_irqrestore(&m->lock, flags);
}

void irq_matrix_offline(struct irq_matrix *m, unsigned int cpu)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);

	cpumask_clear_cpu(cpu, &m->online);
	spin_unlock_irqrestore(&m->lock, flags);
}

/* NULL if every one of them is full. */
static struct matrix_cpu *emptiest_cpu(struct irq_matrix *m, unsigned long mask)
{
	struct matrix_cpu *best = NULL;
	unsigned int fewest = m->usable;

	for (struct matrix_cpu *c = m->cpu; mask; mask >>= 1, c++) {
		if (!(mask & 1) || c->given >= fewest)
			continue;
		fewest = c->given;
		best = c;
	}
	return best;
}

/* There is one. */
static unsigned int lowest_free_id(const struct irq_matrix *m, const struct matrix_cpu *c)
{
	unsigned int id = c->lowest;

	while (test_bit(id, c->map) || test_bit(id, m->map))
		id = find_next_zero_bit(c->map, m->end, id + 1);
	return id;
}

int irq_matrix_alloc(struct irq_matrix *m, const struct cpumask *mask, unsigned int *cpu)
{
	unsigned long flags = spin_lock_irqsave(&m->lock), usable = mask->bits & m->online.bits;
	struct matrix_cpu *c = emptiest_cpu(m, usable);
	int ret = usable ? -ENOSPC : -EINVAL;

	if (c) {
		ret = lowest_free_id(m, c);
		__set_bit(ret, c->map);
		c->lowest = ret + 1;
		c->given++;
		*cpu = c - m->cpu;
		station(ST_VECTOR, 0, NULL, *cpu, ret);
	}
	spin_unlock_irqrestore(&m->lock, flags);
	return ret;
}

void irq_matrix_free(struct irq_matrix *m, unsigned int cpu, unsigned int id)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);
	struct matrix_cpu *c = &m->cpu[cpu];

	if (test_bit(id, c->map)) {
		__clear_bit(id, c->map);
		c->given--;
		station(ST_VECTOR, 0, NULL, cpu, ~(unsigned long)id);
		c->lowest = min(c->lowest, id);
	}
	spin_unlock_irqrestore(&m->lock, flags);
}

bool irq_matrix_test(struct irq_matrix *m, unsigned int cpu, unsigned int id)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);
	bool given = id < m->end && test_bit(id, m->cpu[cpu].map);

	spin_unlock_irqrestore(&m->lock, flags);
	return given;
}

bool irq_matrix_is_sound(struct irq_matrix *m, unsigned int cpu)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);
	bool sound = bitmap_weight(m->cpu[cpu].map, m->end) == m->cpu[cpu].given;

	for (unsigned int word = 0; word < m->words; word++)
		sound &= !(m->map[word] & m->cpu[cpu].map[word]);
	spin_unlock_irqrestore(&m->lock, flags);
	return sound;
}

unsigned int irq_matrix_allocated(struct irq_matrix *m, unsigned int cpu)
{
	return __atomic_load_n(&m->cpu[cpu].given, __ATOMIC_RELAXED);
}

unsigned int irq_matrix_available(struct irq_matrix *m, unsigned int cpu)
{
	return m->usable - irq_matrix_allocated(m, cpu);
}
