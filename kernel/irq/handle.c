/*
 * The hot path: from a claimed hwirq to the driver's handler and back. Read it downwards:
 *
 *   generic_handle_domain_irq   hwirq -> irq_desc, one array lookup
 *   handle_*_irq                the flow: what the controller needs around the handlers
 *   handle_irq_event            marks the line in progress and drops its lock
 *   __handle_irq_event_percpu   calls each handler
 *
 * Which flow a line has is its trigger's nature: an edge is acknowledged before the handlers, so
 * that the next one is not lost; a level is quiet only after the device was served.
 * Irq context, irqs off throughout. (Linux: kernel/irq/handle.c and chip.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/trace.h>

void (*handle_arch_irq)(struct pt_regs *regs);

int set_handle_irq(void (*handler)(struct pt_regs *regs))
{
	if (handle_arch_irq)
		return -EBUSY;
	handle_arch_irq = handler;
	return 0;
}

static int __attribute__((noinline)) outside_irq_context(unsigned int irq)
{
	pr_warn_once("irq %u: delivered outside interrupt context", irq);
	return -EPERM;
}

static __always_inline int handle_desc(struct irq_desc *desc)
{
	if (unlikely(irqd_is_handle_enforce_irqctx(&desc->irq_data) && !this_cpu()->irq_depth))
		return outside_irq_context(desc->irq_data.irq);
	generic_handle_irq_desc(desc);
	return 0;
}

int generic_handle_domain_irq(struct irq_domain *d, irq_hw_number_t hwirq)
{
	struct irq_data *data = irq_domain_lookup(d, hwirq);

	if (unlikely(!data))
		return -EINVAL;
	station(ST_LOOKUP, data->irq, d, hwirq, 0);
	return handle_desc(irq_data_to_desc(data));
}

int generic_handle_irq(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc ? handle_desc(desc) : -EINVAL;
}

static void __attribute__((noinline)) enabled_interrupts(struct irqaction *action)
{
	pr_warn_once("irq %u: handler of %s enabled interrupts", action->irq, action->name);
	arch_local_irq_disable();
}

static void __attribute__((noinline)) wake_thread(struct irq_desc *desc, struct irqaction *action)
{
	if (action->thread_fn) {
		__irq_wake_thread(desc, action);
		return;
	}
	if (!(__atomic_fetch_or(&action->thread_flags, BIT(IRQTF_WARNED), __ATOMIC_RELAXED) &
	      BIT(IRQTF_WARNED)))
		pr_warn("irq %u: %s returned IRQ_WAKE_THREAD without a thread function",
			action->irq, action->name);
}

/* The list may change meanwhile; what it was is valid until synchronize_irq() returns. */
static __always_inline struct irqaction *next_action(struct irqaction *const *link)
{
	return __atomic_load_n(link, __ATOMIC_RELAXED);
}

irqreturn_t __handle_irq_event_percpu(struct irq_desc *desc)
{
	unsigned int irq = desc->irq_data.irq;
	irqreturn_t retval = IRQ_NONE;

	for (struct irqaction *action = next_action(&desc->action); action;
	     action = next_action(&action->next)) {
		irqreturn_t res;

		station(ST_HANDLER, irq, NULL, action->handler, action->dev_id);
		res = action->handler(irq, action->dev_id);
		station(ST_HANDLED, irq, NULL, res, 0);
		if (unlikely(!arch_irqs_disabled()))
			enabled_interrupts(action);
		if (unlikely(res == IRQ_WAKE_THREAD))
			wake_thread(desc, action);
		retval |= res;
	}
	return retval;
}

/* The detector only needs to see lines that misbehave or have done so. */
static __always_inline void judge(struct irq_desc *desc, irqreturn_t ret)
{
	if (unlikely(ret != IRQ_HANDLED || desc->irqs_unhandled))
		note_interrupt(desc, ret);
}

irqreturn_t handle_irq_event(struct irq_desc *desc)
{
	irqreturn_t ret;

	/* Cleared before the handlers: what comes from here on must be seen again. (S-097) */
	desc->istate &= ~IRQS_PENDING;
	irqd_set(&desc->irq_data, IRQD_IRQ_INPROGRESS);
	spin_unlock(&desc->lock);

	ret = __handle_irq_event_percpu(desc);
	judge(desc, ret);

	spin_lock(&desc->lock);
	irqd_clear(&desc->irq_data, IRQD_IRQ_INPROGRESS);
	return ret;
}

/* True if this CPU may run the handlers: no other does, or only the spurious poller did. */
static __always_inline bool irq_may_run(struct irq_desc *desc)
{
	if (likely(!irqd_irq_inprogress(&desc->irq_data)))
		return true;
	return (desc->istate & IRQS_POLL_INPROGRESS) && irq_wait_for_poll(desc);
}

static __always_inline bool irq_can_handle(struct irq_desc *desc)
{
	desc->istate &= ~IRQS_REPLAY;
	if (likely(desc->action && !irqd_irq_disabled(&desc->irq_data)))
		return true;
	desc->istate |= IRQS_PENDING;
	return false;
}

static void cond_unmask_irq(struct irq_desc *desc)
{
	if (!irqd_irq_disabled(&desc->irq_data) && irqd_irq_masked(&desc->irq_data) &&
	    !desc->threads_oneshot)
		unmask_irq(desc);
}

void handle_level_irq(struct irq_desc *desc)
{
	station(ST_FLOW, desc->irq_data.irq, NULL, handle_level_irq, 0);
	spin_lock(&desc->lock);
	mask_ack_irq(desc);
	if (irq_may_run(desc) && irq_can_handle(desc)) {
		kstat_incr_irqs_this_cpu(desc);
		handle_irq_event(desc);
		cond_unmask_irq(desc);
	}
	spin_unlock(&desc->lock);
}

/* Another CPU runs the handlers, or nobody wants them: remember, and keep the line quiet. */
static void __attribute__((noinline)) edge_defer(struct irq_desc *desc)
{
	desc->istate |= IRQS_PENDING;
	mask_ack_irq(desc);
}

static void __attribute__((noinline)) edge_unmask_again(struct irq_desc *desc)
{
	if (!irqd_irq_disabled(&desc->irq_data) && irqd_irq_masked(&desc->irq_data))
		unmask_irq(desc);
}

void handle_edge_irq(struct irq_desc *desc)
{
	const struct irq_chip *chip;

	station(ST_FLOW, desc->irq_data.irq, NULL, handle_edge_irq, 0);
	spin_lock(&desc->lock);
	if (unlikely(!irq_may_run(desc) || !irq_can_handle(desc))) {
		edge_defer(desc);
		goto unlock;
	}
	kstat_incr_irqs_this_cpu(desc);
	chip = desc->irq_data.chip;
	if (chip->irq_ack) {
		station(ST_CHIP, desc->irq_data.irq, chip, chip->irq_ack, desc->irq_data.hwirq);
		chip->irq_ack(&desc->irq_data);
	}
	do {
		if (unlikely(!desc->action)) {
			mask_irq(desc);
			break;
		}
		if (unlikely(desc->istate & IRQS_PENDING))
			edge_unmask_again(desc);
		handle_irq_event(desc);
	} while (unlikely(desc->istate & IRQS_PENDING) && !irqd_irq_disabled(&desc->irq_data));
unlock:
	spin_unlock(&desc->lock);
}

static __always_inline void chip_eoi(struct irq_desc *desc, const struct irq_chip *chip)
{
	station(ST_CHIP, desc->irq_data.irq, chip, chip->irq_eoi, desc->irq_data.hwirq);
	chip->irq_eoi(&desc->irq_data);
}

static void __attribute__((noinline)) oneshot_eoi(struct irq_desc *desc,
						  const struct irq_chip *chip)
{
	if (!irqd_irq_disabled(&desc->irq_data) && irqd_irq_masked(&desc->irq_data) &&
	    !desc->threads_oneshot) {
		chip_eoi(desc, chip);
		unmask_irq(desc);
	} else if (!(chip->flags & IRQCHIP_EOI_THREADED)) {
		chip_eoi(desc, chip);
	}
}

void handle_fasteoi_irq(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	station(ST_FLOW, desc->irq_data.irq, NULL, handle_fasteoi_irq, 0);
	spin_lock(&desc->lock);
	if (unlikely(!irq_may_run(desc))) {
		if (irqd_needs_resend_when_in_progress(&desc->irq_data))
			desc->istate |= IRQS_PENDING;
		goto eoi;
	}
	if (unlikely(!irq_can_handle(desc))) {
		mask_irq(desc);
		goto eoi;
	}
	kstat_incr_irqs_this_cpu(desc);
	if (unlikely(desc->istate & IRQS_ONESHOT))
		mask_irq(desc);
	handle_irq_event(desc);
	if (unlikely(desc->istate & IRQS_ONESHOT))
		oneshot_eoi(desc, chip);
	else
		chip_eoi(desc, chip);
	if (unlikely(desc->istate & IRQS_PENDING))
		check_irq_resend(desc, false);
	goto unlock;
eoi:
	if (!(chip->flags & IRQCHIP_EOI_IF_HANDLED))
		chip_eoi(desc, chip);
unlock:
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
