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
	unsigned int given[NR_CPUS];	/* number of bits set in a CPU's bitmap */
	unsigned int lowest[NR_CPUS];	/* no id below is free */
	unsigned long map[];		/* the reserved ids, then one bitmap a CPU */
};

static unsigned long *cpu_map(struct irq_matrix *m, unsigned int cpu)
{
	return m->map + (cpu + 1) * m->words;
}

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

/* NR_CPUS if every one of them is full. */
static unsigned int emptiest_cpu(struct irq_matrix *m, const struct cpumask *mask)
{
	unsigned int best = NR_CPUS, fewest = m->usable;
	const unsigned int *given = m->given;

	for (unsigned long rest = mask->bits; rest; rest >>= 1, given++) {
		if (!(rest & 1) || *given >= fewest)
			continue;
		fewest = *given;
		best = given - m->given;
	}
	return best;
}

static unsigned int lowest_free_id(struct irq_matrix *m, unsigned int cpu)
{
	const unsigned long *map = cpu_map(m, cpu);
	unsigned int id = max(m->lowest[cpu], m->first);

	if (test_bit(id, map))
		id = find_next_zero_bit(map, m->end, id);
	while (id < m->end && test_bit(id, m->map))
		id = find_next_zero_bit(map, m->end, id + 1);
	return id;
}

int irq_matrix_alloc(struct irq_matrix *m, const struct cpumask *mask, unsigned int *cpu)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);
	struct cpumask usable;
	int ret = -EINVAL;

	if (!cpumask_and(&usable, mask, &m->online))
		goto unlock;
	*cpu = emptiest_cpu(m, &usable);
	if (*cpu >= NR_CPUS) {
		ret = -ENOSPC;
		goto unlock;
	}
	ret = lowest_free_id(m, *cpu);
	__set_bit(ret, cpu_map(m, *cpu));
	m->lowest[*cpu] = ret + 1;
	m->given[*cpu]++;
	station(ST_VECTOR, 0, NULL, *cpu, ret);
unlock:
	spin_unlock_irqrestore(&m->lock, flags);
	return ret;
}

void irq_matrix_free(struct irq_matrix *m, unsigned int cpu, unsigned int id)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);

	if (test_bit(id, cpu_map(m, cpu))) {
		__clear_bit(id, cpu_map(m, cpu));
		m->given[cpu]--;
		station(ST_VECTOR, 0, NULL, cpu, ~(unsigned long)id);
		m->lowest[cpu] = min(m->lowest[cpu], id);
	}
	spin_unlock_irqrestore(&m->lock, flags);
}

bool irq_matrix_test(struct irq_matrix *m, unsigned int cpu, unsigned int id)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);
	bool given = id < m->end && test_bit(id, cpu_map(m, cpu));

	spin_unlock_irqrestore(&m->lock, flags);
	return given;
}

bool irq_matrix_is_sound(struct irq_matrix *m, unsigned int cpu)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);
	bool sound = bitmap_weight(cpu_map(m, cpu), m->end) == m->given[cpu];

	for (unsigned int word = 0; word < m->words; word++)
		sound &= !(m->map[word] & cpu_map(m, cpu)[word]);
	spin_unlock_irqrestore(&m->lock, flags);
	return sound;
}

unsigned int irq_matrix_allocated(struct irq_matrix *m, unsigned int cpu)
{
	return __atomic_load_n(&m->given[cpu], __ATOMIC_RELAXED);
}

unsigned int irq_matrix_available(struct irq_matrix *m, unsigned int cpu)
{
	return m->usable - irq_matrix_allocated(m, cpu);
}
