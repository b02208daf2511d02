/*
 * Interrupt descriptors: one struct irq_desc per irq number, found through one array.
 *
 *   irq_desc_table[irq] -> irq_desc { lock, flow handler, actions, depth, counts,
 *                                     irq_common_data, irq_data (outermost level) }
 *
 * Numbers come from a bitmap; 0 is never given out, so that it can mean "no interrupt".
 * (Linux: kernel/irq/irqdesc.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/driver.h>
#include <kernel/mm.h>

struct irq_desc *irq_desc_table[NR_IRQS];

static DECLARE_BITMAP(allocated_irqs, NR_IRQS) = { 1 };	/* 0 is taken for ever */
static unsigned int lowest_free = 1;	/* all below are taken: a search need not look there */
static struct mutex sparse_irq_lock = MUTEX_INIT(sparse_irq_lock);

/* The levels of D and its parents, from PLACE on. */
static void init_levels(struct irq_desc *desc, unsigned int irq, struct irq_domain *d,
			struct irq_data *place)
{
	struct irq_data *data = &desc->irq_data;

	for (;;) {
		data->irq = irq;
		data->common = &desc->irq_common_data;
		data->domain = d;
		if (!d || !d->parent)
			return;
		d = d->parent;
		data->parent_data = place;
		data = place++;
	}
}

/* DESC is all zero. */
static void init_desc(struct irq_desc *desc, const struct irq_affinity_desc *affinity)
{
	desc->handle_irq = handle_bad_irq;
	desc->depth = 1;
	desc->irq_data.chip = &no_irq_chip;
	desc->irq_common_data.state_use_accessors = IRQD_IRQ_DISABLED | IRQD_IRQ_MASKED |
		(affinity && affinity->is_managed ? IRQD_AFFINITY_MANAGED | IRQD_MANAGED_SHUTDOWN
						  : 0);
	cpumask_and(&desc->irq_common_data.affinity,
		    affinity ? &affinity->mask : &irq_default_affinity, cpu_possible_mask);
}

static void free_desc(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	if (desc->action && desc->action != &chained_action)
		pr_err("irq %u: freed before its handler (%s)", irq, desc->action->name);
	__atomic_store_n(&irq_desc_table[irq], NULL, __ATOMIC_RELEASE);
	clear_irq_resend(desc);
	kfree(desc);
}

static void remove_desc(unsigned int irq)
{
	free_desc(irq);
	__clear_bit(irq, allocated_irqs);
	lowest_free = min(lowest_free, irq);
}

static int add_descs(unsigned int start, unsigned int cnt, struct irq_domain *d,
		     const struct irq_affinity_desc *affinity)
{
	unsigned int levels = d ? d->nr_parents : 0;
	size_t base = irq_desc_level_offset(0), size = irq_desc_level_offset(levels);

	for (unsigned int irq = start; irq < start + cnt; irq++) {
		struct irq_desc *desc = kzalloc(size);

		if (!desc) {
			while (irq-- > start)
				remove_desc(irq);
			return -ENOMEM;
		}
		desc->nr_levels = levels;
		init_levels(desc, irq, d, (struct irq_data *)((char *)desc + base));
		init_desc(desc, affinity ? affinity++ : NULL);
		__atomic_store_n(&irq_desc_table[irq], desc, __ATOMIC_RELEASE);
	}
	bitmap_set(allocated_irqs, start, cnt);
	if (start == lowest_free)
		lowest_free += cnt;
	return start;
}

static unsigned int find_free(unsigned int from, unsigned int cnt)
{
	if (lowest_free < NR_IRQS && test_bit(lowest_free, allocated_irqs))
		lowest_free = find_next_zero_bit(allocated_irqs, NR_IRQS, lowest_free);
	if (cnt == 1 && from <= lowest_free)
		return lowest_free;
	return bitmap_find_next_zero_area(allocated_irqs, NR_IRQS, max(from, lowest_free), cnt, 1);
}

unsigned int irq_alloc_row(unsigned int max, struct irq_domain *d, unsigned int *start)
{
	unsigned int cnt = 0;

	mutex_lock(&sparse_irq_lock);
	*start = find_free(1, 1);
	if (*start < NR_IRQS)
		cnt = find_next_bit(allocated_irqs, min(*start + max, (unsigned int)NR_IRQS),
				    *start) - *start;
	if (add_descs(*start, cnt, d, NULL) < 0)
		cnt = 0;
	mutex_unlock(&sparse_irq_lock);
	return cnt;
}

int irq_alloc_descs_affinity(int irq, unsigned int from, unsigned int cnt, struct irq_domain *d,
			     const struct irq_affinity_desc *affinity)
{
	unsigned int start;
	int ret;

	if (!cnt)
		return -EINVAL;
	for (unsigned int i = 0; affinity && i < cnt; i++)
		if (cpumask_empty(&affinity[i].mask))
			return -EINVAL;
	if (irq >= 0) {
		if (from > (unsigned int)irq)
			return -EINVAL;
		from = irq;
	}
	mutex_lock(&sparse_irq_lock);
	start = find_free(from, cnt);
	if (irq >= 0 && start != (unsigned int)irq)
		ret = -EEXIST;
	else if (start >= NR_IRQS || cnt > NR_IRQS - start)
		ret = -ENOSPC;
	else
		ret = add_descs(start, cnt, d, affinity);
	mutex_unlock(&sparse_irq_lock);
	return ret;
}

int irq_alloc_descs(int irq, unsigned int from, unsigned int cnt, int node)
{
	(void)node;	/* no NUMA placement: docs/deviations.md */
	return irq_alloc_descs_affinity(irq, from, cnt, NULL, NULL);
}

void irq_free_descs(unsigned int irq, unsigned int cnt)
{
	mutex_lock(&sparse_irq_lock);
	for (unsigned int i = irq; i < irq + cnt && i < NR_IRQS; i++)
		if (irq_to_desc(i))
			remove_desc(i);
	mutex_unlock(&sparse_irq_lock);
}

unsigned int irq_get_next_irq(unsigned int from)
{
	return find_next_bit(allocated_irqs, NR_IRQS, max(from, 1U));
}

int irq_set_percpu_devid(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	if (!desc || irq_is_percpu_devid(irq))
		return -EINVAL;
	irq_set_status_flags(irq, IRQ_NOAUTOEN | IRQ_PER_CPU | IRQ_NOTHREAD | IRQ_NOPROBE |
			     IRQ_PER_CPU_DEVID);
	return 0;
}

void irq_init(void)
{
	char value[8];

	force_irqthreads_key = boot_arg("threadirqs", value, sizeof(value));
	irq_resend_init();
}
