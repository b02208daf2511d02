/*
 * Interrupts that no handler claims. One is a glitch; when more than 99,900 of 100,000 are
 * unhandled the line is stuck, would starve its CPU, and is switched off with a report. Shared
 * handlers of such a line are then polled ten times a second, so that an innocent sharer limps on.
 * The window only runs once something was unhandled. (Linux: kernel/irq/spurious.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/time.h>

#define WINDOW		100000
#define THRESHOLD	99900
#define POLL_NS		(NSEC_PER_SEC / 10)
#define RESET_NS	(NSEC_PER_SEC / 10)	/* isolated unhandled ones are forgotten */

static void poll_spurious_irqs(struct timer *timer);
static struct timer poll_timer;
static u32 polling;		/* the poller's CPU + 1 while it runs */
static u32 poll_started;

static void list_handlers(const struct irq_desc *desc)
{
	for (const struct irqaction *a = desc->action; a; a = a->next) {
		char name[64];

		printk("  handler %s (%s)\n", symbol_name(name, sizeof(name),
							  (unsigned long)a->handler), a->name);
	}
}

static void report_bad_return(struct irq_desc *desc, irqreturn_t ret)
{
	static int left = 100;

	if (__atomic_fetch_sub(&left, 1, __ATOMIC_RELAXED) <= 0)
		return;
	pr_warn("irq %u: a handler returned %#x", desc->irq_data.irq, ret);
	list_handlers(desc);
}

static void switch_off(struct irq_desc *desc)
{
	pr_err("irq %u: nobody cared (%u of the last %u interrupts unhandled); disabling it",
	       desc->irq_data.irq, desc->irqs_unhandled, WINDOW);
	list_handlers(desc);
	desc->istate |= IRQS_SPURIOUS_DISABLED;
	desc->depth++;
	irq_disable(desc);
	if (!__atomic_exchange_n(&poll_started, 1, __ATOMIC_ACQ_REL))
		timer_init(&poll_timer, poll_spurious_irqs);
	timer_arm(&poll_timer, ktime_get_ns() + POLL_NS);
}

/* A threaded handler's verdict comes later: judge by whether its thread got anywhere since the
 * last interrupt. True: nothing to note now. */
static bool judged_by_thread(struct irq_desc *desc, irqreturn_t *ret)
{
	unsigned int handled = __atomic_load_n(&desc->threads_handled, __ATOMIC_RELAXED);

	/* Bit 31 marks that one wake-up is still to be judged; that a hard handler took this
	 * interrupt settles it. */
	if (*ret == (IRQ_HANDLED | IRQ_WAKE_THREAD))
		desc->threads_handled_last &= ~BIT(31);
	if (*ret != IRQ_WAKE_THREAD)
		return false;
	if (!(desc->threads_handled_last & BIT(31))) {
		desc->threads_handled_last |= BIT(31);
		return true;
	}
	handled |= BIT(31);
	*ret = handled != desc->threads_handled_last ? IRQ_HANDLED : IRQ_NONE;
	desc->threads_handled_last = handled;
	return false;
}

void note_interrupt(struct irq_desc *desc, irqreturn_t ret)
{
	u64 now;

	if (irq_settings_is(desc, IRQ_IS_POLLED))
		return;
	if (ret > (IRQ_HANDLED | IRQ_WAKE_THREAD)) {
		report_bad_return(desc, ret);
		return;
	}
	if (judged_by_thread(desc, &ret))
		return;
	if (ret == IRQ_NONE) {
		now = ktime_get_ns();
		if (now - desc->last_unhandled > RESET_NS)
			desc->irqs_unhandled = 1;
		else
			desc->irqs_unhandled++;
		desc->last_unhandled = now;
	}
	if (!desc->irqs_unhandled || ++desc->irq_count < WINDOW)
		return;
	desc->irq_count = 0;
	if (desc->irqs_unhandled > THRESHOLD) {
		spin_lock(&desc->lock);
		switch_off(desc);
		spin_unlock(&desc->lock);
	}
	desc->irqs_unhandled = 0;
}

/* ---- The poller ----------------------------------------------------------------------------- */

bool irq_wait_for_poll(struct irq_desc *desc)
{
	if (__atomic_load_n(&polling, __ATOMIC_ACQUIRE) == smp_processor_id() + 1)
		return false;
	do {
		spin_unlock(&desc->lock);
		while (irqd_irq_inprogress(&desc->irq_data))
			cpu_relax();
		spin_lock(&desc->lock);
	} while (irqd_irq_inprogress(&desc->irq_data));
	return !irqd_irq_disabled(&desc->irq_data) && desc->action;
}

static void poll_line(struct irq_desc *desc)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);

	if (!(desc->istate & IRQS_SPURIOUS_DISABLED) ||
	    irq_settings_is(desc, IRQ_IS_POLLED | IRQ_PER_CPU | IRQ_NESTED_THREAD) ||
	    !desc->action || !(desc->action->flags & IRQF_SHARED) ||
	    (desc->action->flags & __IRQF_TIMER))
		goto unlock;
	if (irqd_irq_inprogress(&desc->irq_data)) {
		desc->istate |= IRQS_PENDING;	/* once more, there */
		goto unlock;
	}
	desc->istate |= IRQS_POLL_INPROGRESS;
	do {
		handle_irq_event(desc);
	} while ((desc->istate & IRQS_PENDING) && desc->action);
	desc->istate &= ~IRQS_POLL_INPROGRESS;
unlock:
	spin_unlock_irqrestore(&desc->lock, flags);
}

static void poll_spurious_irqs(struct timer *timer)
{
	unsigned int irq;

	__atomic_store_n(&polling, smp_processor_id() + 1, __ATOMIC_RELEASE);
	for_each_irq(irq)
		poll_line(irq_to_desc(irq));
	__atomic_store_n(&polling, 0, __ATOMIC_RELEASE);
	timer_arm(timer, ktime_get_ns() + POLL_NS);
}
