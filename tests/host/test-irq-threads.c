/* Threaded handlers, forced threading, softirqs: semantics K, and what H says of ONESHOT. */
#include <kernel/printk.h>
#include <kernel/thread.h>
#include <stdio.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

static struct irq_data *data_of(unsigned int irq)
{
	return irq_get_irq_data(irq);
}

static unsigned int threaded(const struct irq_chip *chip, irq_flow_handler_t flow,
			     irq_handler_t handler, unsigned long flags)
{
	unsigned int irq = rec_line(chip, flow);

	rec_ret = IRQ_WAKE_THREAD;
	assert_int_equal(request_threaded_irq(irq, handler, rec_thread, flags, "t", NULL), 0);
	rec_take();
	return irq;
}

/* ---- Threads ------------------------------------------------------------------------------------ */

static char names[256];

static void note_name(const struct thread *t, void *arg)
{
	char word[32];

	(void)arg;
	if (strncmp(t->name, "irq/", 4))
		return;
	snprintf(word, sizeof(word), " %s:%d", t->name, t->prio);
	strncat(names, word, sizeof(names) - strlen(names) - 1);
}

static const char *irq_threads(void)
{
	names[0] = '\0';
	thread_for_each(note_name, NULL);
	return names;
}

static void threads_are_named_and_end_with_their_action(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);
	char expected[64];

	(void)state;
	assert_int_equal(request_threaded_irq(irq, NULL, rec_thread, IRQF_ONESHOT, "edu", NULL), 0);
	snprintf(expected, sizeof(expected), " irq/%u-edu:%d", irq, PRIO_IRQ);
	assert_string_equal(irq_threads(), expected);
	free_irq(irq, NULL);
	assert_string_equal(irq_threads(), "");
}

static int says(void *arg)
{
	rec("%s", (const char *)arg);
	return 0;
}

static void irq_thread_comes_before_other_threads(void **state)
{
	unsigned int irq = threaded(rec_chip(R_EDGE), handle_edge_irq, rec_handler, 0);

	(void)state;
	thread_create("h", says, "high", PRIO_HIGH, 0);
	thread_create("n", says, "normal", PRIO_NORMAL, 0);
	raise_irq(irq);
	host_run_deferred();
	assert_rec("ack H T high normal");
}

static irqreturn_t again_from_outside(int irq, void *dev_id)
{
	static int runs;

	(void)dev_id;
	rec("T%d", ++runs);
	if (runs == 1)
		raise_irq(irq);
	return IRQ_HANDLED;
}

/* An interrupt while the thread runs: it runs once more, and the line opens after the last run. */
static void s086_woken_again_while_it_runs(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	rec_ret = IRQ_WAKE_THREAD;
	assert_int_equal(request_threaded_irq(irq, rec_handler, again_from_outside, IRQF_ONESHOT,
					      "t", NULL), 0);
	rec_take();
	raise_irq(irq);
	host_run_deferred();
	assert_rec("mask ack H T1 ack H T2 unmask");
}

static irqreturn_t wakes_if_b(int irq, void *dev_id)
{
	(void)irq;
	return *(const char *)dev_id == 'B' ? IRQ_WAKE_THREAD : IRQ_NONE;
}

static irqreturn_t names_itself(int irq, void *dev_id)
{
	(void)irq;
	rec("%s", (const char *)dev_id);
	return IRQ_HANDLED;
}

static void s086_only_woken_sharers_are_waited_for(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_FASTEOI), handle_fasteoi_irq);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(request_threaded_irq(irq, wakes_if_b, names_itself,
				 IRQF_ONESHOT | IRQF_SHARED, "t", &"A\0B\0C"[2 * i]), 0);
	rec_take();
	raise_irq(irq);
	assert_rec("mask eoi");
	host_run_deferred();
	assert_rec("B unmask");
}

static irqreturn_t disables(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	disable_irq_nosync(irq);
	return IRQ_HANDLED;
}

static void s088_eoi_held_back_by_the_handlers_disable_is_sent_by_enable(void **state)
{
	struct irq_chip *chip = rec_chip(R_FASTEOI);
	unsigned int irq;

	(void)state;
	chip->flags = IRQCHIP_EOI_THREADED;
	irq = threaded(chip, handle_fasteoi_irq, disables, IRQF_ONESHOT);
	raise_irq(irq);
	assert_rec("mask H");
	enable_irq(irq);
	assert_rec("eoi unmask");
	raise_irq(irq);
	free_irq(irq, NULL);
	rec_take();
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_rec("eoi unmask");
}

static void irq_wake_thread_wakes_one_sharer_without_an_interrupt(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(request_threaded_irq(irq, wakes_if_b, names_itself, IRQF_SHARED,
						      "t", &"A\0B\0C"[2 * i]), 0);
	rec_take();
	irq_wake_thread(irq, irq_to_desc(irq)->action->next->next->dev_id);
	irq_wake_thread(irq, &irq);			/* nobody's cookie */
	irq_wake_thread(NR_IRQS - 1, NULL);
	host_run_deferred();
	assert_rec("C");
	assert_int_equal(irq_to_desc(irq)->tot_count, 0);
}


static void synchronize_irq_waits_for_a_sleeping_thread(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	assert_int_equal(request_threaded_irq(irq, NULL, rec_thread, IRQF_ONESHOT, "t", NULL), 0);
	rec_take();
	raise_irq(irq);
	assert_rec("ack");
	synchronize_irq(irq);
	assert_rec("T");
	synchronize_irq(irq);		/* nothing to wait for */
	assert_rec("");
}

/* ---- S-113: forced threading ---------------------------------------------------------------------- */

static irqreturn_t hard(int irq, void *dev_id)
{
	rec("H%s%s%s", arch_irqs_disabled() ? "-off" : "-on", this_cpu()->irq_depth ? "-hard" : "",
	    irqd_irq_masked(data_of(irq)) ? "-masked" : "");
	return dev_id ? IRQ_WAKE_THREAD : IRQ_HANDLED;
}

static irqreturn_t soft(int irq, void *dev_id)
{
	(void)dev_id;
	rec("T%s%s", arch_irqs_disabled() ? "-off" : "-on",
	    irqd_irq_masked(data_of(irq)) ? "-masked" : "");
	return IRQ_HANDLED;
}

static unsigned int forced(const struct irq_chip *chip, irq_flow_handler_t flow,
			   irq_handler_t thread_fn, unsigned long flags)
{
	unsigned int irq = rec_line(chip, flow);

	force_irqthreads_key = true;
	assert_int_equal(request_threaded_irq(irq, hard, thread_fn, flags, "t",
					      thread_fn ? "" : NULL), 0);
	rec_take();
	raise_irq(irq);
	rec("exit");
	host_run_deferred();
	return irq;
}

static void s113_forced_handler_runs_in_a_thread_with_the_line_masked(void **state)
{
	(void)state;
	forced(rec_chip(R_LEVEL), handle_level_irq, NULL, 0);
	assert_rec("mask ack exit H-off-masked unmask");
	forced(rec_chip(R_FASTEOI), handle_fasteoi_irq, NULL, 0);
	assert_rec("mask eoi exit H-off-masked unmask");
}

static void s113_oneshot_safe_chips_are_not_masked(void **state)
{
	struct irq_chip *chip = rec_chip(R_FASTEOI);

	(void)state;
	chip->flags = IRQCHIP_ONESHOT_SAFE;
	forced(chip, handle_fasteoi_irq, NULL, 0);
	assert_rec("eoi exit H-off");
}

static void s113_handler_and_thread_become_two_threads(void **state)
{
	unsigned int irq = forced(rec_chip(R_LEVEL), handle_level_irq, soft, 0);
	char expected[64];

	(void)state;
	assert_rec("mask ack exit H-off-masked unmask T-on");
	snprintf(expected, sizeof(expected), " irq/%u-t:%d irq/%u-s-t:%d", irq, PRIO_IRQ, irq,
		 PRIO_IRQ);
	assert_string_equal(irq_threads(), expected);
	free_irq(irq, "");
	assert_string_equal(irq_threads(), "");
}

static void s113_what_is_left_alone(void **state)
{
	unsigned int irq;

	(void)state;
	forced(rec_chip(R_LEVEL), handle_level_irq, NULL, IRQF_NO_THREAD);
	assert_rec("mask ack H-off-hard-masked unmask exit");
	forced(rec_chip(R_LEVEL), handle_level_irq, soft, IRQF_ONESHOT);
	assert_rec("mask ack H-off-hard-masked exit T-on-masked unmask");
	irq = rec_line(rec_chip(R_ACK), handle_percpu_irq);
	irq_set_status_flags(irq, IRQ_PER_CPU);
	assert_int_equal(request_irq(irq, hard, IRQF_PERCPU, "t", NULL), 0);
	rec_take();
	raise_irq(irq);
	assert_rec("ack H-off-hard-masked");
	irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);
	irq_set_nothread(irq);
	assert_int_equal(request_irq(irq, hard, 0, "t", NULL), 0);
	rec_take();
	raise_irq(irq);
	assert_rec("ack H-off-hard");
	irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);
	assert_int_equal(request_threaded_irq(irq, NULL, soft, IRQF_ONESHOT, "t", NULL), 0);
	rec_take();
	raise_irq(irq);
	host_run_deferred();
	assert_rec("mask ack T-on-masked unmask");
}

static unsigned int line_for_memory;

static bool request_forced(void *arg)
{
	int ret = request_threaded_irq(line_for_memory, hard, soft, 0, "t", arg);

	if (!ret)
		free_irq(line_for_memory, arg);
	else
		assert_int_equal(ret, -ENOMEM);
	host_run_deferred();
	return !ret;
}

static void s113_forced_request_without_memory_leaves_nothing(void **state)
{
	(void)state;
	line_for_memory = rec_line(rec_chip(R_LEVEL), handle_level_irq);
	force_irqthreads_key = true;
	host_run_deferred();
	assert_true(fail_each(request_forced, "") >= 6);	/* 2 actions, names, threads */
}

/* ---- S-114: softirqs ------------------------------------------------------------------------------ */

static void softirq(void)
{
	rec("S%s", current_thread() == this_cpu()->ksoftirqd ? "-thread" : "");
}

static irqreturn_t raises(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	raise_softirq(NET_RX_SOFTIRQ);
	rec("H");
	return IRQ_HANDLED;
}

static void s114_softirqs_run_where_a_thread_enables_them(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	open_softirq(NET_RX_SOFTIRQ, softirq);
	assert_int_equal(request_irq(irq, raises, 0, "t", NULL), 0);
	rec_take();
	local_bh_disable();
	local_bh_disable();
	assert_true(in_interrupt());
	raise_irq(irq);
	assert_rec("ack H");
	local_bh_enable();
	assert_rec("");
	local_bh_enable();
	assert_rec("S");
	assert_false(in_interrupt());
	raise_softirq(NET_RX_SOFTIRQ);		/* from a thread: its own thread's work */
	assert_rec("");
	host_run_deferred();
	assert_rec("S-thread");
}

static void s114_with_forced_threading_irq_exit_runs_none(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	force_irqthreads_key = true;
	open_softirq(NET_RX_SOFTIRQ, softirq);
	assert_int_equal(request_irq(irq, raises, IRQF_NO_THREAD, "t", NULL), 0);
	rec_take();
	raise_irq(irq);
	assert_rec("ack H");
	host_run_deferred();
	assert_rec("S-thread");
	free_irq(irq, NULL);
	assert_int_equal(request_irq(irq, raises, 0, "t", NULL), 0);
	rec_take();
	raise_irq(irq);
	host_run_deferred();
	assert_rec("ack H S");		/* the forced thread enables them after its handler */
}

static unsigned int interrupted;

static void softirq_is_interrupted(void)
{
	rec("(");
	raise_irq(interrupted);
	rec(")");
}

static void s114_never_nested(void **state)
{
	unsigned int irq = rec_line(rec_chip(0), handle_simple_irq);

	(void)state;
	interrupted = rec_line(rec_chip(0), handle_simple_irq);
	open_softirq(NET_RX_SOFTIRQ, softirq_is_interrupted);
	assert_int_equal(request_irq(irq, raises, 0, "t", NULL), 0);
	assert_int_equal(request_irq(interrupted, rec_handler, 0, "t", "I"), 0);
	raise_irq(irq);
	assert_rec("H ( I )");
	/* An interrupt that raises it again is not followed by a second one inside the first. */
	free_irq(interrupted, "I");
	assert_int_equal(request_irq(interrupted, raises, 0, "t", NULL), 0);
	raise_irq(irq);
	assert_int_equal(strncmp(rec_take(), "H ( H ) ( H ) (", 15), 0);
	open_softirq(NET_RX_SOFTIRQ, softirq);
	host_run_deferred();
}

/* ---- Verdicts of threads -------------------------------------------------------------------------- */

static irqreturn_t thread_ret;

static irqreturn_t thread_verdict(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	return thread_ret;
}

static void s103_a_thread_that_handles_nothing_counts_as_unhandled(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	rec_ret = IRQ_WAKE_THREAD;
	thread_ret = IRQ_HANDLED;
	assert_int_equal(request_threaded_irq(irq, rec_handler, thread_verdict, 0, "t", NULL), 0);
	for (int i = 0; i < 10; i++) {
		raise_irq(irq);
		host_run_deferred();
	}
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 0);
	thread_ret = IRQ_NONE;
	for (int i = 0; i < 10; i++) {
		raise_irq(irq);
		host_run_deferred();
	}
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 9);	/* judged by the one after */
	rec_ret = IRQ_WAKE_THREAD | IRQ_HANDLED;	/* a hard handler's word settles it */
	raise_irq(irq);
	host_run_deferred();
	rec_ret = IRQ_WAKE_THREAD;
	raise_irq(irq);
	host_run_deferred();
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(threads_are_named_and_end_with_their_action),
		T(irq_thread_comes_before_other_threads),
		T(s086_woken_again_while_it_runs),
		T(s086_only_woken_sharers_are_waited_for),
		T(s088_eoi_held_back_by_the_handlers_disable_is_sent_by_enable),
		T(irq_wake_thread_wakes_one_sharer_without_an_interrupt),
		T(synchronize_irq_waits_for_a_sleeping_thread),
		T(s113_forced_handler_runs_in_a_thread_with_the_line_masked),
		T(s113_oneshot_safe_chips_are_not_masked),
		T(s113_handler_and_thread_become_two_threads),
		T(s113_what_is_left_alone),
		T(s113_forced_request_without_memory_leaves_nothing),
		T(s114_softirqs_run_where_a_thread_enables_them),
		T(s114_with_forced_threading_irq_exit_runs_none),
		T(s114_never_nested),
		T(s103_a_thread_that_handles_nothing_counts_as_unhandled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
