/*
 * Virtual time. The counter runs at 1 GHz and moves only when somebody looks at it (1 ns), spins
 * (100 ns), asks (host_advance), or when nothing can happen any more before the next event: then
 * it jumps there. Events are what the clock device of a CPU was programmed with, riscv's stimecmp,
 * and what models want to do later.
 */
#include <kernel/irq.h>
#include <kernel/time.h>
#include <pthread.h>
#include <stdlib.h>
#include "port.h"

#define MAX_EVENTS	4096

static u64 now;
static u64 deadline[NR_CPUS];		/* of the clock device */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct event {
	u64 at;
	void (*fn)(void *priv);
	void *priv;
} events[MAX_EVENTS];
static unsigned int nr_events;

u64 arch_counter_hz(void)
{
	return NSEC_PER_SEC;
}

u64 host_now(void)
{
	return __atomic_load_n(&now, __ATOMIC_RELAXED);
}

u64 host_counter(void)
{
	return __atomic_add_fetch(&now, 1, __ATOMIC_RELAXED);
}

void host_time_pass(u64 ns)
{
	__atomic_add_fetch(&now, ns, __ATOMIC_RELAXED);
}

void host_advance(u64 ns)
{
	host_time_pass(ns);
}

static void clock_set(u64 counter)
{
	__atomic_store_n(&deadline[smp_processor_id()], counter, __ATOMIC_RELAXED);
}

void host_time_reset(void)
{
	now = 0;
	nr_events = 0;
	for (unsigned int i = 0; i < NR_CPUS; i++)
		deadline[i] = ~0ULL;
}

void host_clock_start(void)
{
	static const struct clock_device clock = { "host", clock_set };

	clock_register(&clock);
}

bool host_clock_due(unsigned int cpu)
{
	return host_now() >= __atomic_load_n(&deadline[cpu], __ATOMIC_RELAXED);
}

void host_clock_fire(unsigned int cpu)
{
	__atomic_store_n(&deadline[cpu], ~0ULL, __ATOMIC_RELAXED);
	irq_enter();
	clock_tick();
	irq_exit();
}

void host_after(u64 ns, void (*fn)(void *priv), void *priv)
{
	pthread_mutex_lock(&lock);
	if (nr_events == MAX_EVENTS)
		host_die("too many events");
	events[nr_events++] = (struct event){ host_now() + ns, fn, priv };
	pthread_mutex_unlock(&lock);
}

/* The earliest first; of equals the one that came first. */
static bool event_take(struct event *e)
{
	unsigned int first = 0;
	bool due;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 1; i < nr_events; i++)
		if (events[i].at < events[first].at)
			first = i;
	due = nr_events && events[first].at <= host_now();
	if (due) {
		*e = events[first];
		for (unsigned int i = first + 1; i < nr_events; i++)
			events[i - 1] = events[i];
		nr_events--;
	}
	pthread_mutex_unlock(&lock);
	return due;
}

bool host_events_run(void)
{
	struct event e;
	bool any = false;

	while (event_take(&e)) {
		e.fn(e.priv);
		any = true;
	}
	return any;
}

bool host_time_jump(void)
{
	u64 next = ~0ULL, t = host_now();

	for (unsigned int i = 0; i < host_ncpus; i++) {
		next = min(next, __atomic_load_n(&deadline[i], __ATOMIC_RELAXED));
		next = min(next, host_csr_deadline(i));
	}
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < nr_events; i++)
		next = min(next, events[i].at);
	pthread_mutex_unlock(&lock);
	if (next == ~0ULL)
		return false;
	if (next > t)
		host_time_pass(next - t);
	return true;
}
