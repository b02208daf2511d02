/*
 * What a driver may do with a line it has: enable and disable (nested), wait until its handlers
 * are quiet, set its trigger, ask the controllers for its state. (Linux: kernel/irq/manage.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/mm.h>

/* ---- Trigger -------------------------------------------------------------------------------- */

static void store_type(struct irq_desc *desc, unsigned int type)
{
	irqd_clear(&desc->irq_data, IRQD_TRIGGER_MASK | IRQD_LEVEL);
	irqd_set(&desc->irq_data, type & IRQD_TRIGGER_MASK);
	irq_settings_change(desc, IRQ_TYPE_SENSE_MASK | IRQ_LEVEL, type & IRQ_TYPE_SENSE_MASK);
	if (type & IRQ_TYPE_LEVEL_MASK) {
		irqd_set(&desc->irq_data, IRQD_LEVEL);
		irq_settings_change(desc, 0, IRQ_LEVEL);
	}
}

int __irq_set_trigger(struct irq_desc *desc, unsigned int type)
{
	struct irq_data *d = &desc->irq_data;
	const struct irq_chip *chip = d->chip;
	bool unmask = false;
	int ret;

	if (!chip->irq_set_type)
		return 0;
	type &= IRQ_TYPE_SENSE_MASK;
	if (chip->flags & IRQCHIP_SET_TYPE_MASKED) {
		unmask = !irqd_irq_disabled(d) && !irqd_irq_masked(d);
		mask_irq(desc);
	}
	ret = chip->irq_set_type(d, type);
	switch (ret) {
	case IRQ_SET_MASK_OK:
	case IRQ_SET_MASK_OK_DONE:
		store_type(desc, type);
		ret = 0;
		break;
	case IRQ_SET_MASK_OK_NOCOPY:
		store_type(desc, irqd_get_trigger_type(d));
		ret = 0;
		break;
	default:
		pr_err("irq %u: %s refuses trigger %s (%d)", d->irq, chip->name,
		       irq_type_name(type), ret);
	}
	if (unmask)
		unmask_irq(desc);
	return ret;
}

/* ---- Enable, disable ------------------------------------------------------------------------ */

void __disable_irq(struct irq_desc *desc)
{
	if (!desc->depth++)
		irq_disable(desc);
}

void __enable_irq(struct irq_desc *desc)
{
	switch (desc->depth) {
	case 0:
		pr_warn("irq %u: unbalanced enable", desc->irq_data.irq);
		return;
	case 1:
		irq_startup(desc, IRQ_RESEND);	/* sets depth to 0 */
		return;
	default:
		desc->depth--;
	}
}

void disable_irq_nosync(unsigned int irq)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_lock(irq, &flags);

	if (!desc)
		return;
	if (!irq_settings_is(desc, IRQ_PER_CPU_DEVID))
		__disable_irq(desc);
	irq_put_desc_unlock(desc, flags);
}

void enable_irq(unsigned int irq)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_lock(irq, &flags);

	if (!desc)
		return;
	if (!irq_settings_is(desc, IRQ_PER_CPU_DEVID) &&
	    !WARN_ON(desc->irq_data.chip == &no_irq_chip))
		__enable_irq(desc);
	irq_put_desc_unlock(desc, flags);
}

void disable_irq(unsigned int irq)
{
	disable_irq_nosync(irq);
	synchronize_irq(irq);
}

bool disable_hardirq(unsigned int irq)
{
	disable_irq_nosync(irq);
	return synchronize_hardirq(irq);
}

/* ---- Waiting for handlers ------------------------------------------------------------------- */

static void wait_quiet(struct irq_desc *desc, bool ask_chip)
{
	bool busy;

	do {
		unsigned long flags = spin_lock_irqsave(&desc->lock);

		busy = irqd_irq_inprogress(&desc->irq_data);
		if (!busy && ask_chip &&
		    __irq_get_irqchip_state(&desc->irq_data, IRQCHIP_STATE_ACTIVE, &busy))
			busy = false;
		spin_unlock_irqrestore(&desc->lock, flags);
		if (busy && this_cpu()->irq_depth) {	/* would wait for itself (S-081) */
			pr_warn_once("irq %u: waited for from a handler", desc->irq_data.irq);
			return;
		}
		cpu_relax();
	} while (busy);
}

bool synchronize_hardirq(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	if (!desc)
		return true;
	wait_quiet(desc, false);
	return !__atomic_load_n(&desc->threads_active, __ATOMIC_ACQUIRE);
}

void synchronize_hw(struct irq_desc *desc)
{
	wait_quiet(desc, true);
}

void synchronize_irq(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	if (!desc)
		return;
	wait_quiet(desc, true);
	irq_wait_threads(desc);
}

/* ---- State in the controllers --------------------------------------------------------------- */

int __irq_get_irqchip_state(struct irq_data *d, enum irqchip_irq_state which, bool *state)
{
	for (; d; d = d->parent_data)
		if (d->chip && d->chip->irq_get_irqchip_state)
			return d->chip->irq_get_irqchip_state(d, which, state);
	return -EINVAL;
}

static int set_state(struct irq_data *d, enum irqchip_irq_state which, bool state)
{
	for (; d; d = d->parent_data)
		if (d->chip && d->chip->irq_set_irqchip_state)
			return d->chip->irq_set_irqchip_state(d, which, state);
	return -EINVAL;
}

int irq_get_irqchip_state(unsigned int irq, enum irqchip_irq_state which, bool *state)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_lock(irq, &flags);
	int ret;

	if (!desc)
		return -EINVAL;
	ret = __irq_get_irqchip_state(&desc->irq_data, which, state);
	irq_put_desc_unlock(desc, flags);
	return ret;
}

int irq_set_irqchip_state(unsigned int irq, enum irqchip_irq_state which, bool state)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_lock(irq, &flags);
	int ret;

	if (!desc)
		return -EINVAL;
	ret = set_state(&desc->irq_data, which, state);
	irq_put_desc_unlock(desc, flags);
	return ret;
}
