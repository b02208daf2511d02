/* The irq core with CPUs that are OS threads: what only shows when they run at the same time. */
#include <kernel/ipi.h>
#include <kernel/printk.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

#define ROUNDS	20000

static bool stop, freed, inside;
static unsigned int line, late, overlaps, entered;

static void nap(void)
{
	for (int i = 0; i < 50; i++)
		__asm__ volatile("");
}

/* ---- Hammers: CPU ARG raises the line until told to stop -------------------------------------------- */

static void *hammer(void *arg)
{
	host_set_cpu((unsigned long)arg);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		raise_irq(line);
		sched_yield();
	}
	return NULL;
}

static void start_hammers(pthread_t *thread, unsigned int n)
{
	stop = freed = inside = false;
	late = overlaps = entered = 0;
	for (unsigned long i = 0; i < n; i++)
		pthread_create(&thread[i], NULL, hammer, (void *)(i + 1));
}

static void stop_hammers(pthread_t *thread, unsigned int n)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static irqreturn_t exclusive(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	if (__atomic_load_n(&freed, __ATOMIC_ACQUIRE))
		__atomic_fetch_add(&late, 1, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(&inside, true, __ATOMIC_ACQ_REL))
		__atomic_fetch_add(&overlaps, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&entered, 1, __ATOMIC_RELAXED);
	nap();
	__atomic_store_n(&inside, false, __ATOMIC_RELEASE);
	return IRQ_HANDLED;
}

static void s061_nothing_runs_after_free_returned(void **state)
{
	const irq_flow_handler_t flows[] = { handle_edge_irq, handle_level_irq,
					     handle_fasteoi_irq, handle_simple_irq };
	pthread_t thread[2];

	(void)state;
	for (unsigned int f = 0; f < ARRAY_SIZE(flows); f++) {
		line = rec_line(rec_chip(R_LEVEL | R_EOI), flows[f]);
		start_hammers(thread, 2);
		for (int i = 0; i < 300; i++) {
			__atomic_store_n(&freed, false, __ATOMIC_RELEASE);
			assert_int_equal(request_irq(line, exclusive, 0, "t", NULL), 0);
			nap();
			free_irq(line, NULL);
			__atomic_store_n(&freed, true, __ATOMIC_RELEASE);
			nap();
		}
		stop_hammers(thread, 2);
		assert_int_equal(late, 0);
		assert_int_equal(overlaps, 0);
		rec_take();
	}
}

/* ---- S-051, S-015: two CPUs, step by step ----------------------------------------------------------- */

static unsigned int step;

static void reach(unsigned int n)
{
	__atomic_store_n(&step, n, __ATOMIC_SEQ_CST);
}

static void wait_for_step(unsigned int n)
{
	while (__atomic_load_n(&step, __ATOMIC_SEQ_CST) < n)
		sched_yield();
}

static void *raises_at_step_one(void *arg)
{
	host_set_cpu((unsigned long)arg);
	wait_for_step(1);
	host_irq_enter();
	reach(2);
	generic_handle_irq(line);
	host_irq_exit();
	return NULL;
}

/* The line fires as soon as it is started, on another CPU, which gets as far as the line's lock. */
static void fires_at_once(struct irq_data *d)
{
	(void)d;
	reach(1);
	wait_for_step(2);
	for (int i = 0; i < 200; i++)
		sched_yield();
	rec("started");
}

static void s051_interrupt_during_startup_waits_and_sees_the_action(void **state)
{
	pthread_t thread;

	(void)state;
	line = rec_line(rec_chip(R_STARTUP), handle_simple_irq);
	step = 0;
	rec_results.on_startup = fires_at_once;
	pthread_create(&thread, NULL, raises_at_step_one, (void *)1);
	assert_int_equal(request_irq(line, rec_handler, 0, "t", NULL), 0);
	pthread_join(thread, NULL);
	assert_rec("startup started H");
	assert_int_equal(irq_to_desc(line)->kstat_irqs[1], 1);
}

static bool finished;

static irqreturn_t runs_until_free_has_begun(int irq, void *dev_id)
{
	(void)dev_id;
	reach(3);
	while (__atomic_load_n(&irq_to_desc(irq)->action, __ATOMIC_SEQ_CST))
		sched_yield();
	for (int i = 0; i < 200; i++)
		sched_yield();
	__atomic_store_n(&finished, true, __ATOMIC_SEQ_CST);
	return IRQ_HANDLED;
}

static void s061_free_waits_for_the_handler_elsewhere(void **state)
{
	pthread_t thread;

	(void)state;
	line = rec_line(rec_chip(0), handle_simple_irq);
	assert_int_equal(request_irq(line, runs_until_free_has_begun, 0, "t", NULL), 0);
	step = 1;
	finished = false;
	pthread_create(&thread, NULL, raises_at_step_one, (void *)1);
	wait_for_step(3);
	free_irq(line, NULL);
	assert_true(__atomic_load_n(&finished, __ATOMIC_SEQ_CST));
	pthread_join(thread, NULL);
}

static irqreturn_t runs_until_disposal_has_begun(int irq, void *dev_id)
{
	(void)dev_id;
	reach(3);
	while (!(__atomic_load_n(&irq_to_desc(irq)->status_use_accessors, __ATOMIC_SEQ_CST) &
		 IRQ_NOREQUEST))
		sched_yield();
	for (int i = 0; i < 200; i++)
		sched_yield();
	rec("handled");
	return IRQ_HANDLED;
}

static void unmap_frees_the_action(struct irq_domain *d, unsigned int irq)
{
	(void)d;
	rec("unmap");
	free_irq(irq, NULL);
}

static void s015_disposal_waits_for_the_handler_elsewhere(void **state)
{
	static const struct irq_domain_ops ops = { .unmap = unmap_frees_the_action };
	struct irq_domain *d = irq_domain_create_linear(NULL, 8, &ops, NULL);
	pthread_t thread;

	(void)state;
	line = irq_create_mapping(d, 3);
	irq_set_chip_and_handler(line, rec_chip(0), handle_simple_irq);
	assert_int_equal(request_irq(line, runs_until_disposal_has_begun, 0, "t", NULL), 0);
	step = 1;
	pthread_create(&thread, NULL, raises_at_step_one, (void *)1);
	wait_for_step(3);
	irq_dispose_mapping(line);
	pthread_join(thread, NULL);
	assert_rec("handled unmap");
	assert_null(irq_to_desc(line));
}

static void s081_disable_waits_for_the_handler_elsewhere(void **state)
{
	pthread_t thread[2];

	(void)state;
	line = rec_line(rec_chip(R_EDGE), handle_edge_irq);
	assert_int_equal(request_irq(line, exclusive, 0, "t", NULL), 0);
	start_hammers(thread, 2);
	/* The hammers may be late on a busy machine. */
	for (int i = 0; i < 500 || !__atomic_load_n(&entered, __ATOMIC_RELAXED); i++) {
		disable_irq(line);
		__atomic_store_n(&freed, true, __ATOMIC_RELEASE);
		assert_false(__atomic_load_n(&inside, __ATOMIC_ACQUIRE));
		nap();
		__atomic_store_n(&freed, false, __ATOMIC_RELEASE);
		enable_irq(line);
		sched_yield();
	}
	stop_hammers(thread, 2);
	host_run_deferred();
	assert_int_equal(late, 0);
	assert_int_equal(overlaps, 0);
	assert_true(entered > 0);
}

/* ---- S-092: edges from all sides; none without a run after it --------------------------------------- */

static unsigned int posted, seen;

static irqreturn_t sees(int irq, void *dev_id)
{
	exclusive(irq, dev_id);
	__atomic_store_n(&seen, __atomic_load_n(&posted, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
	return IRQ_HANDLED;
}

static void *poster(void *arg)
{
	host_set_cpu((unsigned long)arg);
	for (int i = 0; i < ROUNDS / 4; i++) {
		__atomic_fetch_add(&posted, 1, __ATOMIC_SEQ_CST);
		raise_irq(line);
	}
	return NULL;
}

static void s092_no_edge_is_lost_and_no_two_handlers_run(void **state)
{
	pthread_t thread[3];

	(void)state;
	line = rec_line(rec_chip(R_EDGE), handle_edge_irq);
	assert_int_equal(request_irq(line, sees, 0, "t", NULL), 0);
	posted = seen = overlaps = 0;
	freed = inside = false;
	for (unsigned long i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, poster, (void *)(i + 1));
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(posted, 3 * (ROUNDS / 4));
	assert_int_equal(seen, posted);
	assert_int_equal(overlaps, 0);
	assert_false(irqd_irq_inprogress(irq_get_irq_data(line)));
	assert_false(irqd_irq_masked(irq_get_irq_data(line)));
}

/* ---- S-095: per-CPU handlers do not exclude each other ------------------------------------------------ */

static pthread_barrier_t meeting;

static irqreturn_t meets(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	pthread_barrier_wait(&meeting);
	return IRQ_HANDLED;
}

static void *one_interrupt(void *arg)
{
	host_set_cpu((unsigned long)arg);
	raise_irq(line);
	return NULL;
}

static void s095_two_cpus_are_inside_one_percpu_line(void **state)
{
	pthread_t thread[2];

	(void)state;
	line = rec_line(rec_chip(R_EOI), handle_percpu_irq);
	irq_set_status_flags(line, IRQ_PER_CPU);
	assert_int_equal(request_irq(line, meets, IRQF_PERCPU, "t", NULL), 0);
	pthread_barrier_init(&meeting, NULL, 2);
	for (unsigned long i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, one_interrupt, (void *)(i + 1));
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(irq_to_desc(line)->kstat_irqs[1], 1);
	assert_int_equal(irq_to_desc(line)->kstat_irqs[2], 1);
}

/* ---- S-101: an IPI is never lost between sender and receiver ------------------------------------------ */

static u32 wire[NR_CPUS];
static unsigned int wishes, wishes_seen;
static u8 cookie[NR_CPUS];

static void raise_wire(unsigned int cpu)
{
	__atomic_store_n(&wire[cpu], 1, __ATOMIC_SEQ_CST);
}

static irqreturn_t take_wish(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	__atomic_store_n(&wishes_seen, __atomic_load_n(&wishes, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
	return IRQ_HANDLED;
}

static void *receiver(void *arg)
{
	host_set_cpu(1);
	enable_percpu_irq((unsigned long)arg, IRQ_TYPE_NONE);
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST) || __atomic_load_n(&wire[1], __ATOMIC_SEQ_CST)) {
		if (!__atomic_exchange_n(&wire[1], 0, __ATOMIC_SEQ_CST)) {
			sched_yield();
			continue;
		}
		host_irq_enter();
		ipi_mux_process();
		host_irq_exit();
	}
	return NULL;
}

static void s101_no_ipi_is_lost(void **state)
{
	int first = ipi_mux_create(2, raise_wire);
	struct irq_data *d = irq_get_irq_data(first + 1);
	pthread_t thread;

	(void)state;
	memset(wire, 0, sizeof(wire));
	stop = false;
	wishes = wishes_seen = 0;
	assert_int_equal(request_percpu_irq(first + 1, take_wish, "ipi", cookie), 0);
	pthread_create(&thread, NULL, receiver, (void *)(unsigned long)(first + 1));
	for (int i = 0; i < ROUNDS; i++) {
		__atomic_fetch_add(&wishes, 1, __ATOMIC_SEQ_CST);
		d->chip->ipi_send_single(d, 1);
	}
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	assert_int_equal(wishes_seen, wishes);
}

/* ---- Threads, completions and mutexes across CPUs ------------------------------------------------------- */

static struct guarded {
	struct mutex mutex;
	unsigned int counter, often;	/* and how seldom who adds is interrupted */
} guarded[2];
static struct completion all_done;

static int adds(void *arg)
{
	struct guarded *g = arg;

	for (int i = 0; i < 200; i++) {
		unsigned int old;

		mutex_lock(&g->mutex);
		old = g->counter;
		if (i % g->often == 0)
			thread_yield();
		g->counter = old + 1;
		mutex_unlock(&g->mutex);
	}
	complete(&all_done);
	return 0;
}

static void *runs_threads(void *arg)
{
	host_set_cpu((unsigned long)arg);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		host_run_deferred();
	return NULL;
}

static void mutexes_exclude_threads_of_several_cpus(void **state)
{
	pthread_t thread[2];

	(void)state;
	stop = false;
	init_completion(&all_done);
	for (unsigned long i = 0; i < 2; i++) {
		guarded[i] = (struct guarded){ MUTEX_INIT(guarded[i].mutex), 0, 3 + 13 * i };
		pthread_create(&thread[i], NULL, runs_threads, (void *)(i + 1));
	}
	for (unsigned int i = 0; i < 10; i++)
		assert_non_null(thread_create("adder", adds, &guarded[i % 2], PRIO_NORMAL, i % 3));
	for (unsigned int i = 0; i < 10; i++)
		wait_for_completion(&all_done);
	stop_hammers(thread, 2);
	assert_int_equal(guarded[0].counter, 5 * 200);
	assert_int_equal(guarded[1].counter, 5 * 200);
}

static irqreturn_t wakes(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	return IRQ_WAKE_THREAD;
}

static irqreturn_t in_thread(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	__atomic_fetch_add(&entered, 1, __ATOMIC_RELAXED);
	return IRQ_HANDLED;
}

static void threaded_line_is_freed_while_another_cpu_wakes_it(void **state)
{
	pthread_t thread[1];

	(void)state;
	line = rec_line(rec_chip(R_EDGE), handle_edge_irq);
	start_hammers(thread, 1);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(request_threaded_irq(line, wakes, in_thread, 0, "t", NULL), 0);
		host_run_deferred();
		free_irq(line, NULL);
	}
	stop_hammers(thread, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(s061_nothing_runs_after_free_returned),
		T(s061_free_waits_for_the_handler_elsewhere),
		T(s051_interrupt_during_startup_waits_and_sees_the_action),
		T(s015_disposal_waits_for_the_handler_elsewhere),
		T(s081_disable_waits_for_the_handler_elsewhere),
		T(s092_no_edge_is_lost_and_no_two_handlers_run),
		T(s095_two_cpus_are_inside_one_percpu_line),
		T(s101_no_ipi_is_lost),
		T(mutexes_exclude_threads_of_several_cpus),
		T(threaded_line_is_freed_while_another_cpu_wakes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
