/*
 * Lines of a CPU that leaves, and of one that comes.
 *
 *	leaves	not managed: moved, to what is left of its mask, else to any CPU
 *		managed: moved within its mask; shut down with the last CPU of it, the mask kept
 *	comes	managed: started if it was shut down so, else spread to this CPU again
 *
 * The CPU that leaves does it itself, irqs off, when it is no longer in the online mask.
 * (Linux: kernel/irq/cpuhotplug.c)
 */
#include <kernel/irq/internals.h>

#define BUSY_NS		(5 * NSEC_PER_SEC)	/* that a CPU waits for a move under way */

static int migrate_one(struct irq_desc *desc, unsigned int cpu)
{
	struct irq_data *d = &desc->irq_data;
	bool mask = d->chip->flags & IRQCHIP_MOVE_DEFERRED && !irqd_irq_masked(d);
	const struct cpumask *to, *at = irq_data_get_effective_affinity_mask(d);
	int ret;

	if (cpumask_empty(at))
		at = irq_data_get_affinity_mask(d);
	if (!desc->action || !d->chip->irq_set_affinity)
		return 0;
	/* A move that is parked is made now, or, if nobody is left where it leads, forgotten. */
	if (!cpumask_intersects(&desc->pending_mask, cpu_online_mask))
		irqd_clear(d, IRQD_SETAFFINITY_PENDING);
	if (irqd_is_per_cpu(d) || !irqd_is_started(d) || !cpumask_test_cpu(cpu, at))
		return 0;
	to = irqd_is_setaffinity_pending(d) ? &desc->pending_mask : irq_data_get_affinity_mask(d);
	if (!cpumask_intersects(to, cpu_online_mask)) {
		if (irqd_affinity_is_managed(d)) {
			irqd_set(d, IRQD_MANAGED_SHUTDOWN);
			irq_shutdown_and_deactivate(desc);
			return 0;
		}
		to = cpu_online_mask;
	}
	if (mask && d->chip->irq_mask)
		d->chip->irq_mask(d);
	ret = irq_do_set_affinity(d, &(struct cpumask){ to->bits }, false);
	/* Where its own CPUs have no vector left, any other will do. */
	if (ret == -ENOSPC && !irqd_affinity_is_managed(d))
		ret = irq_do_set_affinity(d, cpu_online_mask, false);
	if (ret != -EBUSY)
		irqd_clear(d, IRQD_SETAFFINITY_PENDING);
	if (mask && d->chip->irq_unmask)
		d->chip->irq_unmask(d);
	return ret;
}

/* A line that has only just come here is busy until the CPU it came from has let go of it, which
 * may need the line's lock for that. */
static int migrate_in_time(struct irq_desc *desc, unsigned int cpu)
{
	u64 deadline = ktime_get_ns() + BUSY_NS;
	int ret;

	do {
		spin_lock(&desc->lock);
		ret = migrate_one(desc, cpu);
		spin_unlock(&desc->lock);
	} while (ret == -EBUSY && ktime_get_ns() < deadline);
	return ret;
}

void irq_migrate_all_off_this_cpu(void)
{
	unsigned int irq;

	for_each_irq(irq) {
		struct irq_desc *desc = irq_to_desc(irq);
		int ret = migrate_in_time(desc, smp_processor_id());

		if (ret)
			pr_err("irq %u: cannot leave cpu %u (%s)", irq, smp_processor_id(),
			       errname(ret));
	}
}

static void come_back(struct irq_desc *desc, unsigned int cpu)
{
	struct irq_data *d = &desc->irq_data;
	struct cpumask mask = *irq_data_get_affinity_mask(d);

	if (!desc->action || !irqd_affinity_is_managed(d) || !cpumask_test_cpu(cpu, &mask))
		return;
	if (irqd_is_managed_and_shutdown(d))
		irq_startup_managed(desc);
	else if (!irqd_is_single_target(d))	/* goes to all of them: to this one, too */
		irq_set_affinity_locked(d, &mask, false);
}

void irq_affinity_online_cpu(unsigned int cpu)
{
	unsigned int irq;

	for_each_irq(irq) {
		struct irq_desc *desc = irq_to_desc(irq);
		unsigned long flags = spin_lock_irqsave(&desc->lock);

		come_back(desc, cpu);
		spin_unlock_irqrestore(&desc->lock, flags);
	}
}
