/*
 * Kernel threads: fixed priorities, one run queue per CPU (a thread never changes its CPU),
 * switched at the outermost interrupt exit and on blocking; round-robin among equals by a tick
 * that runs only while somebody waits.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <kernel/cpu.h>
#include <kernel/time.h>

enum thread_prio {
	PRIO_IDLE,		/* the idle thread alone */
	PRIO_NORMAL,		/* shell, workers */
	PRIO_HIGH,
	PRIO_IRQ,		/* threaded interrupt handlers (Linux: SCHED_FIFO 50) */
};

enum thread_state { THREAD_RUNNABLE, THREAD_BLOCKED, THREAD_DEAD };

struct thread {
	unsigned long context[16];	/* arch_switch(); arch code asserts that it fits */
	struct list_head link;		/* in a run queue */
	const char *name;
	void *stack;			/* lowest usable address */
	struct cpu *cpu;
	enum thread_state state;
	enum thread_prio prio;
	bool wake_pending;		/* a wake came before the block it is meant for */
	bool on_cpu;			/* registers live; cleared once switched away */
	bool cancel;			/* asked to stop: thread_should_stop() */
	int (*fn)(void *arg);
	void *arg;
	struct completion *exited;	/* completed at exit, for thread_stop() */
	struct list_head all;		/* every thread, for the shell and the debugger */
	void *arch_private;		/* the host port's */
};

/* Makes the caller's flow of control a thread: the idle thread of CPU 0. Boot CPU, once. */
void thread_init(void);
/* Gives another CPU its idle thread and stacks before it starts: 0 or -ENOMEM. Boot thread. */
int thread_init_cpu(struct cpu *cpu);
/* What a CPU does when nothing else is runnable. Idle threads. */
void __noreturn idle_loop(void);

/* A new runnable thread on CPU, or on the boot CPU if that one has been stopped; NULL when out of
 * memory. NAME must live as long as the thread. Its end: FN returns. Thread context. */
struct thread *thread_create(const char *name, int (*fn)(void *arg), void *arg,
			     enum thread_prio prio, unsigned int cpu);

/*
 * CPU is to stop. A thread may count on never changing its CPU, so those that somebody created
 * there keep it from stopping: -EBUSY. Its idle thread and ksoftirqd do not: they stay and go on
 * when it is back. On success it is no longer online, and no thread is created there. Irqs off.
 */
int thread_leave_cpu(struct cpu *cpu);

/* Asks THREAD to stop, wakes it and waits until it has ended. Thread context. */
void thread_stop(struct thread *thread);
bool thread_should_stop(void);

static __always_inline struct thread *current_thread(void)
{
	return this_cpu()->current;
}

/*
 * The primitive below everything that waits:
 *	for (;;) { if (condition) break; thread_block(deadline); }
 * A thread_wake() between the check and the block makes the block return at once. Returns false
 * if the deadline (ns, TIME_NEVER for none) passed without a wake. Thread context.
 */
bool thread_block(u64 deadline);
void thread_wake(struct thread *thread);	/* any context; idempotent */
void thread_yield(void);			/* behind the peers of the same priority */
void schedule(void);				/* irqs off; picks and switches */
void msleep(unsigned int ms);

/* A one-shot event with a count, as Linux's. complete(): any context. */
struct completion {
	spinlock_t lock;
	unsigned int done;
	struct list_head waiters;
};
void init_completion(struct completion *c);
void complete(struct completion *c);
void complete_all(struct completion *c);
void wait_for_completion(struct completion *c);
/* 0, or -ETIMEDOUT after TIMEOUT_NS. Thread context. */
int wait_for_completion_timeout(struct completion *c, u64 timeout_ns);

/* A sleeping lock, not recursive. Thread context. One word, as every irq_desc has one. */
struct mutex {
	uintptr_t owner;		/* a struct thread, 0: free; bit 0: others wait */
};
#define MUTEX_INIT(name)	{ 0 }
static inline void mutex_init(struct mutex *m) { m->owner = 0; }
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);

/* For the shell's and the debugger's list. Calls FN for each thread, under a lock. */
void thread_for_each(void (*fn)(const struct thread *t, void *arg), void *arg);

#endif
