/*
 * Flows: the OS threads of the program, each one kernel thread that moves with host_set_cpu().
 *
 * Where a flow is, it is the current thread; it has the highest priority, so that nothing runs in
 * its place until it blocks. A flow that sits in a call of the host's (pthread_join) makes no
 * progress that we could wait for: one that has not touched its interrupt flag for a while counts
 * as outside, and its CPU may be visited.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>
#include "flow.h"

#define OUTSIDE_MS	20

__thread struct flow flow;
__thread unsigned long host_activity;

static struct flow *owner[NR_CPUS];	/* the flow that came last; NULL: none */
static bool borrowed[NR_CPUS];
static pthread_key_t exit_key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static u64 real_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* Locked. */
static bool is_outside(struct flow *f)
{
	unsigned long n = __atomic_load_n(f->activity, __ATOMIC_RELAXED);

	if (n != f->seen || __atomic_load_n(&f->idle, __ATOMIC_RELAXED)) {
		f->seen = n;
		f->seen_at = real_ms();
		return false;
	}
	return real_ms() - f->seen_at > OUTSIDE_MS;
}

bool host_flows_quiet(void)
{
	bool quiet = true;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < NR_CPUS; i++) {
		struct flow *f = owner[i];

		if (f && f != &flow)
			quiet &= __atomic_load_n(&f->idle, __ATOMIC_RELAXED) || is_outside(f);
	}
	pthread_mutex_unlock(&lock);
	return quiet;
}

bool host_borrow(struct cpu *cpu)
{
	struct flow *f;
	bool ok;

	pthread_mutex_lock(&lock);
	f = owner[cpu->id];
	ok = !borrowed[cpu->id] && (!f || (f != &flow && is_outside(f)));
	if (ok) {
		borrowed[cpu->id] = true;
		if (f)
			cpu->current = cpu->idle;
	}
	pthread_mutex_unlock(&lock);
	return ok;
}

void host_return(struct cpu *cpu)
{
	pthread_mutex_lock(&lock);
	borrowed[cpu->id] = false;
	if (owner[cpu->id])
		cpu->current = &owner[cpu->id]->thread;
	pthread_mutex_unlock(&lock);
}

static void leave(struct flow *f)
{
	struct cpu *cpu = f->thread.cpu;

	pthread_mutex_lock(&lock);
	if (owner[cpu->id] == f) {
		owner[cpu->id] = NULL;
		cpu->current = f->displaced;
	}
	pthread_mutex_unlock(&lock);
}

static void leave_at_exit(void *f)
{
	if (((struct flow *)f)->acting)
		leave(f);
}

static bool try_enter(struct flow *f, struct cpu *cpu)
{
	bool ok;

	pthread_mutex_lock(&lock);
	ok = !borrowed[cpu->id];
	if (ok) {
		f->displaced = cpu->idle;
		f->thread.cpu = cpu;
		cpu->current = &f->thread;
		owner[cpu->id] = f;
	}
	pthread_mutex_unlock(&lock);
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
	memset(&flow, 0, sizeof(flow));
	host_irqs_on = true;
}
