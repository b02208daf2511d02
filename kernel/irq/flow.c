/*
 * Flow handlers: what a controller needs around the handlers, which is its trigger's nature. An
 * edge is acknowledged before them, so that the next one is not lost; a level is quiet only after
 * the device was served; a transparent controller wants to hear of the end.
 *
 * Of edge and fasteoi this is the long way: lines that are disabled, run on another CPU, replayed,
 * oneshot, or traced. The short way, and how a line gets here, is handle.c.
 * Irq context, irqs off throughout, locked where not said otherwise. (Linux: kernel/irq/chip.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/trace.h>

irqreturn_t handle_irq_event(struct irq_desc *desc)
{
	bool polled = desc->istate & IRQS_POLL_INPROGRESS;	/* says nothing of the line */
	irqreturn_t ret;

	/* Cleared before the handlers: what comes from here on must be seen again. (S-097) */
	desc->istate &= ~IRQS_PENDING;
	desc_toggle_inprogress(desc);
	spin_unlock(&desc->lock);

	ret = __handle_irq_event_percpu(desc);
	if (!polled)
		judge_event(desc, ret);

	spin_lock(&desc->lock);
	desc_toggle_inprogress(desc);
	return ret;
}

/* True if this CPU may run the handlers: no other does, or only the spurious poller did. */
static bool irq_may_run(struct irq_desc *desc)
{
	if (!irqd_irq_inprogress(&desc->irq_data))
		return true;
	return (desc->istate & IRQS_POLL_INPROGRESS) && irq_wait_for_poll(desc);
}

static bool irq_can_handle(struct irq_desc *desc)
{
	desc->istate &= ~IRQS_REPLAY;
	if (desc->action && !irqd_irq_disabled(&desc->irq_data))
		return true;
	desc->istate |= IRQS_PENDING;
	return false;
}

/* ---- What a flow asks of the chip, as stations ----------------------------------------------- */

static void tell(const struct irq_desc *desc, void (*callback)(struct irq_data *d))
{
	if (callback)
		station(ST_CHIP, desc->irq_data.irq, desc->irq_data.chip, callback,
			desc->irq_data.hwirq);
}

static void flow_mask(struct irq_desc *desc)
{
	if (!irqd_irq_masked(&desc->irq_data))
		tell(desc, desc->irq_data.chip->irq_mask);
	mask_irq(desc);
}

static void flow_unmask(struct irq_desc *desc)
{
	if (irqd_irq_masked(&desc->irq_data))
		tell(desc, desc->irq_data.chip->irq_unmask);
	unmask_irq(desc);
}

static void flow_mask_ack(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	if (!chip->irq_mask_ack && !irqd_irq_masked(&desc->irq_data))
		tell(desc, chip->irq_mask);
	tell(desc, chip->irq_mask_ack ?: chip->irq_ack);
	mask_ack_irq(desc);
}

/* ---- Edge ----------------------------------------------------------------------------------- */

static void chip_ack(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	if (!chip->irq_ack)
		return;
	station(ST_CHIP, desc->irq_data.irq, chip, chip->irq_ack, desc->irq_data.hwirq);
	chip->irq_ack(&desc->irq_data);
}

/* Once, and again as long as another edge came meanwhile. */
static void edge_run(struct irq_desc *desc)
{
	do {
		if (!desc->action) {
			flow_mask(desc);
			break;
		}
		if ((desc->istate & IRQS_PENDING) && !irqd_irq_disabled(&desc->irq_data) &&
		    irqd_irq_masked(&desc->irq_data))
			flow_unmask(desc);
		handle_irq_event(desc);
	} while ((desc->istate & IRQS_PENDING) && !irqd_irq_disabled(&desc->irq_data));
}

void edge_again(struct irq_desc *desc)
{
	if (!irqd_irq_disabled(&desc->irq_data))
		edge_run(desc);
}

void edge_the_long_way(struct irq_desc *desc)
{
	station(ST_FLOW, desc->irq_data.irq, NULL, handle_edge_irq, 0);
	if (!irq_may_run(desc) || !irq_can_handle(desc)) {
		/* Another CPU runs it, or nobody wants it: remember, and keep the line quiet. */
		desc->istate |= IRQS_PENDING;
		flow_mask_ack(desc);
		return;
	}
	kstat_incr_irqs_this_cpu(desc);
	chip_ack(desc);
	edge_run(desc);
}

/* ---- Fasteoi -------------------------------------------------------------------------------- */

static void chip_eoi(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	station(ST_CHIP, desc->irq_data.irq, chip, chip->irq_eoi, desc->irq_data.hwirq);
	chip->irq_eoi(&desc->irq_data);
}

static void oneshot_eoi(struct irq_desc *desc)
{
	if (!irqd_irq_disabled(&desc->irq_data) && irqd_irq_masked(&desc->irq_data) &&
	    !desc->threads_oneshot) {
		chip_eoi(desc);
		flow_unmask(desc);
	} else if (!(desc->irq_data.chip->flags & IRQCHIP_EOI_THREADED)) {
		chip_eoi(desc);
	} else {
		desc->istate |= IRQS_EOI_OWED;	/* by the thread, or by an enable before it */
	}
}

static void fasteoi_run(struct irq_desc *desc)
{
	kstat_incr_irqs_this_cpu(desc);
	if (desc->istate & IRQS_ONESHOT)
		flow_mask(desc);
	handle_irq_event(desc);
	if (desc->istate & IRQS_ONESHOT)
		oneshot_eoi(desc);
	else
		chip_eoi(desc);
	if (desc->istate & IRQS_PENDING)
		check_irq_resend(desc, false);
}

void fasteoi_the_long_way(struct irq_desc *desc)
{
	station(ST_FLOW, desc->irq_data.irq, NULL, handle_fasteoi_irq, 0);
	if (!irq_may_run(desc)) {
		if (irqd_needs_resend_when_in_progress(&desc->irq_data))
			desc->istate |= IRQS_PENDING;
	} else if (!irq_can_handle(desc)) {
		flow_mask(desc);
	} else {
		fasteoi_run(desc);
		return;
	}
	if (!(desc->irq_data.chip->flags & IRQCHIP_EOI_IF_HANDLED))
		chip_eoi(desc);
}

/* ---- The others. Unlocked. ------------------------------------------------------------------ */

static void cond_unmask_irq(struct irq_desc *desc)
{
	if (!irqd_irq_disabled(&desc->irq_data) && irqd_irq_masked(&desc->irq_data) &&
	    !desc->threads_oneshot)
		flow_unmask(desc);
}

void handle_level_irq(struct irq_desc *desc)
{
	station(ST_FLOW, desc->irq_data.irq, NULL, handle_level_irq, 0);
	spin_lock(&desc->lock);
	flow_mask_ack(desc);
	if (irq_may_run(desc) && irq_can_handle(desc)) {
		kstat_incr_irqs_this_cpu(desc);
		handle_irq_event(desc);
		cond_unmask_irq(desc);
	}
	spin_unlock(&desc->lock);
}

void handle_simple_irq(struct irq_desc *desc)
{
	station(ST_FLOW, desc->irq_data.irq, NULL, handle_simple_irq, 0);
	spin_lock(&desc->lock);
	if (irq_may_run(desc) && irq_can_handle(desc)) {
		kstat_incr_irqs_this_cpu(desc);
		handle_irq_event(desc);
	}
	spin_unlock(&desc->lock);
}

void handle_bad_irq(struct irq_desc *desc)
{
	desc->kstat_irqs[smp_processor_id()]++;
	pr_warn("irq %u: unexpected interrupt (domain %s, hwirq %lu), no flow handler",
		desc->irq_data.irq, desc->irq_data.domain ? desc->irq_data.domain->name : "none",
		desc->irq_data.hwirq);
}
