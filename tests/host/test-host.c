/* What host.h promises to a program that drives the core. */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"
#include "support/die.h"
#include "support/rec.h"

/* ---- host_init() ------------------------------------------------------------------------------------- */

static void init_again_is_a_clean_core(void **state)
{
	size_t live = host_bytes_live();

	(void)state;
	for (int round = 0; round < 3; round++) {
		unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

		assert_int_equal(irq, 1);
		assert_null(irq_domain_next(NULL));
		irq_set_default_domain(rec_domain(8));
		assert_int_equal(request_threaded_irq(irq, rec_handler, rec_thread, 0, "t", NULL), 0);
		irqd_set_handle_enforce_irqctx(irq_get_irq_data(irq));
		assert_int_equal(generic_handle_irq(irq), -EPERM);
		assert_true(logged("outside"));		/* said once a boot */
		disable_irq(irq);
		host_advance(12345);
		host_set_cpu(3);
		assert_true(host_bytes_live() > live);
		host_init(4);
		assert_int_equal(host_bytes_live(), live);
		assert_int_equal(irq_get_next_irq(1), NR_IRQS);
		assert_null(irq_get_default_domain());
		assert_int_equal(smp_processor_id(), 0);
		assert_false(arch_irqs_disabled());
		assert_string_equal(host_printk(), "");
	}
}

static void init_with_any_number_of_cpus(void **state)
{
	(void)state;
	for (unsigned int n = 1; n <= NR_CPUS; n *= 2) {
		host_init(n);
		assert_int_equal(cpumask_weight(cpu_online_mask), n);
		assert_int_equal(nr_cpu_ids, n);
		host_set_cpu(n - 1);
		assert_int_equal(smp_processor_id(), n - 1);
		assert_int_equal(smp_call_function_single(n, NULL, NULL), -ENXIO);
	}
}

/* ---- Interrupts ---------------------------------------------------------------------------------------- */

static void irq_enter_nests_and_restores_the_flag(void **state)
{
	(void)state;
	assert_false(in_interrupt());
	host_irq_enter();
	assert_true(arch_irqs_disabled() && in_interrupt());
	host_irq_enter();
	host_irq_exit();
	assert_true(arch_irqs_disabled() && in_interrupt());
	host_irq_exit();
	assert_false(arch_irqs_disabled() || in_interrupt());
	arch_local_irq_disable();
	host_irq_enter();
	host_irq_exit();
	assert_true(arch_irqs_disabled());
	arch_local_irq_enable();
}

/* ---- Threads, timers, the clock -------------------------------------------------------------------------- */

static int says(void *arg)
{
	rec("%s", (const char *)arg);
	return 0;
}

static int sleeps(void *arg)
{
	msleep(5);
	rec("%s@%u", (const char *)arg, smp_processor_id());
	return 0;
}

static void threads_run_in_deferred_work_by_priority(void **state)
{
	(void)state;
	thread_create("n", says, "normal", PRIO_NORMAL, 0);
	thread_create("h", says, "high", PRIO_HIGH, 0);
	thread_create("o", says, "other", PRIO_NORMAL, 1);
	thread_create("s", sleeps, "slept", PRIO_IRQ, 2);
	assert_rec("");
	host_run_deferred();
	assert_rec("high normal other");
	host_run_deferred();
	assert_rec("");
	host_advance(4000000);
	host_run_deferred();
	assert_rec("");
	host_advance(1100000);
	host_run_deferred();
	assert_rec("slept@2");
}

static void fired(struct timer *timer)
{
	(void)timer;
	rec("fired@%u%s", smp_processor_id(), in_interrupt() ? "" : "?");
}

static void timers_fire_when_due_on_their_cpu(void **state)
{
	struct timer a, b, c;
	u64 now = ktime_get_ns();

	(void)state;
	timer_init(&a, fired);
	timer_init(&b, fired);
	timer_init(&c, fired);
	timer_arm(&a, now + 3000000);
	host_set_cpu(2);
	timer_arm(&b, now + 2000000);
	timer_arm(&c, now + 2500000);
	host_set_cpu(0);
	assert_true(timer_cancel(&c));
	assert_false(timer_cancel(&c));
	host_run_deferred();
	assert_rec("");
	host_advance(2100000);
	assert_rec("");
	host_run_deferred();
	assert_rec("fired@2");
	host_advance(10000000);
	host_run_deferred();
	assert_rec("fired@0");
}

static void waiting_lets_the_others_run_and_time_jump(void **state)
{
	struct completion never;
	u64 before = ktime_get_ns();

	(void)state;
	init_completion(&never);
	thread_create("s", sleeps, "slept", PRIO_NORMAL, 3);
	assert_int_equal(wait_for_completion_timeout(&never, 20000000), -ETIMEDOUT);
	assert_rec("slept@3");
	assert_in_range(ktime_get_ns() - before, 20000000, 20100000);
}

static int completes(void *arg)
{
	complete(arg);
	return 0;
}

static void waiting_ends_when_somebody_completes(void **state)
{
	struct completion done;

	(void)state;
	init_completion(&done);
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		thread_create("c", completes, &done, PRIO_NORMAL, cpu);
	for (unsigned int cpu = 0; cpu < 4; cpu++)
		wait_for_completion(&done);
	assert_int_equal(done.done, 0);
}

static bool called;

static void call(void *arg)
{
	(void)arg;
	called = in_interrupt() && smp_processor_id() == 2;
}

static void cpus_can_be_called_without_a_controller(void **state)
{
	(void)state;
	called = false;
	assert_int_equal(smp_call_function_single(2, call, NULL), 0);
	assert_true(called);
}

static int stops(void *arg)
{
	(void)arg;
	while (!thread_should_stop())
		thread_block(TIME_NEVER);
	rec("stopped");
	return 0;
}

static void stopped_thread_leaves_no_memory(void **state)
{
	size_t live = host_bytes_live();
	struct thread *t = thread_create("s", stops, NULL, PRIO_NORMAL, 1);

	(void)state;
	host_run_deferred();
	assert_true(host_bytes_live() > live);
	thread_stop(t);
	host_run_deferred();
	assert_rec("stopped");
	assert_int_equal(host_bytes_live(), live);
}

/* ---- Several OS threads ------------------------------------------------------------------------------------ */

static irqreturn_t wakes(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	return IRQ_WAKE_THREAD;
}

static void *frees_a_threaded_line(void *arg)
{
	unsigned int irq = *(unsigned int *)arg;

	host_set_cpu(2);
	raise_irq(irq);
	free_irq(irq, NULL);		/* its thread is on CPU 0, where nobody is awake */
	return NULL;
}

static void joined_thread_can_use_the_cpu_of_the_joiner(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);
	pthread_t thread;

	(void)state;
	assert_int_equal(request_threaded_irq(irq, wakes, rec_thread, 0, "t", NULL), 0);
	rec_take();
	pthread_create(&thread, NULL, frees_a_threaded_line, &irq);
	pthread_join(thread, NULL);
	assert_rec("ack mask T");
	assert_int_equal(smp_processor_id(), 0);
	host_run_deferred();
}

/* ---- Memory -------------------------------------------------------------------------------------------------- */

static void the_nth_allocation_fails_once(void **state)
{
	void *p[4];

	(void)state;
	host_fail_after(1);
	assert_null(kmalloc(1));
	p[0] = kmalloc(1);
	assert_non_null(p[0]);
	host_fail_after(3);
	p[1] = kzalloc(1);
	p[2] = alloc_pages(0);
	p[3] = kmalloc(1);
	assert_true(p[1] && p[2] && !p[3]);
	host_fail_after(1);
	host_fail_after(-1);
	p[3] = kstrdup("x");
	assert_non_null(p[3]);
	kfree(p[0]);
	kfree(p[1]);
	free_pages(p[2], 0);
	kfree(p[3]);
}

static void live_bytes_are_counted_exactly(void **state)
{
	size_t live = host_bytes_live();
	char *a = kmalloc(100), *b = kasprintf("%d", 12345);

	(void)state;
	assert_int_equal(host_bytes_live(), live + 100 + 6);
	kfree(a);
	kfree(b);
	kfree(NULL);
	assert_int_equal(host_bytes_live(), live);
	assert_null(kcalloc(1UL << 62, 8));
	for (unsigned int size = 16; size <= 8192; size *= 2) {
		a = kmalloc(size);
		assert_int_equal((unsigned long)a % min(size, 4096U), 0);
		kfree(a);
	}
}

static void printk_gives_what_came_since_the_last_call(void **state)
{
	const char *first;

	(void)state;
	printk("one %d\n", 1);
	pr_err("two");
	first = host_printk();
	assert_string_equal(first, "one 1\nerror: two\n");
	printk("three\n");
	assert_string_equal(first, "one 1\nerror: two\n");
	assert_string_equal(host_printk(), "three\n");
	assert_string_equal(host_printk(), "");
}

/* ---- What must end the program ------------------------------------------------------------------------------- */

static void wait_for_ever(void)
{
	struct completion never;

	init_completion(&never);
	wait_for_completion(&never);
}

static void write_beyond(void)
{
	char *p = kmalloc(10);

	memset(p, 0, 11);
}

static void use_after_free(void)
{
	char *p = kmalloc(10);

	kfree(p);
	memset(p, 0, 1);
}

static void free_twice(void)
{
	char *p = kmalloc(10);

	kfree(p);
	kfree(p);
}

static void panics(void) { panic("so it ends"); }
static void touch_nothing(void) { arch_read32((void *)0x1234); }

static void mistakes_end_the_program_with_a_message(void **state)
{
	(void)state;
	must_die(wait_for_ever, "deadlock");
	must_die(write_beyond, "overflow");
	must_die(use_after_free, "use-after");
	must_die(free_twice, "kfree");
	must_die(panics, "so it ends");
	must_die(touch_nothing, "MMIO");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(init_again_is_a_clean_core),
		T(init_with_any_number_of_cpus),
		T(irq_enter_nests_and_restores_the_flag),
		T(threads_run_in_deferred_work_by_priority),
		T(timers_fire_when_due_on_their_cpu),
		T(waiting_lets_the_others_run_and_time_jump),
		T(waiting_ends_when_somebody_completes),
		T(cpus_can_be_called_without_a_controller),
		T(stopped_thread_leaves_no_memory),
		T(joined_thread_can_use_the_cpu_of_the_joiner),
		T(the_nth_allocation_fails_once),
		T(live_bytes_are_counted_exactly),
		T(printk_gives_what_came_since_the_last_call),
		T(mistakes_end_the_program_with_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
