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
static bool borrowed[NR_CPUS];
static struct thread *replaced[NR_CPUS];	/* what a borrowed CPU goes back to */
static pthread_key_t exit_key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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

/* True after it has been seen to do nothing, look after look, for long enough. Locked. */
static bool is_outside(struct flow *f)
{
	unsigned long n = __atomic_load_n(f->activity, __ATOMIC_RELAXED);
	u64 now = real_ms();
	char state;

	if (n != f->seen || __atomic_load_n(&f->idle, __ATOMIC_RELAXED) || now - f->looked_at > 5)
		f->seen_at = now;
	f->seen = n;
	f->looked_at = now;
	if (now - f->seen_at <= OUTSIDE_MS)
		return false;
	state = host_state(f->tid);
	return state == 'S' || (state == '?' && now - f->seen_at > OUTSIDE_MS_GUESSED);
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
		replaced[cpu->id] = cpu->current;
		cpu->current = cpu->idle;
		if (f) fprintf(stderr, "DEBUG borrow cpu %u of tid %d by %d, current %s state %d\n", cpu->id, f->tid, gettid(), replaced[cpu->id]->name, f->thread.state);
	}
	pthread_mutex_unlock(&lock);
	return ok;
}

void host_return(struct cpu *cpu)
{
	pthread_mutex_lock(&lock);
	borrowed[cpu->id] = false;
	cpu->current = replaced[cpu->id];
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
	memset(&flow, 0, sizeof(flow));
	host_irqs_on = true;
}
