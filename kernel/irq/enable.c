/*
 * What a driver may do with a line it has: enable and disable (nested), wait until its handlers
 * are quiet, set its trigger, ask the controllers for its state. (Linux: kernel/irq/manage.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/time.h>

#define OTHER_NS	(NSEC_PER_SEC / 10)	/* that one handler waits for another's end */

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
	irq_flow_handler_t chained = desc->istate & IRQS_CHAINED ? desc->handle_irq : NULL;
	bool unmask = false;
	int ret;

	if (!chip->irq_set_type)
		return 0;
	type &= IRQ_TYPE_SENSE_MASK;
	if (chip->flags & IRQCHIP_SET_TYPE_MASKED) {
		unmask = !irqd_irq_disabled(d);
		mask_irq(desc);
	}
	ret = chip->irq_set_type(d, type);
	if (chained)		/* the chip may have put the flow that suits the type */
		desc->handle_irq = chained;
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

static void __disable_irq(struct irq_desc *desc)
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

static bool disable_one(unsigned int irq)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_buslock(irq, &flags, IRQ_DESC_GLOBAL);

	if (!desc)
		return false;
	__disable_irq(desc);
	irq_put_desc_busunlock(desc, flags);
	return true;
}

void disable_irq_nosync(unsigned int irq)
{
	disable_one(irq);
}

void enable_irq(unsigned int irq)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_buslock(irq, &flags, IRQ_DESC_GLOBAL);

	if (!desc)
		return;
	if (!WARN_ON(desc->irq_data.chip == &no_irq_chip))
		__enable_irq(desc);
	irq_put_desc_busunlock(desc, flags);
}

void disable_irq(unsigned int irq)
{
	if (disable_one(irq))
		synchronize_irq(irq);
}

bool disable_hardirq(unsigned int irq)
{
	return disable_one(irq) && synchronize_hardirq(irq);
}

/* ---- Waiting for handlers ------------------------------------------------------------------- */

static bool is_busy(struct irq_desc *desc, bool ask_chip)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);
	bool busy = irqd_irq_inprogress(&desc->irq_data);

	if (!busy && ask_chip &&
	    __irq_get_irqchip_state(&desc->irq_data, IRQCHIP_STATE_ACTIVE, &busy))
		busy = false;
	spin_unlock_irqrestore(&desc->lock, flags);
	return busy;
}

/*
 * A handler that waits for the end of handlers may wait for itself (S-081): only the hardirq forms
 * are allowed there, for another line, whose handler ends soon. False, said: it did not.
 */
bool synchronize_hw(struct irq_desc *desc, bool ask_chip)
{
	bool handler = in_interrupt();
	u64 end = handler && !ask_chip ? ktime_get_ns() + OTHER_NS : 0;

	while (is_busy(desc, ask_chip)) {
		if (handler && ktime_get_ns() >= end) {
			pr_warn("irq %u: its end is waited for from a handler", desc->irq_data.irq);
			return false;
		}
		cpu_relax();
	}
	return true;
}

bool synchronize_hardirq(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	if (!desc)
		return true;
	synchronize_hw(desc, false);
	return !__atomic_load_n(&desc->threads_active, __ATOMIC_ACQUIRE);
}

void synchronize_irq(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	if (!desc)
		return;
	if (synchronize_hw(desc, true))
		irq_wait_threads(desc);
}

/* ---- Where the driver wants it -------------------------------------------------------------- */

int irq_apply_affinity_hint(unsigned int irq, const struct cpumask *mask, bool move)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_buslock(irq, &flags, IRQ_DESC_GLOBAL);

	if (!desc)
		return -EINVAL;
	desc->affinity_hint = mask;
	irq_put_desc_busunlock(desc, flags);
	if (mask && move)
		irq_set_affinity(irq, mask);
	return 0;
}

/* ---- State in the controllers --------------------------------------------------------------- */

/* Of the outermost level that can. */
#define BY_FIRST_LEVEL(d, callback, ...) ({							\
	struct irq_data *d_ = d;								\
	while (d_ && !(d_->chip && d_->chip->callback))						\
		d_ = d_->parent_data;								\
	d_ ? d_->chip->callback(d_, __VA_ARGS__) : -EINVAL; })

int __irq_get_irqchip_state(struct irq_data *d, enum irqchip_irq_state which, bool *state)
{
	return BY_FIRST_LEVEL(d, irq_get_irqchip_state, which, state);
}

int irq_get_irqchip_state(unsigned int irq, enum irqchip_irq_state which, bool *state)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_buslock(irq, &flags, IRQ_DESC_ANY);
	int ret;

	if (!desc)
		return -EINVAL;
	ret = __irq_get_irqchip_state(&desc->irq_data, which, state);
	irq_put_desc_busunlock(desc, flags);
	return ret;
}

int irq_set_irqchip_state(unsigned int irq, enum irqchip_irq_state which, bool state)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_buslock(irq, &flags, IRQ_DESC_ANY);
	int ret;

	if (!desc)
		return -EINVAL;
	ret = BY_FIRST_LEVEL(&desc->irq_data, irq_set_irqchip_state, which, state);
	irq_put_desc_busunlock(desc, flags);
	return ret;
}
