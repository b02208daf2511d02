/*
 * Making an interrupt happen again: one that arrived while its line was disabled, or one that a
 * test asks for. First the hardware is asked (retrigger: a set-pending register, or the message
 * written once more); if no controller can, the flow handler is called from a softirq.
 * Levels are never replayed: a device that still wants service still asserts its line.
 * (Linux: kernel/irq/resend.c)
 */
#include <kernel/irq/internals.h>

static DECLARE_BITMAP(resend, NR_IRQS);	/* lines whose flow the softirq is to call */
static spinlock_t resend_lock = SPINLOCK_INIT;

static struct irq_desc *take_one(void)
{
	unsigned long flags = spin_lock_irqsave(&resend_lock);
	unsigned int irq = find_next_bit(resend, NR_IRQS, 0);

	if (irq < NR_IRQS)
		__clear_bit(irq, resend);
	spin_unlock_irqrestore(&resend_lock, flags);
	return irq_to_desc(irq);
}

static void resend_irqs(void)
{
	struct irq_desc *desc;

	while ((desc = take_one())) {
		unsigned long flags = arch_local_irq_save();

		desc->handle_irq(desc);
		arch_local_irq_restore(flags);
	}
}

void irq_resend_init(void)
{
	open_softirq(IRQ_RESEND_SOFTIRQ, resend_irqs);
}

void clear_irq_resend(struct irq_desc *desc)
{
	unsigned long flags = spin_lock_irqsave(&resend_lock);

	__clear_bit(desc->irq_data.irq, resend);
	spin_unlock_irqrestore(&resend_lock, flags);
}

static int irq_sw_resend(struct irq_desc *desc)
{
	/* A controller that pairs claim and completion would see a completion without a claim. */
	if (irqd_is_handle_enforce_irqctx(&desc->irq_data))
		return -EINVAL;
	spin_lock(&resend_lock);
	__set_bit(desc->irq_data.irq, resend);
	spin_unlock(&resend_lock);
	raise_softirq_irqoff(IRQ_RESEND_SOFTIRQ);
	return 0;
}

static int try_retrigger(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	return chip->irq_retrigger ? chip->irq_retrigger(&desc->irq_data)
				   : irq_chip_retrigger_hierarchy(&desc->irq_data);
}

int check_irq_resend(struct irq_desc *desc, bool inject)
{
	int err = 0;

	if (irq_settings_is(desc, IRQ_LEVEL)) {
		desc->istate &= ~IRQS_PENDING;
		return -EINVAL;
	}
	if (desc->istate & IRQS_REPLAY)
		return -EBUSY;
	if (!(desc->istate & IRQS_PENDING) && !inject)
		return 0;
	desc->istate &= ~IRQS_PENDING;
	if (!try_retrigger(desc))
		err = irq_sw_resend(desc);
	if (!err)
		desc->istate |= IRQS_REPLAY;
	return err;
}

int irq_inject_interrupt(unsigned int irq)
{
	struct irq_desc *desc;
	unsigned long flags;
	int err = -EINVAL;

	if (!irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, true))
		return 0;
	desc = irq_get_desc_buslock(irq, &flags, IRQ_DESC_ANY);
	if (!desc)
		return -EINVAL;
	if (irqd_is_activated(&desc->irq_data))
		err = check_irq_resend(desc, true);
	irq_put_desc_busunlock(desc, flags);
	return err;
}
