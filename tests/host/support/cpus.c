/* CPUs of a booted machine: see cpus.h. */
#include <kernel/smp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include "model.h"
#include "support/cpus.h"
#include "support/rec.h"

unsigned int effective_cpu(unsigned int irq)
{
	return cpumask_first(irq_data_get_effective_affinity_mask(irq_get_irq_data(irq)));
}

void assert_booted(unsigned int ncpus)
{
	const char *log = host_printk();

	assert_null(strstr(log, "error"));
	assert_null(strstr(log, "warning"));
	assert_int_equal(cpumask_weight(cpu_online_mask), ncpus);
}

static unsigned int called_on;

static void call(void *arg)
{
	(void)arg;
	called_on = smp_processor_id();
}

void assert_call_reaches(unsigned int cpu)
{
	called_on = NR_CPUS;
	assert_int_equal(smp_call_function_single(cpu, call, NULL), 0);
	assert_int_equal(called_on, cpu);
}

/* ---- Real concurrency ------------------------------------------------------------------------ */

struct device_thread {
	unsigned int times;
	void (*cause)(void);
	bool (*arrived)(unsigned int n);
};
static bool stop;
static unsigned int moves;		/* atomic */

/* There may be fewer cores than threads here: who has nothing to do lets another run. */
static void *be_a_cpu(void *arg)
{
	host_set_cpu((unsigned long)arg);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		host_run_deferred();
		sched_yield();
	}
	return NULL;
}

static bool is_moved(unsigned int n)
{
	return __atomic_load_n(&moves, __ATOMIC_RELAXED) * 50 >= n;
}

static void wait_for(bool (*done)(unsigned int n), unsigned int n, const char *otherwise)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!done(n)) {
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > 30)
			host_die("interrupt %u %s", n, otherwise);
	}
}

/* It does not run ahead of who moves the line. */
static void *be_the_device(void *arg)
{
	const struct device_thread *t = arg;

	for (unsigned int n = 1; n <= t->times; n++) {
		wait_for(is_moved, n, "waits for a move");
		t->cause();
		wait_for(t->arrived, n, "was lost");
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	return NULL;
}

unsigned int run_freely(unsigned int irq, unsigned int ncpus, unsigned int times,
			void (*cause)(void), bool (*arrived)(unsigned int n))
{
	struct device_thread t = { times, cause, arrived };
	pthread_t cpu[NR_CPUS], device;
	u64 r = 1;

	stop = false;
	moves = 0;
	for (unsigned long i = 1; i < ncpus; i++)
		pthread_create(&cpu[i], NULL, be_a_cpu, (void *)i);
	pthread_create(&device, NULL, be_the_device, &t);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (!irq_set_affinity(irq, cpumask_of(host_random(&r) % ncpus)))
			__atomic_fetch_add(&moves, 1, __ATOMIC_RELAXED);
		host_run_deferred();
	}
	pthread_join(device, NULL);
	for (unsigned int i = 1; i < ncpus; i++)
		pthread_join(cpu[i], NULL);
	host_run_deferred();
	return moves;
}
