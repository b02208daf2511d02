/*
 * Which CPU an interrupt goes to.
 *
 *   requested mask -> core checks -> chip moves its source to one of (mask & online)
 *                                    -> effective mask: what the chip really did
 *
 * A managed line (one of a set spread over all CPUs for a multi-queue device) belongs to its mask:
 * users cannot move it. A chip with IRQCHIP_MOVE_DEFERRED can only be moved inside its own
 * interrupt: the wish is parked. (Linux: kernel/irq/manage.c, migration.c)
 */
#include <kernel/irq/internals.h>

struct cpumask irq_default_affinity = { ~0UL };

static bool can_set_affinity(const struct irq_desc *desc)
{
	return desc->irq_data.chip->irq_set_affinity &&
	       !irqd_test(&desc->irq_data, IRQD_PER_CPU | IRQD_NO_BALANCING);
}

int irq_can_set_affinity(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc && can_set_affinity(desc);
}

/* DEST: what of MASK the chip may use. */
static __always_inline int tell_chip(struct irq_data *d, const struct cpumask *mask,
				     const struct cpumask *dest, bool force)
{
	const struct irq_chip *chip = d->chip;
	int ret = chip->irq_set_affinity(d, dest, force);

	switch (ret) {
	case IRQ_SET_MASK_OK:
	case IRQ_SET_MASK_OK_DONE:
		irq_data_update_affinity(d, mask);
		break;
	case IRQ_SET_MASK_OK_NOCOPY:
		break;
	default:
		return ret;
	}
	if (cpumask_empty(irq_data_get_effective_affinity_mask(d)))
		pr_warn_once("%s did not tell where irq %u goes", chip->name, d->irq);
	return 0;
}

int irq_do_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	struct cpumask dest;

	if (!d->chip->irq_set_affinity)
		return -EINVAL;
	if (force)
		cpumask_copy(&dest, mask);
	else if (!cpumask_and(&dest, mask, cpu_online_mask))
		return -EINVAL;
	return tell_chip(d, mask, &dest, force);
}

static void park(struct irq_desc *desc, const struct cpumask *mask)
{
	irqd_set(&desc->irq_data, IRQD_SETAFFINITY_PENDING);
	cpumask_copy(&desc->pending_mask, mask);
}

static int move_or_park(struct irq_data *d, const struct cpumask *mask, bool force)
{
	struct irq_desc *desc = irq_data_to_desc(d);
	bool deferred = d->chip->flags & IRQCHIP_MOVE_DEFERRED;
	int ret = -EBUSY;

	if (!force && !cpumask_intersects(mask, cpu_online_mask))
		return -EINVAL;
	if (!deferred || !irqd_is_started(d))
		ret = irq_do_set_affinity(d, mask, force);
	if (ret == -EBUSY && deferred && !force) {
		park(desc, mask);
		ret = 0;
	}
	return ret;
}

int irq_set_affinity_locked(struct irq_data *d, const struct cpumask *mask, bool force)
{
	int ret;

	if (!d->chip || !d->chip->irq_set_affinity)
		return -EINVAL;
	if (!irqd_is_activated(d) && irqd_affinity_on_activate(d)) {
		irq_data_update_affinity(d, mask);
		irq_data_update_effective_affinity(d, mask);
		irqd_set(d, IRQD_AFFINITY_SET);
		return 0;
	}
	ret = move_or_park(d, mask, force);
	irqd_set(d, IRQD_AFFINITY_SET);
	return ret;
}

static int set_affinity(unsigned int irq, const struct cpumask *mask, bool force)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_lock(irq, &flags);
	int ret;

	if (!desc)
		return -EINVAL;
	ret = irq_set_affinity_locked(&desc->irq_data, mask, force);
	irq_put_desc_unlock(desc, flags);
	return ret;
}

int irq_set_affinity(unsigned int irq, const struct cpumask *mask)
{
	return set_affinity(irq, mask, false);
}

int irq_force_affinity(unsigned int irq, const struct cpumask *mask)
{
	return set_affinity(irq, mask, true);
}

int irq_set_affinity_user(unsigned int irq, const struct cpumask *mask)
{
	struct irq_desc *desc = irq_to_desc(irq);

	if (!desc)
		return -EINVAL;
	if (!can_set_affinity(desc) || irqd_affinity_is_managed(&desc->irq_data))
		return -EIO;
	return irq_set_affinity(irq, mask);
}

/* The affinity of a line that starts: the user's if it still fits, else the default. (S-123) */
int irq_setup_affinity(struct irq_desc *desc)
{
	struct irq_data *d = &desc->irq_data;
	u32 state = desc_state(desc);
	struct cpumask mask;

	if (!can_set_affinity(desc))
		return 0;
	if (!(state & (IRQD_AFFINITY_MANAGED | IRQD_AFFINITY_SET)) ||
	    !cpumask_and(&mask, irq_data_get_affinity_mask(d), cpu_online_mask)) {
		if (state & IRQD_AFFINITY_SET)
			irqd_clear(d, IRQD_AFFINITY_SET);
		if (!cpumask_and(&mask, &irq_default_affinity, cpu_online_mask))
			cpumask_copy(&mask, cpu_online_mask);
	}
	return tell_chip(d, &mask, &mask, false);
}

/* ---- Deferred moves: called by a chip's ack or eoi, locked, in the line's own interrupt ----- */

void irq_move_masked_irq(struct irq_data *d)
{
	struct irq_desc *desc = irq_data_to_desc(d);

	if (!irqd_is_setaffinity_pending(d))
		return;
	irqd_clear(d, IRQD_SETAFFINITY_PENDING);
	if (irq_do_set_affinity(&desc->irq_data, &(struct cpumask){ desc->pending_mask.bits },
				false) == -EBUSY)
		irqd_set(d, IRQD_SETAFFINITY_PENDING);
}

void irq_move_irq(struct irq_data *d)
{
	struct irq_data *outer = &irq_data_to_desc(d)->irq_data;
	bool masked = irqd_irq_masked(outer);

	if (likely(!irqd_is_setaffinity_pending(outer)) || irqd_irq_disabled(outer))
		return;
	if (!masked && outer->chip->irq_mask)
		outer->chip->irq_mask(outer);
	irq_move_masked_irq(outer);
	if (!masked && outer->chip->irq_unmask)
		outer->chip->irq_unmask(outer);
}
