/*
 * Starting, stopping and masking a line. The state bits are a cache of what the chip was told, so
 * that it is asked only for what changes; "depth" counts nested disables above it.
 *
 *   irq_startup -> activate (managed lines) -> chip startup, or enable, or unmask -> affinity
 *   disable     -> lazy: only the state bit; the flow handler masks if something still arrives
 *
 * (Linux: kernel/irq/chip.c)
 */
#include <kernel/irq/internals.h>

/* ---- Masking, cached ------------------------------------------------------------------------ */

void mask_irq(struct irq_desc *desc)
{
	if (irqd_irq_masked(&desc->irq_data) || !desc->irq_data.chip->irq_mask)
		return;
	desc->irq_data.chip->irq_mask(&desc->irq_data);
	irqd_set(&desc->irq_data, IRQD_IRQ_MASKED);
}

inline void unmask_irq(struct irq_desc *desc)
{
	if (!irqd_irq_masked(&desc->irq_data) || !desc->irq_data.chip->irq_unmask)
		return;
	desc->irq_data.chip->irq_unmask(&desc->irq_data);
	irqd_clear(&desc->irq_data, IRQD_IRQ_MASKED);
}

void mask_ack_irq(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	if (chip->irq_mask_ack) {
		chip->irq_mask_ack(&desc->irq_data);
		irqd_set(&desc->irq_data, IRQD_IRQ_MASKED);
		return;
	}
	mask_irq(desc);
	if (chip->irq_ack)
		chip->irq_ack(&desc->irq_data);
}

static void send_owed_eoi(struct irq_desc *desc)
{
	if (!(desc->istate & IRQS_EOI_OWED))
		return;
	desc->istate &= ~IRQS_EOI_OWED;
	desc->irq_data.chip->irq_eoi(&desc->irq_data);
}

void unmask_threaded_irq(struct irq_desc *desc)
{
	send_owed_eoi(desc);
	unmask_irq(desc);
}

inline void irq_enable(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	if (!irqd_irq_disabled(&desc->irq_data)) {
		unmask_irq(desc);
		return;
	}
	irqd_clear(&desc->irq_data, IRQD_IRQ_DISABLED);
	if (chip->irq_enable) {
		chip->irq_enable(&desc->irq_data);
		irqd_clear(&desc->irq_data, IRQD_IRQ_MASKED);
	} else {
		unmask_irq(desc);
	}
}

static void disable_now(struct irq_desc *desc, bool mask)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	if (irqd_irq_disabled(&desc->irq_data)) {
		if (mask)
			mask_irq(desc);
		return;
	}
	irqd_set(&desc->irq_data, IRQD_IRQ_DISABLED);
	if (chip->irq_disable) {
		chip->irq_disable(&desc->irq_data);
		irqd_set(&desc->irq_data, IRQD_IRQ_MASKED);
	} else if (mask) {
		mask_irq(desc);
	}
}

/* Lazy unless the chip or the line wants otherwise: most lines are enabled again before anything
 * arrives, and an edge that meets a masked line may be lost by the hardware. (S-073) */
void irq_disable(struct irq_desc *desc)
{
	disable_now(desc, irq_settings_is(desc, IRQ_DISABLE_UNLAZY));
}

/* ---- Starting and stopping ------------------------------------------------------------------ */

static inline int start_chip(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;
	int ret = 0;

	WARN_ON(!irqd_is_activated(&desc->irq_data));
	if (chip->irq_startup) {
		ret = chip->irq_startup(&desc->irq_data);
		irqd_clear(&desc->irq_data, IRQD_IRQ_DISABLED | IRQD_IRQ_MASKED);
	} else {
		irq_enable(desc);
	}
	irqd_set(&desc->irq_data, IRQD_IRQ_STARTED);
	return ret;
}

static int __attribute__((noinline)) start_managed(struct irq_desc *desc)
{
	struct irq_data *d = &desc->irq_data;

	if (!cpumask_intersects(&d->common->affinity, cpu_online_mask) ||
	    irq_domain_activate_irq(d, false)) {
		irqd_set(d, IRQD_MANAGED_SHUTDOWN);	/* until a CPU of the mask comes (S-124) */
		return 0;
	}
	irqd_clear(d, IRQD_MANAGED_SHUTDOWN);
	irq_do_set_affinity(d, &(struct cpumask){ d->common->affinity.bits }, false);
	return start_chip(desc);
}

int irq_startup(struct irq_desc *desc, bool resend)
{
	struct irq_data *d = &desc->irq_data;
	u32 state = desc_state(desc);
	int ret = 0;

	desc->depth = 0;
	send_owed_eoi(desc);		/* disabled before its thread was done: S-088 */
	if (state & IRQD_IRQ_STARTED) {
		irq_enable(desc);
	} else if (state & IRQD_AFFINITY_MANAGED) {
		ret = start_managed(desc);
		if (!irqd_is_started(d))
			return ret;
	} else {
		if (d->chip->flags & IRQCHIP_AFFINITY_PRE_STARTUP)
			irq_setup_affinity(desc);
		ret = start_chip(desc);
		if (!(d->chip->flags & IRQCHIP_AFFINITY_PRE_STARTUP))
			irq_setup_affinity(desc);
	}
	if (resend && (desc->istate & IRQS_PENDING))
		check_irq_resend(desc, false);
	return ret;
}

int irq_activate_and_startup(struct irq_desc *desc, bool resend)
{
	int ret = irq_activate(desc);

	return ret ? ret : irq_startup(desc, resend);
}

void irq_startup_managed(struct irq_desc *desc)
{
	irqd_clear(&desc->irq_data, IRQD_MANAGED_SHUTDOWN);
	/* A driver's own disable outlives the restart. (Z-2) */
	if (!desc->depth || !--desc->depth)
		irq_startup(desc, IRQ_RESEND);
}

void irq_shutdown(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	if (!irqd_is_started(&desc->irq_data))
		return;
	clear_irq_resend(desc);
	desc->depth++;
	if (chip->irq_shutdown) {
		chip->irq_shutdown(&desc->irq_data);
		irqd_set(&desc->irq_data, IRQD_IRQ_DISABLED | IRQD_IRQ_MASKED);
	} else {
		disable_now(desc, true);
	}
	irqd_clear(&desc->irq_data, IRQD_IRQ_STARTED);
}

void irq_shutdown_and_deactivate(struct irq_desc *desc)
{
	irq_shutdown(desc);
	irq_domain_deactivate_irq(&desc->irq_data);
}
