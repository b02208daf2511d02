/*
 * Threads and the scheduler. A thread never leaves its CPU, so each CPU's run queues have one lock,
 * which is held from the change of a thread's state until its registers are saved:
 *
 *	thread_block()  lock  state = BLOCKED  pick next  arch_switch() --> the next thread  unlock
 *	thread_wake()   lock  BLOCKED -> RUNNABLE, enqueue  unlock, perhaps an IPI
 *
 * so a waker sees a thread either running or saved, never between. A wake of a thread that is not
 * blocked is remembered for its next block.
 */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/thread.h>
#include <kernel/trace.h>
#include <lib/errno.h>

#define SLICE_NS	(10 * NSEC_PER_MSEC)
#define STACK_RESERVE	512		/* more than a trap frame */

static spinlock_t threads_lock;		/* protects the list; taken before any rq_lock */
static LIST_HEAD(threads);

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

static void set_current(struct cpu *cpu, struct thread *t)
{
	cpu->current = t;
	cpu->stack_limit = (unsigned long)t->stack + STACK_RESERVE;
	t->on_cpu = true;
}

static void reap(struct thread *t)
{
	if (t->exited)
		complete(t->exited);
	stack_free(t->stack);
	kfree(t);
}

/* The first thing every thread does when it gets the CPU: PREV's registers are saved now. */
static void finish_switch(struct thread *prev)
{
	bool dead = prev->state == THREAD_DEAD;

	prev->on_cpu = false;
	spin_unlock(&this_cpu()->rq_lock);
	if (dead)
		reap(prev);
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
	set_current(cpu, next);
	finish_switch(arch_switch(prev, next));
}

void schedule(void)
{
	struct cpu *cpu = this_cpu();

	spin_lock(&cpu->rq_lock);
	schedule_locked(cpu);
}

void schedule_irq_exit(void)
{
	schedule();
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
		station(ST_WAKE, 0, t, 0, 0);
		tell = make_runnable(cpu, t, &over);
	} else {
		t->wake_pending = true;
	}
	spin_unlock(&cpu->rq_lock);
	if (tell)
		resched(cpu, over, irqs_on);
	arch_local_irq_restore(flags);
}

/* ---- Life and death ------------------------------------------------------------------------- */

static void add_to_list(struct thread *t)
{
	unsigned long flags = spin_lock_irqsave(&threads_lock);

	list_add_tail(&t->all, &threads);
	spin_unlock_irqrestore(&threads_lock, flags);
}

struct thread *thread_create(const char *name, int (*fn)(void *arg), void *arg,
			     enum thread_prio prio, unsigned int cpu)
{
	struct thread *t = cpu < nr_cpu_ids ? kzalloc(sizeof(*t)) : NULL;

	if (!t)
		return NULL;
	t->stack = stack_alloc();
	if (!t->stack) {
		kfree(t);
		return NULL;
	}
	t->name = name;
	t->cpu = &cpus[cpu];
	t->prio = prio;
	t->fn = fn;
	t->arg = arg;
	t->state = THREAD_BLOCKED;
	arch_thread_init(t);
	add_to_list(t);
	thread_wake(t);
	return t;
}

static void __noreturn thread_exit(void)
{
	struct thread *self = current_thread();
	struct cpu *cpu = self->cpu;

	arch_local_irq_disable();
	spin_lock(&threads_lock);
	list_del_init(&self->all);
	spin_unlock(&threads_lock);
	spin_lock(&cpu->rq_lock);
	self->state = THREAD_DEAD;
	schedule_locked(cpu);
	panic("thread %s runs after its end", self->name);
}

void thread_entry(struct thread *prev)
{
	struct thread *self = current_thread();

	finish_switch(prev);
	arch_local_irq_enable();
	self->fn(self->arg);
	thread_exit();
}

/* Under the list's lock a thread that is still on the list cannot be freed. */
void thread_stop(struct thread *thread)
{
	struct completion ended;
	bool alive = false;
	unsigned long flags;
	struct thread *t;

	init_completion(&ended);
	flags = spin_lock_irqsave(&threads_lock);
	list_for_each_entry(t, &threads, all)
		alive |= t == thread;
	if (alive) {
		thread->exited = &ended;
		__atomic_store_n(&thread->cancel, true, __ATOMIC_RELEASE);
		thread_wake(thread);
	}
	spin_unlock_irqrestore(&threads_lock, flags);
	if (alive)
		wait_for_completion(&ended);
}

bool thread_should_stop(void)
{
	return __atomic_load_n(&current_thread()->cancel, __ATOMIC_ACQUIRE);
}

void thread_for_each(void (*fn)(const struct thread *t, void *arg), void *arg)
{
	unsigned long flags = spin_lock_irqsave(&threads_lock);
	const struct thread *t;

	list_for_each_entry(t, &threads, all)
		fn(t, arg);
	spin_unlock_irqrestore(&threads_lock, flags);
}

/* ---- A CPU's first thread ------------------------------------------------------------------- */

static int make_idle(struct cpu *cpu, void *stack)
{
	struct thread *t = kzalloc(sizeof(*t));

	if (!t || !stack)
		return -ENOMEM;
	t->name = "idle";
	t->stack = stack;
	t->cpu = cpu;
	t->state = THREAD_RUNNABLE;
	t->prio = PRIO_IDLE;
	arch_thread_init(t);
	add_to_list(t);
	cpu->idle = t;
	set_current(cpu, t);
	return 0;
}

int thread_init_cpu(struct cpu *cpu)
{
	void *emergency = stack_alloc();

	if (!emergency)
		return -ENOMEM;
	cpu->emergency_sp = (unsigned long)emergency + STACK_SIZE;
	return make_idle(cpu, stack_alloc());
}

void thread_init(void)
{
	for (unsigned int i = 0; i < NR_CPUS; i++) {
		cpus[i].tick = &ticks[i];
		timer_init(&ticks[i], tick);
		for (unsigned int prio = 0; prio < NR_PRIOS; prio++)
			INIT_LIST_HEAD(&cpus[i].queue[prio]);
	}
	if (make_idle(&cpus[0], arch_boot_stack()))
		panic("no memory for the first thread");
}
