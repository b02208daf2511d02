/*
 * The hot path: from a claimed hwirq to the driver's handler and back. Read it downwards:
 *
 *   generic_handle_domain_irq   hwirq -> irq_desc, one array lookup
 *   handle_edge_irq             the flow: what the controller needs around the handlers
 *   run_handlers                marks the line in progress, drops its lock, calls the handler
 *
 * Here is an interrupt as it should be: its line is enabled, has a handler, no CPU runs it, nothing
 * is left of an earlier one, and nobody traces. irq_is_usual() asks all of that at once; whatever
 * it finds goes the long way through flow.c, which asks one by one and has the stations. What an
 * instruction costs here is what tests/bench counts.
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

/* ---- From a number to its line -------------------------------------------------------------- */

static int __attribute__((noinline)) outside_irq_context(unsigned int irq)
{
	pr_warn_once("irq %u: delivered outside interrupt context", irq);
	return -EPERM;
}

/* The depth first: inside an interrupt, which is nearly always, that one load is all. */
static __always_inline int handle_desc(struct irq_desc *desc)
{
	if (unlikely(!this_cpu()->irq_depth && irqd_is_handle_enforce_irqctx(&desc->irq_data)))
		return outside_irq_context(desc->irq_data.irq);
	generic_handle_irq_desc(desc);
	return 0;
}

/* Gives DATA back, so that while nobody traces nothing has to be kept across a call. */
static struct irq_data * __attribute__((noinline)) trace_lookup(struct irq_domain *d,
								irq_hw_number_t hwirq,
								struct irq_data *data)
{
	trace_record_at((unsigned long)generic_handle_domain_irq, ST_LOOKUP, data->irq, d, hwirq,
			0);
	return data;
}

/* A number beyond the array; apart, for the same reason. */
static int __attribute__((noinline)) handle_domain_irq_slow(struct irq_domain *d,
							    irq_hw_number_t hwirq)
{
	struct irq_data *data = irq_domain_lookup_slow(d, hwirq);

	if (!data)
		return -EINVAL;
	if (this_cpu()->trace_on)
		trace_lookup(d, hwirq, data);
	return handle_desc(irq_data_to_desc(data));
}

int generic_handle_domain_irq(struct irq_domain *d, irq_hw_number_t hwirq)
{
	struct irq_data *data;

	if (unlikely(hwirq >= d->revmap_size))
		return handle_domain_irq_slow(d, hwirq);
	data = irq_domain_lookup(d, hwirq);
	if (unlikely(!data))
		return -EINVAL;
	if (unlikely(this_cpu()->trace_on))
		data = trace_lookup(d, hwirq, data);
	return handle_desc(irq_data_to_desc(data));
}

int generic_handle_irq(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc ? handle_desc(desc) : -EINVAL;
}

int generic_handle_irq_safe(unsigned int irq)
{
	unsigned long flags = arch_local_irq_save();
	int ret = generic_handle_irq(irq);

	arch_local_irq_restore(flags);
	return ret;
}

int generic_handle_domain_irq_safe(struct irq_domain *d, irq_hw_number_t hwirq)
{
	unsigned long flags = arch_local_irq_save();
	int ret = generic_handle_domain_irq(d, hwirq);

	arch_local_irq_restore(flags);
	return ret;
}

/* ---- The handlers --------------------------------------------------------------------------- */

static irqreturn_t __attribute__((noinline)) enabled_interrupts(struct irqaction *action,
								irqreturn_t ret)
{
	pr_warn_once("irq %u: handler of %s enabled interrupts", action->irq, action->name);
	arch_local_irq_disable();
	return ret;
}

static void wake_thread(struct irq_desc *desc, struct irqaction *action)
{
	if (action->thread_fn) {
		__irq_wake_thread(desc, action);
		return;
	}
	if (!(__atomic_fetch_or(&action->flags, IRQF_WARNED, __ATOMIC_RELAXED) & IRQF_WARNED))
		pr_warn("irq %u: %s returned IRQ_WAKE_THREAD without a thread function",
			action->irq, action->name);
}

static __always_inline irqreturn_t call_handler(struct irqaction *action, unsigned int irq)
{
	irqreturn_t ret = action->handler(irq, action->dev_id);

	return likely(arch_irqs_disabled()) ? ret : enabled_interrupts(action, ret);
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
		res = call_handler(action, irq);
		station(ST_HANDLED, irq, NULL, res, 0);
		if (res == IRQ_WAKE_THREAD)
			wake_thread(desc, action);
		retval |= res;
	}
	return retval;
}

/* What the first handler alone does not settle: its thread, the others, the detector. */
static void __attribute__((noinline)) more_than_handled(struct irq_desc *desc,
							struct irqaction *action, irqreturn_t ret)
{
	if (ret == IRQ_WAKE_THREAD)
		wake_thread(desc, action);
	while ((action = next_action(&action->next))) {
		irqreturn_t res = call_handler(action, desc->irq_data.irq);

		if (res == IRQ_WAKE_THREAD)
			wake_thread(desc, action);
		ret |= res;
	}
	judge_event(desc, ret);
}

/* With the lock held, which is dropped for the handlers. IRQS_PENDING is clear: what comes from
 * here on must be seen again. (S-097) */
static __always_inline void run_handlers(struct irq_desc *desc)
{
	struct irqaction *action = desc->action;
	irqreturn_t ret;

	desc_toggle_inprogress(desc);
	spin_unlock(&desc->lock);

	ret = call_handler(action, desc->irq_data.irq);
	if (unlikely(ret != IRQ_HANDLED || next_action(&action->next) || desc->irqs_unhandled))
		more_than_handled(desc, action, ret);

	spin_lock(&desc->lock);
	desc_toggle_inprogress(desc);
}

/* ---- Flows ---------------------------------------------------------------------------------- */

static __always_inline bool irq_is_usual(const struct irq_desc *desc)
{
	return !this_cpu()->trace_on && !desc->istate && desc->action &&
	       !(desc_state(desc) & (IRQD_IRQ_INPROGRESS | IRQD_IRQ_DISABLED));
}

/* An edge is acknowledged before the handlers, so that the next one is not lost. */
void handle_edge_irq(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;

	spin_lock(&desc->lock);
	if (unlikely(!irq_is_usual(desc))) {
		edge_the_long_way(desc);
		goto unlock;
	}
	kstat_incr_irqs_this_cpu(desc);
	if (chip->irq_ack)
		chip->irq_ack(&desc->irq_data);
	run_handlers(desc);
	if (unlikely(desc->istate & IRQS_PENDING))
		edge_again(desc);
unlock:
	spin_unlock(&desc->lock);
}

/* A controller that keeps the line active by itself, from the claim to the end of interrupt. */
void handle_fasteoi_irq(struct irq_desc *desc)
{
	spin_lock(&desc->lock);
	if (unlikely(!irq_is_usual(desc))) {
		fasteoi_the_long_way(desc);
		goto unlock;
	}
	kstat_incr_irqs_this_cpu(desc);
	run_handlers(desc);
	desc->irq_data.chip->irq_eoi(&desc->irq_data);
	if (unlikely(desc->istate & IRQS_PENDING))
		check_irq_resend(desc, false);
unlock:
	spin_unlock(&desc->lock);
}
