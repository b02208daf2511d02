/*
 * Threaded handlers: the primary handler returns IRQ_WAKE_THREAD, a kernel thread of its own runs
 * the rest, and a ONESHOT line stays masked until every woken sharer's thread has finished.
 *
 *   hard irq: __irq_wake_thread -> threads_oneshot |= bit, threads_active++, wake
 *   thread:   thread_fn -> finalize_oneshot (last one unmasks) -> threads_active-- -> synchronize
 *
 * (Linux: kernel/irq/manage.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/mm.h>
#include <kernel/trace.h>

bool force_irqthreads_key;

irqreturn_t irq_default_primary_handler(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	return IRQ_WAKE_THREAD;
}

static irqreturn_t irq_forced_secondary_handler(int irq, void *dev_id)
{
	(void)dev_id;
	pr_warn_once("irq %d: secondary action called from hard irq", irq);
	return IRQ_NONE;
}

/* ---- Hard irq side -------------------------------------------------------------------------- */

void __irq_wake_thread(struct irq_desc *desc, struct irqaction *action)
{
	if (__atomic_fetch_or(&action->thread_flags, BIT(IRQTF_RUNTHREAD), __ATOMIC_ACQ_REL) &
	    BIT(IRQTF_RUNTHREAD))
		return;
	/* No lock: the line is in progress, and the thread's side waits for that to end. */
	desc->threads_oneshot |= action->thread_mask;
	__atomic_add_fetch(&desc->threads_active, 1, __ATOMIC_RELAXED);
	thread_wake(action->thread);
}

void irq_wake_thread(unsigned int irq, void *dev_id)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_lock(irq, &flags);

	if (!desc)
		return;
	for (struct irqaction *a = desc->action; a; a = a->next) {
		if (a->dev_id == dev_id && !WARN_ON(irq_settings_is(desc, IRQ_PER_CPU_DEVID))) {
			if (a->thread_fn)
				__irq_wake_thread(desc, a);
			break;
		}
	}
	irq_put_desc_unlock(desc, flags);
}

/* ---- Thread side ---------------------------------------------------------------------------- */

static bool take_run_flag(struct irqaction *action)
{
	const unsigned int run = BIT(IRQTF_RUNTHREAD);

	return __atomic_fetch_and(&action->thread_flags, ~run, __ATOMIC_ACQ_REL) & run;
}

static void open_line(struct irq_desc *desc)
{
	const struct irq_data *d = &desc->irq_data;

	if (desc->istate & IRQS_EOI_OWED)
		station(ST_CHIP, d->irq, d->chip, d->chip->irq_eoi, d->hwirq);
	if (d->chip->irq_unmask)
		station(ST_CHIP, d->irq, d->chip, d->chip->irq_unmask, d->hwirq);
	unmask_threaded_irq(desc);
}

/* Under the line's lock: this thread is done; the last one opens the line. */
static void oneshot_done(struct irq_desc *desc, struct irqaction *action)
{
	if (__atomic_load_n(&action->thread_flags, __ATOMIC_ACQUIRE) & BIT(IRQTF_RUNTHREAD))
		return;		/* woken again meanwhile */
	desc->threads_oneshot &= ~action->thread_mask;
	if (!desc->threads_oneshot && irqd_irq_masked(&desc->irq_data) &&
	    !irqd_irq_disabled(&desc->irq_data))
		open_line(desc);
}

static void finalize_oneshot(struct irq_desc *desc, struct irqaction *action)
{
	unsigned long flags;

	if (!action->thread_mask || action->handler == irq_forced_secondary_handler)
		return;
	chip_bus_lock(desc);
	for (;;) {
		flags = spin_lock_irqsave(&desc->lock);
		/* The flow handler may still be on its way out on another CPU. */
		if (!irqd_irq_inprogress(&desc->irq_data))
			break;
		spin_unlock_irqrestore(&desc->lock, flags);
		cpu_relax();
	}
	oneshot_done(desc, action);
	spin_unlock_irqrestore(&desc->lock, flags);
	chip_bus_sync_unlock(desc);
}

static irqreturn_t run_thread_fn(struct irq_desc *desc, struct irqaction *action)
{
	bool forced = __atomic_load_n(&action->thread_flags, __ATOMIC_RELAXED) &
		      BIT(IRQTF_FORCED_THREAD);
	unsigned long flags = 0;
	irqreturn_t ret;

	if (forced) {		/* a hard handler expects irqs off, and softirqs after it */
		local_bh_disable();
		flags = arch_local_irq_save();
	}
	station_thread(ST_THREAD, action->irq, NULL, action->thread_fn, action->dev_id);
	ret = action->thread_fn(action->irq, action->dev_id);
	station_thread(ST_THREADED, action->irq, NULL, ret, 0);
	if (forced)
		arch_local_irq_restore(flags);
	if (ret == IRQ_HANDLED)
		__atomic_add_fetch(&desc->threads_handled, 1, __ATOMIC_RELAXED);
	finalize_oneshot(desc, action);
	if (forced)
		local_bh_enable();
	return ret;
}

/* Who waits for a line's threads, of all lines: there are seldom any. Inside of desc->lock. */
struct waiter {
	struct list_head link;
	const struct irq_desc *desc;
	struct thread *thread;
};
static LIST_HEAD(waiters);
static spinlock_t waiters_lock = SPINLOCK_INIT;

static void wake_waiters(const struct irq_desc *desc)
{
	struct waiter *w;

	spin_lock(&waiters_lock);
	list_for_each_entry(w, &waiters, link)
		if (w->desc == desc)
			thread_wake(w->thread);
	spin_unlock(&waiters_lock);
}

/* Off the list, if it is on it. */
static void set_waiting(struct waiter *w, bool waiting)
{
	spin_lock(&waiters_lock);
	list_del_init(&w->link);
	if (waiting)
		list_add_tail(&w->link, &waiters);
	spin_unlock(&waiters_lock);
}

static void thread_finished(struct irq_desc *desc)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);

	if (!__atomic_sub_fetch(&desc->threads_active, 1, __ATOMIC_ACQ_REL))
		wake_waiters(desc);
	spin_unlock_irqrestore(&desc->lock, flags);
}

static bool is_own_thread(const struct irq_desc *desc, const struct thread *thread)
{
	for (const struct irqaction *a = desc->action; a; a = a->next)
		if (a->thread_fn && (a->thread == thread ||
				     (a->secondary && a->secondary->thread == thread)))
			return true;
	return false;
}

void irq_wait_threads(struct irq_desc *desc)
{
	struct waiter w = { LIST_HEAD_INIT(w.link), desc, current_thread() };
	unsigned long flags = spin_lock_irqsave(&desc->lock);

	if (is_own_thread(desc, w.thread)) {
		spin_unlock_irqrestore(&desc->lock, flags);
		pr_warn("irq %u: its end is waited for from its thread", desc->irq_data.irq);
		return;
	}
	set_waiting(&w, true);
	while (__atomic_load_n(&desc->threads_active, __ATOMIC_ACQUIRE)) {
		spin_unlock_irqrestore(&desc->lock, flags);
		thread_block(TIME_NEVER);
		flags = spin_lock_irqsave(&desc->lock);
	}
	set_waiting(&w, false);
	spin_unlock_irqrestore(&desc->lock, flags);
}

static int irq_thread(void *data)
{
	struct irqaction *action = data;
	struct irq_desc *desc = irq_to_desc(action->irq);

	for (;;) {
		if (!take_run_flag(action)) {
			if (thread_should_stop())
				return 0;
			thread_block(TIME_NEVER);
			continue;
		}
		if (run_thread_fn(desc, action) == IRQ_WAKE_THREAD && action->secondary)
			__irq_wake_thread(desc, action->secondary);
		thread_finished(desc);
	}
}

/* ---- Life ----------------------------------------------------------------------------------- */

int irq_setup_forced_threading(struct irqaction *new)
{
	if (new->handler == irq_default_primary_handler ||
	    (new->flags & (IRQF_NO_THREAD | IRQF_PERCPU | IRQF_ONESHOT)))
		return 0;
	new->flags |= IRQF_ONESHOT;	/* masked while its former hard handler runs */
	if (new->thread_fn) {
		struct irqaction *second = kzalloc(sizeof(*second));

		if (!second)
			return -ENOMEM;
		second->handler = irq_forced_secondary_handler;
		second->thread_fn = new->thread_fn;
		second->dev_id = new->dev_id;
		second->irq = new->irq;
		second->name = new->name;
		new->secondary = second;
	}
	new->thread_flags |= BIT(IRQTF_FORCED_THREAD);
	new->thread_fn = new->handler;
	new->handler = irq_default_primary_handler;
	return 0;
}

int irq_threads_create(struct irqaction *action)
{
	const char *kind = "";

	for (; action && action->thread_fn; action = action->secondary, kind = "s-") {
		char *name = kasprintf("irq/%u-%s%s", action->irq, kind,
				       action->name ? action->name : "");

		if (name)
			action->thread = thread_create(name, irq_thread, action, PRIO_IRQ,
						       smp_processor_id());
		if (!action->thread) {
			kfree(name);
			return -ENOMEM;
		}
	}
	return 0;
}

void irq_threads_stop(struct irqaction *action)
{
	for (; action && action->thread_fn; action = action->secondary) {
		const char *name = action->thread ? action->thread->name : NULL;

		if (action->thread)
			thread_stop(action->thread);
		action->thread = NULL;
		kfree(name);
	}
}

void irq_free_action(struct irqaction *action)
{
	if (action->thread_fn)
		kfree(action->secondary);
	kfree(action);
}
