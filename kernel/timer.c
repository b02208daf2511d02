/*
 * Timers: a sorted list per CPU, and the clock device that interrupts for the earliest one.
 *
 *	timer_arm() -> list -> clock set() … interrupt -> clock_tick() -> TIMER_SOFTIRQ -> fn(timer)
 *
 * The clock is only ever set earlier; when the timer it was set for is gone by then, one interrupt
 * finds nothing to do and sets it anew. So arming a timeout and cancelling it in time, which is the
 * life of most timers, costs no access to the device.
 */
#include <kernel/interrupt.h>
#include <kernel/time.h>
#include <kernel/timekeeping.h>

static const struct clock_device *clock_device;

/* ---- The clock. Irqs off, this CPU's timer_lock held. --------------------------------------- */

static void set_clock(struct cpu *cpu, u64 expires)
{
	cpu->timer_programmed = expires;
	if (clock_device)
		clock_device->set(expires == TIME_NEVER ? ~0ULL : ktime_to_counter(expires));
}

static u64 first_expiry(const struct cpu *cpu)
{
	if (list_empty(&cpu->timers))
		return TIME_NEVER;
	return list_first_entry(&cpu->timers, struct timer, link)->expires;
}

void timers_start_cpu(void)
{
	struct cpu *cpu = this_cpu();
	unsigned long flags = spin_lock_irqsave(&cpu->timer_lock);

	set_clock(cpu, first_expiry(cpu));
	spin_unlock_irqrestore(&cpu->timer_lock, flags);
}

void clock_register(const struct clock_device *dev)
{
	clock_device = dev;
	timers_start_cpu();
}

bool clock_present(void)
{
	return clock_device;
}

void clock_stop(void)
{
	struct cpu *cpu = this_cpu();

	spin_lock(&cpu->timer_lock);
	set_clock(cpu, TIME_NEVER);
	spin_unlock(&cpu->timer_lock);
}

/* The device stays silent until set again: the softirq does that once the list is in order. */
void clock_tick(void)
{
	struct cpu *cpu = this_cpu();

	spin_lock(&cpu->timer_lock);
	set_clock(cpu, TIME_NEVER);
	spin_unlock(&cpu->timer_lock);
	raise_softirq_irqoff(TIMER_SOFTIRQ);
}

/* ---- Timers --------------------------------------------------------------------------------- */

void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
	INIT_LIST_HEAD(&timer->link);
	timer->expires = TIME_NEVER;
	timer->fn = fn;
	timer->cpu = NULL;
}

/* The CPU whose list holds TIMER, with its lock taken; NULL if none does. Irqs off. */
static struct cpu *lock_timer(struct timer *timer)
{
	struct cpu *cpu;

	while ((cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE))) {
		spin_lock(&cpu->timer_lock);
		if (cpu == __atomic_load_n(&timer->cpu, __ATOMIC_RELAXED))
			break;
		spin_unlock(&cpu->timer_lock);
	}
	return cpu;
}

static void unlink_timer(struct timer *timer)
{
	list_del_init(&timer->link);
	__atomic_store_n(&timer->cpu, NULL, __ATOMIC_RELEASE);
}

bool timer_cancel(struct timer *timer)
{
	unsigned long flags = arch_local_irq_save();
	struct cpu *cpu = lock_timer(timer);

	if (cpu) {
		unlink_timer(timer);
		spin_unlock(&cpu->timer_lock);
	}
	arch_local_irq_restore(flags);
	return cpu != NULL;
}

static void link_timer(struct cpu *cpu, struct timer *timer)
{
	struct list_head *after = &cpu->timers;

	/* From the end: timeouts are armed in much the order in which they expire. */
	while (after->prev != &cpu->timers &&
	       list_entry(after->prev, struct timer, link)->expires > timer->expires)
		after = after->prev;
	list_add_tail(&timer->link, after);
	__atomic_store_n(&timer->cpu, cpu, __ATOMIC_RELEASE);
}

void timer_arm(struct timer *timer, u64 expires)
{
	unsigned long flags = arch_local_irq_save();
	struct cpu *cpu = this_cpu();

	timer_cancel(timer);
	spin_lock(&cpu->timer_lock);
	timer->expires = expires;
	link_timer(cpu, timer);
	if (expires < cpu->timer_programmed)
		set_clock(cpu, expires);
	spin_unlock(&cpu->timer_lock);
	arch_local_irq_restore(flags);
}

/* Under both locks, so that whoever cancels one of them finds it in one of the lists. Nobody else
 * holds two. */
void timers_take_over(struct cpu *from)
{
	unsigned long flags = arch_local_irq_save();
	struct cpu *cpu = this_cpu();

	timer_cancel(from->tick);
	spin_lock(&from->timer_lock);
	spin_lock(&cpu->timer_lock);
	while (!list_empty(&from->timers)) {
		struct timer *timer = list_first_entry(&from->timers, struct timer, link);

		list_del_init(&timer->link);
		link_timer(cpu, timer);
	}
	if (first_expiry(cpu) < cpu->timer_programmed)
		set_clock(cpu, first_expiry(cpu));
	spin_unlock(&cpu->timer_lock);
	spin_unlock(&from->timer_lock);
	arch_local_irq_restore(flags);
}

/* ---- The softirq ---------------------------------------------------------------------------- */

static void run_timers(void)
{
	struct cpu *cpu = this_cpu();
	unsigned long flags = spin_lock_irqsave(&cpu->timer_lock);

	while (first_expiry(cpu) <= ktime_get_ns()) {
		struct timer *timer = list_first_entry(&cpu->timers, struct timer, link);

		unlink_timer(timer);
		spin_unlock_irqrestore(&cpu->timer_lock, flags);
		timer->fn(timer);
		flags = spin_lock_irqsave(&cpu->timer_lock);
	}
	if (first_expiry(cpu) < cpu->timer_programmed)
		set_clock(cpu, first_expiry(cpu));
	spin_unlock_irqrestore(&cpu->timer_lock, flags);
}

void timers_init(void)
{
	for (unsigned int i = 0; i < NR_CPUS; i++) {
		INIT_LIST_HEAD(&cpus[i].timers);
		cpus[i].timer_programmed = TIME_NEVER;
	}
	open_softirq(TIMER_SOFTIRQ, run_timers);
}
