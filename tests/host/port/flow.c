#define _GNU_SOURCE	/* gettid() */
/*
 * Flows: the OS threads of the program, each one kernel thread that moves with host_set_cpu().
 *
 * Where a flow is, it is the current thread; it has the highest priority, so that nothing runs in
 * its place until it blocks. A flow that sits in a call of the host's (pthread_join) makes no
 * progress that we could wait for: one that has not touched its interrupt flag for a while and
 * sleeps, as the host tells, counts as outside, and its CPU may be visited.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "flow.h"

#define OUTSIDE_MS	20
#define OUTSIDE_MS_GUESSED 5000		/* where the host does not tell */

__thread struct flow flow;
__thread unsigned long host_activity;

static struct flow *owner[NR_CPUS];	/* the flow that came last; NULL: none */
static struct flow *borrowed[NR_CPUS];	/* by whom; NULL: not */
unsigned int host_visits;
static struct thread *replaced[NR_CPUS];	/* what a borrowed CPU goes back to */
static pthread_key_t exit_key;
static bool locked;			/* protects all of the above */

/* Not a mutex: whoever waits for one sleeps, and looks as if it were outside. */
static void lock(void)
{
	while (__atomic_exchange_n(&locked, true, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void unlock(void)
{
	__atomic_store_n(&locked, false, __ATOMIC_RELEASE);
}

static u64 real_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* The state in /proc/self/task/TID/stat, behind the name in parentheses; '?' without /proc. */
static char host_state(int tid)
{
	char path[40], text[128] = "";
	const char *p;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return '?';
	p = fgets(text, sizeof(text), file) ? strrchr(text, ')') : NULL;
	fclose(file);
	return p && p[1] ? p[2] : '?';
}

/* With its interrupts off it is in the middle of something, however long it waits there. */
static bool is_inside(const struct flow *f)
{
	return f->thread.cpu->current != &f->thread || !__atomic_load_n(f->irqs_on, __ATOMIC_RELAXED);
}

/* True after it has been seen to do nothing, look after look, for long enough. One that waits in
 * the kernel is not outside: then its CPU is idle, or runs something else. Locked. */
static bool is_outside(struct flow *f)
{
	unsigned long n = __atomic_load_n(f->activity, __ATOMIC_RELAXED);
	u64 now = real_ms();
	char state;

	if (n != f->seen || is_inside(f) || now - f->looked_at > 5)
		f->seen_at = now;
	f->seen = n;
	f->looked_at = now;
	if (now - f->seen_at <= OUTSIDE_MS)
		return false;
	state = host_state(f->tid);
	return (state == 'S' || (state == '?' && now - f->seen_at > OUTSIDE_MS_GUESSED)) &&
	       n == __atomic_load_n(f->activity, __ATOMIC_RELAXED);
}

bool host_flows_quiet(void)
{
	bool quiet = true;

	lock();
	for (unsigned int i = 0; i < NR_CPUS; i++) {
		struct flow *f = owner[i];

		if (f && f != &flow)
			quiet &= __atomic_load_n(&f->idle, __ATOMIC_RELAXED) || is_outside(f);
	}
	unlock();
	return quiet;
}

/* Locked. */
static void give_back(struct cpu *cpu)
{
	__atomic_store_n(&borrowed[cpu->id], NULL, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&host_visits, 1, __ATOMIC_SEQ_CST);
}

/* This OS thread goes on as its CPU: not before the visitor has left. */
void host_come_back(void)
{
	struct flow **visitor = &borrowed[this_cpu()->id], *who;

	while (flow.acting && (who = __atomic_load_n(visitor, __ATOMIC_SEQ_CST)) && who != &flow)
		nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
}

bool host_borrow(struct cpu *cpu)
{
	struct flow *f;
	bool ok;

	lock();
	f = owner[cpu->id];
	ok = !borrowed[cpu->id] && (!f || (f != &flow && is_outside(f)));
	if (ok) {
		__atomic_store_n(&borrowed[cpu->id], &flow, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&host_visits, 1, __ATOMIC_SEQ_CST);
		ok = !f || __atomic_load_n(f->activity, __ATOMIC_SEQ_CST) == f->seen;
		if (ok) {
			replaced[cpu->id] = cpu->current;
			cpu->current = cpu->idle;
		} else {
			give_back(cpu);		/* it is just coming back */
		}
	}
	unlock();
	return ok;
}

void host_return(struct cpu *cpu)
{
	lock();
	cpu->current = replaced[cpu->id];
	give_back(cpu);
	unlock();
}

static void leave(struct flow *f)
{
	struct cpu *cpu = f->thread.cpu;

	lock();
	if (owner[cpu->id] == f) {
		owner[cpu->id] = NULL;
		cpu->current = f->displaced;
	}
	unlock();
}

static void leave_at_exit(void *f)
{
	if (((struct flow *)f)->acting)
		leave(f);
}

static bool try_enter(struct flow *f, struct cpu *cpu)
{
	bool ok;

	lock();
	ok = !borrowed[cpu->id];
	if (ok) {
		f->displaced = cpu->idle;
		f->thread.cpu = cpu;
		cpu->current = &f->thread;
		owner[cpu->id] = f;
	}
	unlock();
	return ok;
}

static void start(struct flow *f)
{
	struct thread *t = &f->thread;

	memset(f, 0, sizeof(*f));
	t->name = "host";
	t->state = THREAD_RUNNABLE;
	t->prio = NR_PRIOS - 1;
	t->on_cpu = true;
	t->arch_private = &f->ctx;
	INIT_LIST_HEAD(&t->link);
	INIT_LIST_HEAD(&t->all);
	f->acting = true;
	f->activity = &host_activity;
	f->irqs_on = &host_irqs_on;
	f->tid = gettid();
	pthread_setspecific(exit_key, f);
	host_irqs_on = true;
}

void host_set_cpu(unsigned int cpu)
{
	if (cpu >= host_ncpus)
		host_die("host_set_cpu(%u): there are %u CPUs", cpu, host_ncpus);
	if (flow.irq_nesting)
		host_die("host_set_cpu() between host_irq_enter() and host_irq_exit()");
	if (flow.acting)
		leave(&flow);
	else
		start(&flow);
	while (!try_enter(&flow, &cpus[cpu]))
		nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
	arch_set_this_cpu(&cpus[cpu]);
}

void host_flow_reset(void)
{
	static bool once;

	if (!once)
		pthread_key_create(&exit_key, leave_at_exit);
	once = true;
	memset(owner, 0, sizeof(owner));
	memset(borrowed, 0, sizeof(borrowed));
	host_visits = 0;
	memset(&flow, 0, sizeof(flow));
	host_irqs_on = true;
}
