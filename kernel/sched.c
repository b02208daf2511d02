/*
 * The scheduler: per-CPU run queues, switching, blocking and waking. A thread never leaves its CPU,
 * so each CPU's queues have one lock, which is held from the change of a thread's state until its
 * registers are saved:
 *
 *	thread_block()  lock  state = BLOCKED  pick next  arch_switch() --> the next thread  unlock
 *	thread_wake()   lock  BLOCKED -> RUNNABLE, enqueue  unlock, perhaps an IPI
 *
 * so a waker sees a thread either running or saved, never between. A wake of a thread that is not
 * blocked is remembered for its next block.
 */
#include <kernel/printk.h>
#include <kernel/sched.h>
#include <kernel/smp.h>
#include <kernel/trace.h>

#define SLICE_NS	(10 * NSEC_PER_MSEC)
#define STACK_RESERVE	512		/* more than a trap frame */

static struct timer ticks[NR_CPUS];

/* ---- Run queues. rq_lock held. -------------------------------------------------------------- */

static void enqueue(struct cpu *cpu, struct thread *t, bool first)
{
	if (first)
		list_add(&t->link, &cpu->queue[t->prio]);
	else
		list_add_tail(&t->link, &cpu->queue[t->prio]);
	cpu->rq_bitmap |= 1U << t->prio;
}

/* The highest priority that waits, or -1. */
static int best_prio(const struct cpu *cpu)
{
	int prio = NR_PRIOS - 1;

	while (prio >= 0 && !(cpu->rq_bitmap >> prio & 1))
		prio--;
	return prio;
}

static struct thread *dequeue(struct cpu *cpu, int prio)
{
	struct thread *t = list_first_entry(&cpu->queue[prio], struct thread, link);

	list_del_init(&t->link);
	if (list_empty(&cpu->queue[prio]))
		cpu->rq_bitmap &= ~(1U << prio);
	return t;
}

static void arm_tick(struct cpu *cpu)
{
	if (!cpu->tick->cpu)
		timer_arm(cpu->tick, ktime_get_ns() + SLICE_NS);
}

static void tick(struct timer *timer)
{
	struct cpu *cpu = this_cpu();

	(void)timer;
	cpu->slice_over = true;
	cpu->need_resched = true;
}

/* Who runs next; a PREV that could go on is put back into its queue if it is not that one. */
static struct thread *pick_next(struct cpu *cpu, struct thread *prev)
{
	bool turn = cpu->slice_over;
	int best = best_prio(cpu);
	struct thread *next;

	cpu->slice_over = false;
	cpu->need_resched = false;
	if (prev->state == THREAD_RUNNABLE && prev != cpu->idle) {
		if (best > (int)prev->prio || (best == (int)prev->prio && turn))
			enqueue(cpu, prev, best > (int)prev->prio);
		else
			best = -1;
		next = best < 0 ? prev : dequeue(cpu, best);
	} else {
		next = best < 0 ? cpu->idle : dequeue(cpu, best);
	}
	if (cpu->rq_bitmap >> next->prio & 1)
		arm_tick(cpu);
	return next;
}

/* ---- Switching. Irqs off. ------------------------------------------------------------------- */

void sched_set_current(struct cpu *cpu, struct thread *t)
{
	cpu->current = t;
	cpu->stack_limit = (unsigned long)t->stack + STACK_RESERVE;
	t->on_cpu = true;
}

void sched_finish_switch(struct thread *prev)
{
	bool dead = prev->state == THREAD_DEAD;

	prev->on_cpu = false;
	spin_unlock(&this_cpu()->rq_lock);
	if (dead)
		thread_reap(prev);
}

/* rq_lock held on entry, not on return. */
static void schedule_locked(struct cpu *cpu)
{
	struct thread *prev = cpu->current, *next = pick_next(cpu, prev);

	if (next == prev) {
		spin_unlock(&cpu->rq_lock);
		return;
	}
	cpu->switches++;
	sched_set_current(cpu, next);
	sched_finish_switch(arch_switch(prev, next));
}

void schedule(void)
{
	struct cpu *cpu = this_cpu();

	spin_lock(&cpu->rq_lock);
	schedule_locked(cpu);
}

void thread_yield(void)
{
	unsigned long flags = arch_local_irq_save();

	this_cpu()->slice_over = true;
	schedule();
	arch_local_irq_restore(flags);
}

void idle_loop(void)
{
	struct cpu *cpu = this_cpu();

	for (;;) {
		arch_local_irq_disable();
		if (cpu->rq_bitmap)
			schedule();
		else if (unlikely(__atomic_load_n(&cpu->leaving, __ATOMIC_ACQUIRE) == CPU_ASKED))
			cpu_leave();
		else
			arch_wait_for_interrupt();
		arch_local_irq_enable();	/* what woke the CPU is taken here */
	}
}

/* ---- Blocking and waking -------------------------------------------------------------------- */

struct timeout {
	struct timer timer;
	struct thread *thread;
	bool passed;
};

static void timeout_passed(struct timer *timer)
{
	struct timeout *t = container_of(timer, struct timeout, timer);

	t->passed = true;
	thread_wake(t->thread);
}

bool thread_block(u64 deadline)
{
	unsigned long flags = arch_local_irq_save();
	struct thread *self = current_thread();
	struct timeout timeout = { .thread = self };
	struct cpu *cpu = self->cpu;

	timer_init(&timeout.timer, timeout_passed);
	spin_lock(&cpu->rq_lock);
	if (self->wake_pending || deadline <= ktime_get_ns()) {
		timeout.passed = !self->wake_pending;
		self->wake_pending = false;
		spin_unlock(&cpu->rq_lock);
	} else {
		self->state = THREAD_BLOCKED;
		if (deadline != TIME_NEVER)
			timer_arm(&timeout.timer, deadline);
		schedule_locked(cpu);
		timer_cancel(&timeout.timer);	/* its function runs on this CPU only */
	}
	arch_local_irq_restore(flags);
	return !timeout.passed;
}

/*
 * CPU's queue has got a thread whose priority is OVER that of the running one. IRQS_ON: this CPU
 * may switch here and now. Irqs off.
 */
static void resched(struct cpu *cpu, int over, bool irqs_on)
{
	if (cpu != this_cpu())
		smp_send_reschedule(cpu->id);
	else if (!over)
		arm_tick(cpu);
	else if (in_interrupt())
		cpu->need_resched = true;
	else if (irqs_on)
		schedule();
	else
		timer_arm(cpu->tick, 0);	/* as soon as the caller allows irqs */
}

/* Makes T runnable; returns whether its CPU must hear of it. rq_lock held. */
static bool make_runnable(struct cpu *cpu, struct thread *t, int *over)
{
	t->state = THREAD_RUNNABLE;
	enqueue(cpu, t, false);
	*over = (int)t->prio - (int)cpu->current->prio;
	return cpu->online && (*over > 0 || (*over == 0 && !cpu->tick->cpu));
}

void thread_wake(struct thread *t)
{
	bool irqs_on = !arch_irqs_disabled(), tell = false;
	unsigned long flags = arch_local_irq_save();
	struct cpu *cpu = t->cpu;
	int over = 0;

	spin_lock(&cpu->rq_lock);
	if (t->state == THREAD_BLOCKED) {
		station_wake(t->name);
		tell = make_runnable(cpu, t, &over);
	} else {
		t->wake_pending = true;
	}
	spin_unlock(&cpu->rq_lock);
	if (tell)
		resched(cpu, over, irqs_on);
	arch_local_irq_restore(flags);
}

/* ---- For thread.c --------------------------------------------------------------------------- */

void sched_exit(void)
{
	struct cpu *cpu = this_cpu();

	spin_lock(&cpu->rq_lock);
	cpu->current->state = THREAD_DEAD;
	schedule_locked(cpu);
	panic("thread %s runs after its end", cpu->current->name);
}

void sched_init(void)
{
	for (unsigned int i = 0; i < NR_CPUS; i++) {
		cpus[i].tick = &ticks[i];
		timer_init(&ticks[i], tick);
		for (unsigned int prio = 0; prio < NR_PRIOS; prio++)
			INIT_LIST_HEAD(&cpus[i].queue[prio]);
	}
}
