/*
 * Threads from thread_create() to their end. Who runs when is sched.c's business.
 *
 *	thread_create() … thread_entry() -> fn(arg) -> sched_exit() … thread_reap()
 *
 * A thread cannot free the stack it runs on, so the next thread on its CPU does that.
 */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/sched.h>
#include <lib/errno.h>

static spinlock_t threads_lock;		/* protects the list; taken before any rq_lock */
static LIST_HEAD(threads);

/* ---- Life and death ------------------------------------------------------------------------- */

static void add_to_list(struct thread *t)
{
	unsigned long flags = spin_lock_irqsave(&threads_lock);

	if (!t->cpu->online && t->cpu->ksoftirqd)	/* else it is only about to come up */
		t->cpu = &cpus[0];
	list_add_tail(&t->all, &threads);
	spin_unlock_irqrestore(&threads_lock, flags);
}

int thread_leave_cpu(struct cpu *cpu)
{
	unsigned long flags = spin_lock_irqsave(&threads_lock);
	const struct thread *t;
	int err = 0;

	list_for_each_entry(t, &threads, all)
		if (t->cpu == cpu && t != cpu->idle && t != cpu->ksoftirqd)
			err = -EBUSY;
	if (!err) {
		cpu->online = false;
		__atomic_fetch_and(&cpu_online_mask_.bits, ~BIT(cpu->id), __ATOMIC_SEQ_CST);
	}
	spin_unlock_irqrestore(&threads_lock, flags);
	return err;
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

void thread_reap(struct thread *t)
{
	if (t->exited)
		complete(t->exited);
	stack_free(t->stack);
	kfree(t);
}

static void __noreturn thread_exit(void)
{
	arch_local_irq_disable();
	spin_lock(&threads_lock);
	list_del_init(&current_thread()->all);
	spin_unlock(&threads_lock);
	sched_exit();
}

void thread_entry(struct thread *prev)
{
	struct thread *self = current_thread();

	sched_finish_switch(prev);
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

static void make_idle(struct cpu *cpu, struct thread *t, void *stack)
{
	t->name = "idle";
	t->stack = stack;
	t->cpu = cpu;
	t->state = THREAD_RUNNABLE;
	t->prio = PRIO_IDLE;
	arch_thread_init(t);
	add_to_list(t);
	cpu->idle = t;
	sched_set_current(cpu, t);
}

int thread_init_cpu(struct cpu *cpu)
{
	void *emergency = stack_alloc(), *stack = stack_alloc();
	struct thread *t = kzalloc(sizeof(*t));

	if (!emergency || !stack || !t)
		goto free;
	cpu->emergency_sp = (unsigned long)emergency + STACK_SIZE;
	make_idle(cpu, t, stack);
	return 0;

free:
	kfree(t);
	if (stack)
		stack_free(stack);
	if (emergency)
		stack_free(emergency);
	return -ENOMEM;
}

void thread_init(void)
{
	struct thread *t = kzalloc(sizeof(*t));

	if (!t)
		panic("no memory for the first thread");
	sched_init();
	make_idle(&cpus[0], t, arch_boot_stack());
}
