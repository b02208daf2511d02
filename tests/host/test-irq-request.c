/* request_irq and free_irq, triggers, disable depth and replay: semantics E, F, G. */
#include <kernel/printk.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

#define request(irq, flags, cookie)	request_irq(irq, rec_handler, flags, "t", cookie)

static struct irq_data *data_of(unsigned int irq)
{
	return irq_get_irq_data(irq);
}

/* ---- E. Request ------------------------------------------------------------------------------- */

static void s050_each_refusal_has_its_error(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);
	int unmapped = irq_alloc_desc(-1), devid = irq_alloc_desc(-1);

	(void)state;
	assert_int_equal(request(IRQ_NOTCONNECTED, 0, NULL), -ENOTCONN);
	assert_int_equal(request(NR_IRQS - 1, 0, NULL), -EINVAL);
	assert_int_equal(request(0, 0, NULL), -EINVAL);
	assert_int_not_equal(request(unmapped, 0, NULL), 0);
	irq_clear_status_flags(unmapped, IRQ_NOREQUEST);
	assert_int_equal(request(unmapped, 0, NULL), -ENOSYS);
	assert_int_equal(request_threaded_irq(irq, NULL, NULL, 0, "t", NULL), -EINVAL);
	assert_int_equal(request(irq, IRQF_SHARED, NULL), -EINVAL);
	assert_int_equal(request(irq, IRQF_SHARED | IRQF_NO_AUTOEN, "H"), -EINVAL);
	irq_set_chip(devid, rec_chip(R_LEVEL));
	irq_set_percpu_devid(devid);
	irq_clear_status_flags(devid, IRQ_NOREQUEST);
	assert_int_equal(request(devid, 0, NULL), -EINVAL);
	irq_set_status_flags(irq, IRQ_NOREQUEST);
	assert_int_equal(request(irq, 0, NULL), -EINVAL);
	assert_rec("");
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	assert_false(irq_has_action(irq) || irq_has_action(unmapped) || irq_has_action(devid));
	irq_clear_status_flags(irq, IRQ_NOREQUEST);
	assert_int_equal(request_any_context_irq(irq, rec_handler, 0, "t", NULL), IRQC_IS_HARDIRQ);
}

static void s051_order_of_the_first_request(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_RESOURCES | R_TYPE | R_STARTUP | R_AFFINITY |
					     R_SHUTDOWN), handle_edge_irq);

	(void)state;
	assert_int_equal(request(irq, IRQF_TRIGGER_RISING, NULL), 0);
	assert_rec("request_resources set_type(1) startup set_affinity(f)");
	assert_true(irqd_is_started(data_of(irq)) && irqd_is_activated(data_of(irq)));
	assert_int_equal(irq_to_desc(irq)->depth, 0);
	assert_string_equal(free_irq(irq, NULL), "t");
	assert_rec("shutdown release_resources");
	assert_false(irqd_is_started(data_of(irq)) || irqd_is_activated(data_of(irq)));
	assert_int_equal(irq_to_desc(irq)->depth, 1);
}

static void s051_pre_startup_affinity(void **state)
{
	struct irq_chip *chip = rec_chip(R_STARTUP | R_AFFINITY);
	unsigned int irq = rec_line(chip, handle_edge_irq);

	(void)state;
	chip->flags = IRQCHIP_AFFINITY_PRE_STARTUP;
	assert_int_equal(request(irq, 0, NULL), 0);
	assert_rec("set_affinity(f) startup");
}

static void s052_inherited_trigger(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_UNMASK | R_MASK | R_TYPE), handle_simple_irq);

	(void)state;
	assert_int_equal(request(irq, 0, NULL), 0);
	assert_rec("unmask");
	free_irq(irq, NULL);
	irqd_set_trigger_type(data_of(irq), IRQ_TYPE_LEVEL_LOW);
	rec_take();
	assert_int_equal(request(irq, 0, NULL), 0);
	assert_rec("set_type(8) unmask");
	free_irq(irq, NULL);
	rec_take();
	assert_int_equal(request(irq, IRQF_TRIGGER_LOW, NULL), 0);
	assert_rec("set_type(8) unmask");
	free_irq(irq, NULL);
	rec_take();
	/* A first request may reprogram it, and that outlives the free. */
	assert_int_equal(request(irq, IRQF_TRIGGER_HIGH, NULL), 0);
	assert_rec("set_type(4) unmask");
	free_irq(irq, NULL);
	assert_int_equal(irqd_get_trigger_type(data_of(irq)), IRQ_TYPE_LEVEL_HIGH);
}

static void s053_failures_undo_the_resources(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_RESOURCES | R_TYPE | R_STARTUP), handle_edge_irq);

	(void)state;
	rec_results.set_type = -EINVAL;
	assert_int_equal(request(irq, IRQF_TRIGGER_RISING, NULL), -EINVAL);
	assert_rec("request_resources set_type(1) release_resources");
	assert_null(irq_to_desc(irq)->action);
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	rec_results.resources = -EBUSY;
	assert_int_equal(request(irq, IRQF_TRIGGER_RISING, NULL), -EBUSY);
	assert_rec("request_resources");
	assert_null(irq_to_desc(irq)->action);
}

static bool request_with_thread(void *arg)
{
	unsigned int irq = *(unsigned int *)arg;
	int ret = request_threaded_irq(irq, rec_handler, rec_thread, 0, "t", NULL);

	if (!ret)
		free_irq(irq, NULL);
	else
		assert_int_equal(ret, -ENOMEM);
	host_run_deferred();
	return !ret;
}

static void request_without_memory_leaves_nothing(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL | R_RESOURCES), handle_level_irq);

	(void)state;
	host_run_deferred();
	assert_true(fail_each(request_with_thread, &irq) >= 2);
	assert_null(irq_to_desc(irq)->action);
}

static void s054_no_autoen_activates_but_does_not_start(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_STARTUP | R_SHUTDOWN), handle_edge_irq);

	(void)state;
	assert_int_equal(request(irq, IRQF_NO_AUTOEN, NULL), 0);
	assert_rec("");
	assert_true(irqd_is_activated(data_of(irq)));
	assert_false(irqd_is_started(data_of(irq)));
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	enable_irq(irq);
	assert_rec("startup");
	assert_int_equal(irq_to_desc(irq)->depth, 0);
	free_irq(irq, NULL);
	assert_rec("shutdown");
	assert_int_equal(request(irq, IRQF_NO_AUTOEN, NULL), 0);
	free_irq(irq, NULL);
	assert_rec("");		/* never started: no shutdown */
	assert_false(irqd_is_activated(data_of(irq)));
}

static void s054_line_that_does_not_start_by_itself(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_STARTUP | R_SHUTDOWN), handle_edge_irq);

	(void)state;
	irq_set_status_flags(irq, IRQ_NOAUTOEN);
	assert_int_equal(request(irq, 0, NULL), 0);
	assert_rec("");
	assert_true(irqd_is_activated(data_of(irq)));
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	enable_irq(irq);
	assert_rec("startup");
	free_irq(irq, NULL);
	rec_take();
	host_printk();
	assert_int_equal(request(irq, IRQF_SHARED, "A"), 0);
	assert_true(logged("warning"));
	assert_rec("");
	assert_false(irqd_is_started(data_of(irq)));
	assert_int_equal(irq_to_desc(irq)->depth, 1);
}

static void s055_sharing_needs_agreement(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL | R_TYPE), handle_level_irq);

	(void)state;
	assert_int_equal(request(irq, IRQF_SHARED | IRQF_TRIGGER_HIGH, "A"), 0);
	host_printk();
	assert_int_equal(request(irq, 0, "B"), -EBUSY);
	assert_true(logged("cannot share"));
	assert_int_equal(request(irq, IRQF_SHARED | IRQF_TRIGGER_LOW, "B"), -EBUSY);
	assert_true(logged("trigger"));
	assert_int_equal(request(irq, IRQF_SHARED | IRQF_PERCPU, "B"), -EBUSY);
	assert_true(logged("IRQF_PERCPU"));
	assert_int_equal(request_threaded_irq(irq, rec_handler, rec_thread,
					      IRQF_SHARED | IRQF_ONESHOT, "t", "B"), -EBUSY);
	assert_true(logged("IRQF_ONESHOT"));
	assert_int_equal(request(irq, IRQF_PROBE_SHARED, "B"), -EBUSY);
	assert_string_equal(host_printk(), "");
	assert_rec("set_type(4) unmask");
	raise_irq(irq);
	assert_rec("mask ack A unmask");
	assert_int_equal(request(irq, IRQF_SHARED, "B"), 0);
	assert_int_equal(request(irq, IRQF_SHARED | IRQF_TRIGGER_HIGH, "C"), 0);
	raise_irq(irq);
	assert_rec("mask ack A B C unmask");
	free_irq(irq, "A");
	free_irq(irq, "B");
	free_irq(irq, "C");
	assert_int_equal(request(irq, 0, "A"), 0);
	assert_int_equal(request(irq, IRQF_SHARED, "B"), -EBUSY);
}

static void s055_triggers_are_compared_without_a_chip_that_sets_them(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	assert_int_equal(request(irq, IRQF_SHARED | IRQF_TRIGGER_HIGH, "A"), 0);
	assert_int_equal(request(irq, IRQF_SHARED | IRQF_TRIGGER_LOW, "B"), -EBUSY);
	assert_int_equal(request(irq, IRQF_SHARED | IRQF_TRIGGER_HIGH, "B"), 0);
}

static void s056_cond_oneshot_adopts(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	assert_int_equal(request_threaded_irq(irq, NULL, rec_thread, IRQF_SHARED | IRQF_ONESHOT,
					      "t", "A"), 0);
	assert_int_equal(request_threaded_irq(irq, rec_handler, NULL, IRQF_SHARED, "t", "B"),
			 -EBUSY);
	assert_int_equal(request(irq, IRQF_SHARED, "B"), 0);	/* adds COND_ONESHOT */
	rec_take();
	raise_irq(irq);
	assert_rec("mask ack B");
	host_run_deferred();
	assert_rec("T unmask");
	free_irq(irq, "A");
	free_irq(irq, "B");
	assert_int_equal(request(irq, IRQF_COND_ONESHOT, NULL), 0);
	rec_take();
	raise_irq(irq);
	assert_rec("mask ack H unmask");
}

static irqreturn_t first_handles(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	return IRQ_HANDLED;
}

static irqreturn_t handles_nothing(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	return IRQ_NONE;
}

static void s057_all_sharers_run_in_order_of_registration(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	assert_int_equal(request_irq(irq, first_handles, IRQF_SHARED, "a", "A"), 0);
	assert_int_equal(request_irq(irq, handles_nothing, IRQF_SHARED, "b", "B"), 0);
	assert_int_equal(request_irq(irq, first_handles, IRQF_SHARED, "c", "C"), 0);
	rec_take();
	raise_irq(irq);
	assert_rec("mask ack A B C unmask");
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 0);
	free_irq(irq, "B");
	raise_irq(irq);
	assert_rec("mask ack A C unmask");
}

static void s058_threads_alone_need_oneshot_or_a_safe_chip(void **state)
{
	struct irq_chip *safe = rec_chip(R_EDGE);
	unsigned int edge = rec_line(rec_chip(R_EDGE), handle_edge_irq);
	unsigned int msi = rec_line(safe, handle_edge_irq);

	(void)state;
	safe->flags = IRQCHIP_ONESHOT_SAFE;
	assert_int_equal(request_threaded_irq(edge, NULL, rec_thread, 0, "t", NULL), -EINVAL);
	assert_int_equal(request_threaded_irq(edge, NULL, rec_thread, IRQF_ONESHOT, "t", NULL), 0);
	assert_int_equal(request_threaded_irq(msi, NULL, rec_thread, 0, "t", NULL), 0);
	rec_take();
	raise_irq(msi);
	host_run_deferred();
	assert_rec("ack T");
	free_irq(msi, NULL);
	assert_int_equal(request_threaded_irq(msi, NULL, rec_thread, IRQF_ONESHOT, "t", NULL), 0);
	rec_take();
	raise_irq(msi);
	host_run_deferred();
	assert_rec("ack T");
	/* A flow that would keep it masked for the thread does not. */
	safe = rec_chip(R_FASTEOI);
	safe->flags = IRQCHIP_ONESHOT_SAFE;
	msi = rec_line(safe, handle_fasteoi_irq);
	assert_int_equal(request_threaded_irq(msi, NULL, rec_thread, IRQF_ONESHOT, "t", NULL), 0);
	rec_take();
	raise_irq(msi);
	host_run_deferred();
	assert_rec("eoi T");
}

static void s059_no_more_oneshot_sharers_than_bits(void **state)
{
	static char cookies[BITS_PER_LONG + 1];
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	for (int i = 0; i < BITS_PER_LONG; i++)
		assert_int_equal(request_threaded_irq(irq, NULL, rec_thread,
				 IRQF_SHARED | IRQF_ONESHOT, "t", &cookies[i]), 0);
	assert_int_equal(request_threaded_irq(irq, NULL, rec_thread, IRQF_SHARED | IRQF_ONESHOT,
					      "t", &cookies[BITS_PER_LONG]), -EBUSY);
	for (int i = 0; i < BITS_PER_LONG; i++)
		assert_non_null(free_irq(irq, &cookies[i]));
}

static void s060_free_by_cookie_and_of_the_last_one(void **state)
{
	struct rec_stack s;
	struct irq_fwspec spec = { .param_count = 2, .param = { 7, 1 } };
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq), last;

	(void)state;
	assert_int_equal(request(irq, IRQF_SHARED, "A"), 0);
	assert_int_equal(request(irq, IRQF_SHARED, "B"), 0);
	rec_take();
	host_printk();
	assert_null(free_irq(irq, "C"));
	assert_true(logged("warning"));
	assert_string_equal(free_irq(irq, "A"), "t");
	assert_rec("");
	assert_true(irqd_is_started(data_of(irq)));
	rec_stack(&s, R_SHUTDOWN | R_RESOURCES, 0, 0);
	last = irq_domain_alloc_irqs(s.leaf, 1, -1, &spec);
	assert_int_equal(request(last, 0, "A"), 0);
	rec_take();
	free_irq(last, "A");
	assert_rec("leaf.shutdown leaf.deactivate middle.deactivate root.deactivate "
		   "leaf.release_resources");
	assert_null(free_irq(NR_IRQS - 1, NULL));
}

static void s060_woken_thread_still_runs_before_deactivation(void **state)
{
	struct rec_stack s;
	struct irq_fwspec spec = { .param_count = 2, .param = { 7, 1 } };
	unsigned int irq;

	(void)state;
	rec_stack(&s, R_SHUTDOWN | R_MASK | R_UNMASK | R_ACK, 0, 0);
	irq = irq_domain_alloc_irqs(s.leaf, 1, -1, &spec);
	assert_int_equal(request_threaded_irq(irq, rec_handler, rec_thread, 0, "t", NULL), 0);
	rec_take();
	rec_ret = IRQ_WAKE_THREAD;
	raise_irq(irq);
	assert_rec("leaf.ack H");
	free_irq(irq, NULL);
	assert_rec("leaf.shutdown T leaf.deactivate middle.deactivate root.deactivate");
}

static void hardware_is_done(void *arg)
{
	(void)arg;
	rec("done");
	rec_results.active = false;
}

static void s060_free_waits_for_what_is_active_in_hardware(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_SHUTDOWN | R_STATE | R_RESOURCES),
				       handle_edge_irq);

	(void)state;
	rec_results.active = true;
	host_after(1000000, hardware_is_done, NULL);
	free_irq(irq, NULL);
	assert_rec("shutdown done release_resources");
}

static void s051_s060_slow_bus_is_locked_round_what_is_sent_over_it(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL | R_BUS | R_RESOURCES), handle_level_irq);

	(void)state;
	rec_take();
	assert_int_equal(request(irq, 0, NULL), 0);
	assert_rec("bus_lock request_resources unmask bus_unlock");
	free_irq(irq, NULL);
	assert_rec("bus_lock mask bus_unlock bus_lock release_resources bus_unlock");
}

/* Makes the detector switch the line off. */
static void make_spurious(unsigned int irq)
{
	rec_ret = IRQ_NONE;
	for (int i = 0; i < 100000; i++)
		raise_irq(irq);
	rec_ret = IRQ_HANDLED;
	rec_take();
}

static void s063_sharer_revives_a_line_by_one_depth_level(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_MASK | R_UNMASK), handle_simple_irq);

	(void)state;
	assert_int_equal(request(irq, IRQF_SHARED, "A"), 0);
	make_spurious(irq);
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	disable_irq_nosync(irq);
	assert_int_equal(request(irq, IRQF_SHARED, "B"), 0);
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	assert_int_equal(request(irq, IRQF_SHARED, "C"), 0);	/* no more than once */
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	enable_irq(irq);
	rec_take();
	raise_irq(irq);
	assert_rec("A B C");
}

static void s063_any_request_resets_the_spurious_counters(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_MASK | R_UNMASK), handle_simple_irq);

	(void)state;
	assert_int_equal(request(irq, IRQF_SHARED, "A"), 0);
	rec_ret = IRQ_NONE;
	for (int i = 0; i < 10; i++)
		raise_irq(irq);
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 10);
	assert_int_equal(request(irq, 0, "B"), -EBUSY);
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 10);
	assert_int_equal(request(irq, IRQF_SHARED, "B"), 0);
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 0);
	assert_int_equal(irq_to_desc(irq)->irq_count, 0);
	raise_irq(irq);
	free_irq(irq, "A");
	free_irq(irq, "B");
	assert_int_equal(request(irq, 0, "A"), 0);
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 0);
}

static irqreturn_t enables_interrupts(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	arch_local_irq_enable();
	return IRQ_HANDLED;
}

static irqreturn_t reports_flag(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	rec(arch_irqs_disabled() ? "off" : "on");
	return IRQ_HANDLED;
}

static void s064_handler_that_enables_interrupts(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_simple_irq);
	unsigned int other = rec_line(rec_chip(0), handle_simple_irq);

	(void)state;
	assert_int_equal(request_irq(irq, enables_interrupts, IRQF_SHARED, "t", "A"), 0);
	assert_int_equal(request_irq(irq, reports_flag, IRQF_SHARED, "t", "B"), 0);
	rec_take();
	host_printk();
	raise_irq(irq);
	assert_rec("A off");
	assert_true(logged("enabled interrupts"));
	raise_irq(irq);
	/* Once a boot, not once a line. */
	assert_int_equal(request_irq(other, enables_interrupts, 0, "t", "O"), 0);
	raise_irq(other);
	assert_rec("A off O");
	assert_false(logged("enabled interrupts"));
}

static void s065_wake_without_a_thread(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_simple_irq);

	(void)state;
	assert_int_equal(request(irq, 0, NULL), 0);
	rec_ret = IRQ_WAKE_THREAD;
	host_printk();
	raise_irq(irq);
	assert_true(logged("IRQ_WAKE_THREAD"));
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 0);
	raise_irq(irq);
	raise_irq(irq);
	assert_false(logged("IRQ_WAKE_THREAD"));
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 2);	/* all but the first */
	free_irq(irq, NULL);
	assert_int_equal(request(irq, 0, NULL), 0);
	raise_irq(irq);
	assert_true(logged("IRQ_WAKE_THREAD"));			/* an action of its own */
}

/* ---- F. set_type -------------------------------------------------------------------------------- */

static int type_nocopy(struct irq_data *d, unsigned int type)
{
	(void)type;
	irqd_set_trigger_type(d, IRQ_TYPE_LEVEL_LOW);
	return IRQ_SET_MASK_OK_NOCOPY;
}

static void s066_s067_what_set_type_returns(void **state)
{
	struct irq_chip *chip = rec_chip(R_TYPE), *nocopy = rec_chip(R_LEVEL);
	unsigned int none = rec_line(rec_chip(R_LEVEL), handle_level_irq);
	unsigned int irq = rec_line(chip, handle_level_irq);

	(void)state;
	assert_int_equal(irq_set_irq_type(none, IRQ_TYPE_LEVEL_HIGH), 0);
	assert_int_equal(irqd_get_trigger_type(data_of(none)), IRQ_TYPE_NONE);
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_HIGH), 0);
	assert_int_equal(irqd_get_trigger_type(data_of(irq)), IRQ_TYPE_LEVEL_HIGH);
	assert_true(irqd_is_level_type(data_of(irq)));
	rec_results.set_type = IRQ_SET_MASK_OK_DONE;
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_RISING), 0);
	assert_false(irqd_is_level_type(data_of(irq)));
	rec_results.set_type = -EINVAL;
	host_printk();
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_FALLING), -EINVAL);
	assert_int_equal(irqd_get_trigger_type(data_of(irq)), IRQ_TYPE_EDGE_RISING);
	assert_true(strlen(host_printk()) > 0);
	rec_results.set_type = 7;
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_FALLING), 7);
	nocopy->irq_set_type = type_nocopy;
	irq = rec_line(nocopy, handle_level_irq);
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_RISING), 0);
	assert_int_equal(irqd_get_trigger_type(data_of(irq)), IRQ_TYPE_LEVEL_LOW);
	assert_true(irqd_is_level_type(data_of(irq)));
	assert_int_equal(irq_set_irq_type(NR_IRQS - 1, 1), -EINVAL);
}

static void s068_type_is_set_masked_where_the_chip_asks(void **state)
{
	struct irq_chip *chip = rec_chip(R_LEVEL | R_TYPE);
	unsigned int irq = rec_line(chip, handle_level_irq);

	(void)state;
	chip->flags = IRQCHIP_SET_TYPE_MASKED;
	assert_int_equal(request(irq, 0, NULL), 0);
	rec_take();
	irq_set_irq_type(irq, IRQ_TYPE_LEVEL_HIGH);
	assert_rec("mask set_type(4) unmask");
	disable_irq(irq);
	rec_take();
	irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW);
	assert_rec("mask set_type(8)");
}

/* ---- G. Depth and replay -------------------------------------------------------------------------- */

static void s070_s071_only_the_outermost_disable_counts(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_LEVEL | R_DISABLE | R_ENABLE), handle_level_irq);

	(void)state;
	disable_irq(irq);
	disable_irq_nosync(irq);
	assert_rec("disable");
	assert_int_equal(irq_to_desc(irq)->depth, 2);
	enable_irq(irq);
	assert_rec("");
	enable_irq(irq);
	assert_rec("enable");
	host_printk();
	enable_irq(irq);
	assert_rec("");
	assert_true(logged("warning"));
	assert_int_equal(irq_to_desc(irq)->depth, 0);
}

static void s073_s075_lazy_disable_remembers_one_edge(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	disable_irq(irq);
	assert_rec("");
	raise_irq(irq);
	assert_rec("mask ack");
	raise_irq(irq);
	assert_rec("ack");
	enable_irq(irq);
	host_run_deferred();
	assert_rec("unmask ack H");
	host_run_deferred();
	assert_rec("");
}

static void s074_unlazy_masks_at_once(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	assert_int_equal(request(irq, 0, NULL), 0);
	rec_take();
	disable_irq(irq);
	assert_rec("mask");
	enable_irq(irq);
	free_irq(irq, NULL);
	assert_false(irq_to_desc(irq)->status_use_accessors & IRQ_DISABLE_UNLAZY);
}

/* Only what enabling it does is still in the log. */
static void raise_while_disabled(unsigned int irq)
{
	disable_irq(irq);
	raise_irq(irq);
	rec_take();
	enable_irq(irq);
	host_run_deferred();
}

static void s075_levels_are_not_replayed(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL | R_TYPE), handle_level_irq);

	(void)state;
	assert_int_equal(request(irq, IRQF_TRIGGER_HIGH, NULL), 0);
	raise_while_disabled(irq);
	assert_rec("unmask");
	assert_int_equal(irq_to_desc(irq)->tot_count, 0);
}

static void s075_first_request_replays_what_was_pending(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	raise_irq(irq);
	assert_rec("ack");
	assert_int_equal(request(irq, 0, NULL), 0);
	host_run_deferred();
	assert_rec("unmask ack H");
}

static void s076_hardware_replays_first(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_EDGE | R_RETRIGGER), handle_edge_irq);

	(void)state;
	rec_results.retrigger = 1;
	raise_while_disabled(irq);
	assert_rec("unmask retrigger");
	rec_results.retrigger = 0;
	raise_irq(irq);
	raise_while_disabled(irq);
	assert_rec("unmask retrigger ack H");
}

static void s078_software_replay_is_refused_where_context_is_enforced(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	irqd_set_handle_enforce_irqctx(data_of(irq));
	raise_while_disabled(irq);
	assert_rec("unmask");
	assert_int_equal(irq_inject_interrupt(irq), -EINVAL);
}

static void s079_injection(void **state)
{
	unsigned int state_chip = rec_started(rec_chip(R_EDGE | R_STATE), handle_edge_irq);
	unsigned int irq = rec_line(rec_chip(R_EDGE | R_TYPE), handle_edge_irq);

	(void)state;
	assert_int_equal(irq_inject_interrupt(state_chip), 0);
	assert_rec("set_state(0,1)");
	assert_int_equal(irq_inject_interrupt(irq), -EINVAL);	/* not activated */
	assert_int_equal(request(irq, 0, NULL), 0);
	rec_take();
	assert_int_equal(irq_inject_interrupt(irq), 0);
	host_run_deferred();
	assert_rec("ack H");
	irq_set_irq_type(irq, IRQ_TYPE_LEVEL_HIGH);
	assert_int_equal(irq_inject_interrupt(irq), -EINVAL);
	assert_int_equal(irq_inject_interrupt(NR_IRQS - 1), -EINVAL);
}

static irqreturn_t disables_itself(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	disable_irq(irq);
	return IRQ_HANDLED;
}

static void s081_disable_from_the_own_handler_is_diagnosed(void **state)
{
	unsigned int irq = rec_started_by(disables_itself, rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	host_printk();
	raise_irq(irq);
	assert_rec("ack H");
	assert_true(logged("warning"));
	assert_int_equal(irq_to_desc(irq)->depth, 1);
}

static void s081_disable_waits_for_the_thread(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	assert_int_equal(request_threaded_irq(irq, rec_handler, rec_thread, 0, "t", NULL), 0);
	rec_ret = IRQ_WAKE_THREAD;
	rec_take();
	raise_irq(irq);
	disable_irq_nosync(irq);
	rec("nosync");
	disable_hardirq(irq);
	rec("hardirq");
	disable_irq(irq);
	rec("sync");
	assert_rec("ack H nosync hardirq T sync");
}

static void clear_active(void *arg)
{
	(void)arg;
	rec_results.active = false;
}

static void s082_synchronize_asks_the_chip_for_active(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_EDGE | R_STATE), handle_edge_irq);
	u64 before = host_now();

	(void)state;
	rec_results.active = true;
	host_after(1000000, clear_active, NULL);
	assert_true(synchronize_hardirq(irq));		/* does not ask */
	assert_true(host_now() < before + 1000000);
	rec_results.state = -EIO;			/* an error counts as not active */
	synchronize_irq(irq);
	assert_true(host_now() < before + 1000000);
	rec_results.state = 0;
	synchronize_irq(irq);
	assert_true(host_now() >= before + 1000000);
}

static void state_of_a_line_without_a_chip_that_can_tell(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_EDGE), handle_edge_irq);
	bool value;

	(void)state;
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_PENDING, &value), -EINVAL);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, true), -EINVAL);
	assert_int_equal(irq_get_irqchip_state(NR_IRQS - 1, IRQCHIP_STATE_PENDING, &value),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(s050_each_refusal_has_its_error),
		T(s051_order_of_the_first_request),
		T(s051_pre_startup_affinity),
		T(s052_inherited_trigger),
		T(s053_failures_undo_the_resources),
		T(request_without_memory_leaves_nothing),
		T(s054_no_autoen_activates_but_does_not_start),
		T(s054_line_that_does_not_start_by_itself),
		T(s055_sharing_needs_agreement),
		T(s055_triggers_are_compared_without_a_chip_that_sets_them),
		T(s056_cond_oneshot_adopts),
		T(s057_all_sharers_run_in_order_of_registration),
		T(s058_threads_alone_need_oneshot_or_a_safe_chip),
		T(s059_no_more_oneshot_sharers_than_bits),
		T(s060_free_by_cookie_and_of_the_last_one),
		T(s060_woken_thread_still_runs_before_deactivation),
		T(s060_free_waits_for_what_is_active_in_hardware),
		T(s051_s060_slow_bus_is_locked_round_what_is_sent_over_it),
		T(s063_sharer_revives_a_line_by_one_depth_level),
		T(s063_any_request_resets_the_spurious_counters),
		T(s064_handler_that_enables_interrupts),
		T(s065_wake_without_a_thread),
		T(s066_s067_what_set_type_returns),
		T(s068_type_is_set_masked_where_the_chip_asks),
		T(s070_s071_only_the_outermost_disable_counts),
		T(s073_s075_lazy_disable_remembers_one_edge),
		T(s074_unlazy_masks_at_once),
		T(s075_levels_are_not_replayed),
		T(s075_first_request_replays_what_was_pending),
		T(s076_hardware_replays_first),
		T(s078_software_replay_is_refused_where_context_is_enforced),
		T(s079_injection),
		T(s081_disable_from_the_own_handler_is_diagnosed),
		T(s081_disable_waits_for_the_thread),
		T(s082_synchronize_asks_the_chip_for_active),
		T(state_of_a_line_without_a_chip_that_can_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
