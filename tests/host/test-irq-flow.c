/* Flow handlers, per-CPU lines, IPIs, spurious interrupts, threads and chains: semantics H to K. */
#include <kernel/ipi.h>
#include <kernel/printk.h>
#include <stdio.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

#define request(irq, flags, cookie)	request_irq(irq, rec_handler, flags, "t", cookie)

static unsigned int started_thread(const struct irq_chip *chip, irq_flow_handler_t flow,
				   unsigned long flags)
{
	unsigned int irq = rec_line(chip, flow);

	rec_ret = IRQ_WAKE_THREAD;
	assert_int_equal(request_threaded_irq(irq, rec_handler, rec_thread, flags, "t", NULL), 0);
	rec_take();
	return irq;
}

/* ---- H. Flows ----------------------------------------------------------------------------------- */

static void s083_level(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_LEVEL), handle_level_irq);
	unsigned int both = rec_started(rec_chip(R_LEVEL | R_MASK_ACK), handle_level_irq);

	(void)state;
	raise_irq(irq);
	assert_rec("mask ack H unmask");
	raise_irq(both);
	assert_rec("mask_ack H unmask");
}

static void s084_level_disabled_stays_masked(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_LEVEL), handle_level_irq);
	unsigned int unused = rec_line(rec_chip(R_LEVEL | R_MASK_ACK), handle_level_irq);

	(void)state;
	disable_irq(irq);
	raise_irq(irq);
	assert_rec("mask ack");
	assert_true(irqd_irq_masked(irq_get_irq_data(irq)));
	raise_irq(unused);
	assert_rec("mask_ack");
}

static void s086_oneshot_stays_masked_until_the_thread_is_done(void **state)
{
	unsigned int irq = started_thread(rec_chip(R_LEVEL), handle_level_irq, IRQF_ONESHOT);

	(void)state;
	raise_irq(irq);
	assert_rec("mask ack H");
	assert_true(irqd_irq_masked(irq_get_irq_data(irq)));
	host_run_deferred();
	assert_rec("T unmask");
	rec_ret = IRQ_HANDLED;		/* no thread woken: the flow unmasks */
	raise_irq(irq);
	assert_rec("mask ack H unmask");
}

static irqreturn_t wakes(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	return IRQ_WAKE_THREAD;
}

static irqreturn_t names_itself(int irq, void *dev_id)
{
	(void)irq;
	rec("%s", (const char *)dev_id);
	return IRQ_HANDLED;
}

static void s086_the_last_sharer_unmasks(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(request_threaded_irq(irq, wakes, names_itself,
				 IRQF_ONESHOT | IRQF_SHARED, "t", &"A\0B\0C"[2 * i]), 0);
	rec_take();
	raise_irq(irq);
	assert_rec("mask ack");
	host_run_deferred();
	assert_rec("A B C unmask");
	raise_irq(irq);
	disable_irq_nosync(irq);
	host_run_deferred();
	assert_rec("mask ack A B C");
	enable_irq(irq);
	assert_rec("unmask");
}

static void s086_edge_ignores_oneshot(void **state)
{
	unsigned int irq = started_thread(rec_chip(R_EDGE), handle_edge_irq, IRQF_ONESHOT);

	(void)state;
	raise_irq(irq);
	assert_rec("ack H");
	host_run_deferred();
	assert_rec("T");
}

static irqreturn_t disables(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	disable_irq_nosync(irq);
	return IRQ_HANDLED;
}

static void s087_disabled_inside_the_handler(void **state)
{
	unsigned int irq = rec_started_by(disables, rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	raise_irq(irq);
	assert_rec("mask ack H");
	enable_irq(irq);
	assert_rec("unmask");
}

static void s088_s089_fasteoi(void **state)
{
	struct irq_chip *chip = rec_chip(R_FASTEOI), *handled = rec_chip(R_FASTEOI);
	unsigned int irq = rec_started(chip, handle_fasteoi_irq);
	unsigned int other = rec_started(handled, handle_fasteoi_irq);

	(void)state;
	raise_irq(irq);
	assert_rec("H eoi");
	disable_irq(irq);
	raise_irq(irq);
	assert_rec("mask eoi");
	raise_irq(irq);
	assert_rec("eoi");		/* masked already */
	handled->flags = IRQCHIP_EOI_IF_HANDLED;
	disable_irq(other);
	raise_irq(other);
	assert_rec("mask");
}

static void s088_fasteoi_oneshot(void **state)
{
	struct irq_chip *chip = rec_chip(R_FASTEOI), *threaded = rec_chip(R_FASTEOI);
	unsigned int irq = started_thread(chip, handle_fasteoi_irq, IRQF_ONESHOT), other;

	(void)state;
	raise_irq(irq);
	assert_rec("mask H eoi");
	host_run_deferred();
	assert_rec("T unmask");
	threaded->flags = IRQCHIP_EOI_THREADED;
	other = started_thread(threaded, handle_fasteoi_irq, IRQF_ONESHOT);
	raise_irq(other);
	assert_rec("mask H");
	host_run_deferred();
	assert_rec("T eoi unmask");
	rec_ret = IRQ_HANDLED;
	raise_irq(other);
	assert_rec("mask H eoi unmask");
	/* Disabled meanwhile: the eoi is owed until the line is enabled. */
	rec_ret = IRQ_WAKE_THREAD;
	raise_irq(other);
	disable_irq_nosync(other);
	host_run_deferred();
	assert_rec("mask H T");
	enable_irq(other);
	assert_rec("eoi unmask");
	/* Enabled before the thread has run: nobody masks the line any more, so nobody waits. */
	raise_irq(other);
	disable_irq_nosync(other);
	enable_irq(other);
	assert_rec("mask H eoi unmask");
	host_run_deferred();
	assert_rec("T");
}

static void s091_s093_edge(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_EDGE), handle_edge_irq);
	unsigned int unused = rec_line(rec_chip(R_EDGE | R_MASK_ACK), handle_edge_irq);

	(void)state;
	raise_irq(irq);
	assert_rec("ack H");
	raise_irq(unused);
	assert_rec("mask_ack");
	disable_irq(irq);
	raise_irq(irq);
	assert_rec("mask ack");
}

static unsigned int nested_edges, nested_irq;

/* The same line again, as another CPU would see it while this one is in the handler. */
static irqreturn_t edge_during_handler(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	while (nested_edges) {
		nested_edges--;
		raise_irq(nested_irq);
	}
	return IRQ_HANDLED;
}

static void s092_edges_during_the_handler_make_one_more_run(void **state)
{
	unsigned int irq = rec_started_by(edge_during_handler, rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	nested_irq = irq;
	nested_edges = 1;
	raise_irq(irq);
	assert_rec("ack H mask ack unmask H");
	assert_int_equal(irq_to_desc(irq)->kstat_irqs[0], 1);	/* the extra run is not counted */
	nested_edges = 3;
	raise_irq(irq);
	assert_rec("ack H mask ack ack ack unmask H");
	assert_int_equal(irq_to_desc(irq)->tot_count, 2);
}

static irqreturn_t edge_and_disable(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	if (nested_edges) {
		nested_edges = 0;
		raise_irq(irq);
		disable_irq_nosync(irq);
	}
	return IRQ_HANDLED;
}

static void s092_disabled_in_the_handler_the_edge_waits_for_enable(void **state)
{
	unsigned int irq = rec_started_by(edge_and_disable, rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	nested_edges = 1;
	raise_irq(irq);
	assert_rec("ack H mask ack");
	enable_irq(irq);
	host_run_deferred();
	assert_rec("unmask ack H");
}

static void s094_simple(void **state)
{
	unsigned int irq = rec_started_by(edge_during_handler, rec_chip(R_LEVEL | R_EOI),
					  handle_simple_irq);

	(void)state;
	nested_irq = irq;
	nested_edges = 1;
	raise_irq(irq);
	assert_rec("H");		/* the one in progress is dropped */
	disable_irq(irq);
	raise_irq(irq);
	assert_rec("");
	enable_irq(irq);
	host_run_deferred();
	assert_rec("H");
}

static irqreturn_t looks_at_the_line(int irq, void *dev_id)
{
	struct irq_desc *desc = irq_to_desc(irq);

	(void)dev_id;
	rec(spin_is_locked(&desc->lock) ? "locked" : "unlocked");
	rec(irqd_irq_inprogress(&desc->irq_data) ? "inprogress" : "idle");
	return IRQ_HANDLED;
}

static void s097_handlers_run_unlocked_and_in_progress(void **state)
{
	unsigned int irq = rec_started_by(looks_at_the_line, rec_chip(R_EOI), handle_fasteoi_irq);

	(void)state;
	raise_irq(irq);
	assert_rec("unlocked inprogress eoi");
	assert_false(irqd_irq_inprogress(irq_get_irq_data(irq)));
}

static void s098_masks_are_cached(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_LEVEL | R_DISABLE | R_MASK_ACK), handle_level_irq);

	(void)state;
	disable_irq(irq);
	assert_rec("disable");
	raise_irq(irq);
	raise_irq(irq);
	assert_rec("mask_ack mask_ack");
}

static void interrupts(unsigned int irq, unsigned int n, irqreturn_t ret)
{
	rec_ret = ret;
	for (unsigned int i = 0; i < n; i++)
		raise_irq(irq);
	rec_take();
}

/* ---- I. Per-CPU lines ------------------------------------------------------------------------------ */

static void s095_percpu_ignores_disabled(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_ACK | R_EOI | R_MASK | R_UNMASK), handle_percpu_irq);

	(void)state;
	irq_set_status_flags(irq, IRQ_PER_CPU);
	assert_int_equal(request(irq, IRQF_PERCPU, NULL), 0);
	rec_take();
	host_set_cpu(2);
	raise_irq(irq);
	host_set_cpu(0);
	assert_rec("ack H eoi");
	assert_int_equal(irq_to_desc(irq)->kstat_irqs[2], 1);
	assert_int_equal(irq_to_desc(irq)->tot_count, 0);
	disable_irq_nosync(irq);
	rec_take();
	raise_irq(irq);
	assert_rec("ack H eoi");
	enable_irq(irq);
}

static char slots[NR_CPUS][16];

static unsigned int devid_line(unsigned int callbacks)
{
	int irq = irq_alloc_desc(-1);

	assert_int_equal(irq_set_percpu_devid(irq), 0);
	irq_set_chip_and_handler(irq, rec_chip(callbacks), handle_percpu_devid_irq);
	irq_clear_status_flags(irq, IRQ_NOREQUEST);
	return irq;
}

static void s096_s099_percpu_devid(void **state)
{
	unsigned int irq = devid_line(R_ACK | R_EOI | R_MASK | R_UNMASK | R_TYPE);
	unsigned int plain = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	for (int i = 0; i < NR_CPUS; i++)
		snprintf(slots[i], sizeof(slots[i]), "slot%d", i);
	assert_int_equal(request_percpu_irq(plain, rec_handler, "t", slots), -EINVAL);
	assert_int_equal(request_percpu_irq(irq, rec_handler, "t", (char *)NULL), -EINVAL);
	assert_int_equal(request_percpu_irq(irq, rec_handler, "t", slots), 0);
	assert_rec("");
	assert_int_equal(request_percpu_irq(irq, rec_handler, "t", slots), -EBUSY);
	host_set_cpu(1);
	assert_false(irq_percpu_is_enabled(irq));
	enable_percpu_irq(irq, IRQ_TYPE_EDGE_RISING);
	assert_rec("set_type(1) unmask");
	assert_true(irq_percpu_is_enabled(irq));
	raise_irq(irq);
	assert_rec("ack slot1 eoi");
	enable_irq(irq);
	disable_irq_nosync(irq);	/* the ordinary ones do nothing on such lines */
	assert_rec("");
	host_set_cpu(3);
	assert_false(irq_percpu_is_enabled(irq));
	raise_irq(irq);
	assert_rec("ack slot3 eoi");
	host_set_cpu(1);
	disable_percpu_irq(irq);
	assert_rec("mask");
	host_set_cpu(0);
	free_percpu_irq(irq, slots);
	assert_null(irq_to_desc(irq)->action);
}

static void s096_percpu_devid_without_an_action_is_disabled_here(void **state)
{
	unsigned int irq = devid_line(R_ACK | R_EOI | R_MASK | R_UNMASK);

	(void)state;
	enable_percpu_irq(irq, IRQ_TYPE_NONE);
	rec_take();
	host_printk();
	raise_irq(irq);
	assert_rec("ack mask eoi");
	assert_true(logged("warning"));
	assert_false(irq_percpu_is_enabled(irq));
	raise_irq(irq);
	assert_false(logged("warning"));
	raise_irq(devid_line(R_EOI));
	assert_rec("ack eoi eoi");
	assert_false(logged("warning"));		/* once, for all lines */
}

static void s096_percpu_devid_is_not_judged_and_wakes_nothing(void **state)
{
	unsigned int irq = devid_line(R_EOI | R_MASK | R_UNMASK);

	(void)state;
	assert_int_equal(request_percpu_irq(irq, rec_handler, "t", slots), 0);
	enable_percpu_irq(irq, IRQ_TYPE_NONE);
	host_printk();
	interrupts(irq, 100001, IRQ_NONE);
	assert_int_equal(irq_to_desc(irq)->irqs_unhandled, 0);
	assert_true(irq_percpu_is_enabled(irq));
	interrupts(irq, 1, IRQ_WAKE_THREAD);
	interrupts(irq, 1, 0x20);
	assert_string_equal(host_printk(), "");
	disable_percpu_irq(irq);
	free_percpu_irq(irq, slots);
}

static void s098_s099_percpu_enables_are_neither_cached_nor_counted(void **state)
{
	unsigned int irq = devid_line(R_EOI | R_MASK | R_UNMASK);

	(void)state;
	assert_int_equal(request_percpu_irq(irq, rec_handler, "t", slots), 0);
	enable_percpu_irq(irq, IRQ_TYPE_NONE);
	enable_percpu_irq(irq, IRQ_TYPE_NONE);
	assert_rec("unmask unmask");
	disable_percpu_irq(irq);
	assert_false(irq_percpu_is_enabled(irq));
	disable_percpu_irq(irq);
	assert_rec("mask mask");
	free_percpu_irq(irq, slots);
}

static void send_physical(unsigned int cpu)
{
	rec("send(%u)", cpu);
}

static void send(unsigned int irq, unsigned int cpu)
{
	struct irq_data *d = irq_get_irq_data(irq);

	d->chip->ipi_send_single(d, cpu);
}

static void process(unsigned int cpu)
{
	host_set_cpu(cpu);
	host_irq_enter();
	ipi_mux_process();
	host_irq_exit();
	host_set_cpu(0);
}

static void s101_ipi_mux(void **state)
{
	int first = ipi_mux_create(4, send_physical);

	(void)state;
	assert_true(first > 0);
	assert_int_equal(ipi_mux_create(4, send_physical), -EEXIST);
	for (int i = 0; i < NR_CPUS; i++)
		snprintf(slots[i], sizeof(slots[i]), "I%d", i);
	assert_int_equal(request_percpu_irq(first + 1, rec_handler, "ipi", slots), 0);
	send(first + 1, 2);			/* not enabled there: waits */
	assert_rec("");
	host_set_cpu(2);
	enable_percpu_irq(first + 1, IRQ_TYPE_NONE);
	assert_rec("send(2)");			/* and is sent then */
	host_set_cpu(0);
	send(first + 1, 2);
	assert_rec("");				/* pending already */
	process(2);
	assert_rec("I2");
	process(2);
	assert_rec("");
	send(first + 1, 2);
	assert_rec("send(2)");
	process(2);
	assert_rec("I2");
}

static void s101_ipi_mux_limits(void **state)
{
	(void)state;
	assert_int_equal(ipi_mux_create(33, send_physical), -EINVAL);
	assert_int_equal(ipi_mux_create(0, send_physical), -EINVAL);
	assert_true(ipi_mux_create(32, send_physical) > 0);
}

/* ---- J. Spurious ------------------------------------------------------------------------------------- */

static void s103_s104_spurious_line_is_switched_off(void **state)
{
	unsigned int good = rec_started(rec_chip(R_MASK | R_UNMASK), handle_simple_irq);
	unsigned int bad = rec_started(rec_chip(R_MASK | R_UNMASK), handle_simple_irq);

	(void)state;
	interrupts(good, 1, IRQ_NONE);
	interrupts(good, 100, IRQ_HANDLED);
	interrupts(good, 99899, IRQ_NONE);
	assert_int_equal(irq_to_desc(good)->depth, 0);
	interrupts(bad, 1, IRQ_NONE);
	interrupts(bad, 99, IRQ_HANDLED);
	interrupts(bad, 99899, IRQ_NONE);
	assert_int_equal(irq_to_desc(bad)->depth, 0);
	host_printk();
	interrupts(bad, 1, IRQ_NONE);
	assert_int_equal(irq_to_desc(bad)->depth, 1);
	assert_true(strlen(host_printk()) > 0);
}

static void s104_s063_poller_and_revival_by_a_sharer(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_MASK | R_UNMASK), handle_simple_irq);

	(void)state;
	assert_int_equal(request(irq, IRQF_SHARED, "A"), 0);
	interrupts(irq, 100000, IRQ_NONE);
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	rec_ret = IRQ_HANDLED;
	rec_take();
	for (int i = 0; i < 3; i++) {
		host_advance(100000000);
		host_run_deferred();
	}
	assert_rec("A A A");
	assert_int_equal(request(irq, IRQF_SHARED, "B"), 0);
	assert_int_equal(irq_to_desc(irq)->depth, 0);
	rec_take();
	raise_irq(irq);
	assert_rec("A B");
}

static void polls(unsigned int times)
{
	while (times--) {
		host_advance(100000000);
		host_run_deferred();
	}
}

static void s104_switched_off_lazily_and_polled_also_when_enabled_again(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	assert_int_equal(request(irq, IRQF_SHARED, "A"), 0);
	interrupts(irq, 99999, IRQ_NONE);
	host_printk();
	raise_irq(irq);
	assert_rec("ack A");				/* the chip is told nothing */
	assert_true(logged("(t)"));			/* the list of handlers */
	assert_false(irqd_irq_masked(irq_get_irq_data(irq)));
	rec_ret = IRQ_HANDLED;
	polls(2);
	assert_rec("A A");				/* handlers, and nothing round them */
	enable_irq(irq);
	assert_int_equal(irq_to_desc(irq)->depth, 0);
	polls(2);
	assert_rec("A A");
	raise_irq(irq);
	assert_rec("ack A");
}

static void s108_polled_and_percpu_lines_are_left_alone(void **state)
{
	unsigned int polled = rec_line(rec_chip(R_MASK | R_UNMASK), handle_simple_irq);
	unsigned int later = rec_line(rec_chip(R_MASK | R_UNMASK), handle_simple_irq);
	unsigned int percpu = rec_line(rec_chip(R_MASK | R_UNMASK), handle_simple_irq);

	(void)state;
	irq_set_status_flags(polled, IRQ_IS_POLLED);
	assert_int_equal(request(polled, IRQF_SHARED, "P"), 0);
	interrupts(polled, 100001, IRQ_NONE);
	interrupts(polled, 1, 0x20);
	assert_int_equal(irq_to_desc(polled)->depth, 0);
	assert_int_equal(irq_to_desc(polled)->irqs_unhandled, 0);
	assert_int_equal(request(later, IRQF_SHARED, "L"), 0);
	assert_int_equal(request(percpu, IRQF_SHARED, "C"), 0);
	interrupts(later, 100000, IRQ_NONE);
	interrupts(percpu, 100000, IRQ_NONE);
	polls(1);
	assert_rec("L C");
	irq_set_status_flags(later, IRQ_IS_POLLED);
	irq_set_status_flags(percpu, IRQ_PER_CPU);
	polls(2);
	assert_rec("");
	irq_clear_status_flags(later, IRQ_IS_POLLED);
	polls(1);
	assert_rec("L");
}

static void s106_wild_return_values_are_not_counted(void **state)
{
	unsigned int irq[] = { rec_started(rec_chip(R_MASK | R_UNMASK), handle_simple_irq),
			       rec_started(rec_chip(R_MASK | R_UNMASK), handle_simple_irq) };
	unsigned int reports = 0;

	(void)state;
	interrupts(irq[0], 1, IRQ_NONE);		/* the window runs */
	host_printk();
	for (int i = 0; i < 150; i++) {
		interrupts(irq[i % 2], 1, 0x20);
		reports += strlen(host_printk()) > 0;
	}
	assert_int_equal(reports, 100);
	assert_int_equal(irq_to_desc(irq[0])->irqs_unhandled, 1);
	assert_int_equal(irq_to_desc(irq[0])->irq_count, 1);
	assert_int_equal(irq_to_desc(irq[1])->irqs_unhandled, 0);
}

/* ---- K. Threads and chains --------------------------------------------------------------------------- */

static struct irq_domain *child;

static void chained(struct irq_desc *desc)
{
	const struct irq_chip *chip = irq_desc_get_chip(desc);

	chained_irq_enter(chip, desc);
	generic_handle_domain_irq(child, 3);
	chained_irq_exit(chip, desc);
}

static unsigned int chain(unsigned int callbacks)
{
	unsigned int irq = rec_line(rec_chip(callbacks), handle_level_irq), inner;

	child = rec_domain(8);
	rec_map_chip = rec_chip(R_EDGE);
	rec_map_flow = handle_edge_irq;
	inner = irq_create_mapping(child, 3);
	assert_int_equal(request(inner, 0, NULL), 0);
	irqd_set_trigger_type(irq_get_irq_data(irq), IRQ_TYPE_LEVEL_HIGH);
	rec_take();
	irq_set_chained_handler_and_data(irq, chained, child);
	return irq;
}

static void s109_chained_line_starts_at_once_and_cannot_be_requested(void **state)
{
	unsigned int irq = chain(R_TYPE | R_STARTUP | R_EOI);

	(void)state;
	assert_rec("set_type(4) startup");
	assert_true(irqd_is_started(irq_get_irq_data(irq)));
	assert_true(irqd_is_activated(irq_get_irq_data(irq)));
	assert_int_equal(request(irq, 0, NULL), -EINVAL);
	assert_int_equal(request(irq, IRQF_SHARED, "A"), -EINVAL);
	assert_ptr_equal(irq_desc_get_handler_data(irq_to_desc(irq)), child);
}

static void s109_type_then_activation_then_startup_then_what_was_pending(void **state)
{
	struct irq_fwspec spec = { .param_count = 1, .param = { 1 } };
	struct rec_stack stack;
	unsigned int irq;

	(void)state;
	rec_stack(&stack, R_EDGE | R_TYPE | R_STARTUP, R_EDGE, R_EDGE);
	spec.fwnode = stack.fwnode[0];
	irq = irq_domain_alloc_irqs(stack.leaf, 1, -1, &spec);
	irq_set_handler(irq, handle_edge_irq);
	irqd_set_trigger_type(irq_get_irq_data(irq), IRQ_TYPE_EDGE_RISING);
	child = rec_domain(8);
	raise_irq(irq);					/* nobody wants it yet */
	rec_take();
	irq_set_chained_handler_and_data(irq, chained, child);
	assert_rec("leaf.set_type(1) root.activate middle.activate leaf.activate leaf.startup");
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, chained);
	host_run_deferred();
	assert_rec("leaf.mask leaf.ack leaf.unmask");
	irq_set_chained_handler(irq, NULL);
	irq_domain_free_irqs(irq, 1);
}

static void s109_a_line_without_a_chip_is_refused(void **state)
{
	int irq = irq_alloc_desc(-1);

	(void)state;
	host_printk();
	irq_set_chained_handler(irq, chained);
	assert_true(logged("warning"));
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, handle_bad_irq);
	assert_false(irq_has_action(irq));
	assert_false(irqd_is_started(irq_get_irq_data(irq)));
}

static void s098_chained_enter_and_exit_pass_the_cache_by(void **state)
{
	unsigned int irq = chain(R_LEVEL);

	(void)state;
	irqd_set(irq_get_irq_data(irq), IRQD_IRQ_MASKED);
	rec_take();
	raise_irq(irq);
	assert_rec("mask ack ack H unmask");
	assert_true(irqd_irq_masked(irq_get_irq_data(irq)));
}

static void s110_chained_enter_and_exit(void **state)
{
	unsigned int eoi = chain(R_FASTEOI), level, both;

	(void)state;
	rec_take();
	raise_irq(eoi);
	assert_rec("ack H eoi");	/* the ack is the child's */
	level = chain(R_LEVEL);
	rec_take();
	raise_irq(level);
	assert_rec("mask ack ack H unmask");
	both = chain(R_LEVEL | R_MASK_ACK);
	rec_take();
	raise_irq(both);
	assert_rec("mask_ack ack H unmask");
}

static void s111_delivery_of_what_is_not_mapped(void **state)
{
	struct irq_domain *d = rec_domain(8);
	unsigned int irq;

	(void)state;
	rec_map_chip = rec_chip(R_EDGE);
	rec_map_flow = handle_edge_irq;
	irq = irq_create_mapping(d, 3);
	assert_int_equal(request(irq, 0, NULL), 0);
	rec_take();
	assert_int_equal(raise_hwirq(d, 4), -EINVAL);
	assert_int_equal(raise_hwirq(d, 400000), -EINVAL);
	assert_rec("");
	arch_local_irq_disable();
	assert_int_equal(generic_handle_domain_irq(d, 3), 0);	/* not enforced: works */
	assert_rec("ack H");
	irqd_set_handle_enforce_irqctx(irq_get_irq_data(irq));
	host_printk();
	assert_int_equal(generic_handle_domain_irq(d, 3), -EPERM);
	arch_local_irq_enable();
	assert_true(logged("warning"));
	assert_rec("");
	assert_int_equal(raise_hwirq(d, 3), 0);
	assert_rec("ack H");
}

static unsigned int rounds;

static void softirq_again(void)
{
	rec("S");
	if (++rounds % 15)
		raise_softirq(NET_RX_SOFTIRQ);
}

static void s114_softirqs_run_at_the_outermost_exit(void **state)
{
	(void)state;
	rounds = 14;
	open_softirq(NET_RX_SOFTIRQ, softirq_again);
	host_irq_enter();
	raise_softirq(NET_RX_SOFTIRQ);
	host_irq_enter();
	host_irq_exit();
	assert_rec("");
	host_irq_exit();
	assert_rec("S");
	rounds = 0;
	host_irq_enter();
	raise_softirq(NET_RX_SOFTIRQ);
	host_irq_exit();
	assert_int_equal(rounds, 10);		/* then the thread goes on */
	host_run_deferred();
	assert_int_equal(rounds, 15);
	rounds = 14;
	raise_softirq(NET_RX_SOFTIRQ);
	host_run_deferred();
	assert_int_equal(rounds, 15);
}

static bool thread_done;

static irqreturn_t sleeps(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	msleep(5);
	thread_done = true;
	return IRQ_HANDLED;
}

static void thread_may_sleep_and_free_waits_for_it(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	thread_done = false;
	assert_int_equal(request_threaded_irq(irq, wakes, sleeps, IRQF_ONESHOT, "t", NULL), 0);
	raise_irq(irq);
	host_run_deferred();
	assert_false(thread_done);
	free_irq(irq, NULL);
	assert_true(thread_done);
}

static void irq_wake_thread_needs_no_interrupt(void **state)
{
	unsigned int irq = started_thread(rec_chip(R_EDGE), handle_edge_irq, 0);

	(void)state;
	irq_wake_thread(irq, NULL);
	host_run_deferred();
	assert_rec("T");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(s083_level),
		T(s084_level_disabled_stays_masked),
		T(s086_oneshot_stays_masked_until_the_thread_is_done),
		T(s086_the_last_sharer_unmasks),
		T(s086_edge_ignores_oneshot),
		T(s087_disabled_inside_the_handler),
		T(s088_s089_fasteoi),
		T(s088_fasteoi_oneshot),
		T(s091_s093_edge),
		T(s092_edges_during_the_handler_make_one_more_run),
		T(s092_disabled_in_the_handler_the_edge_waits_for_enable),
		T(s094_simple),
		T(s097_handlers_run_unlocked_and_in_progress),
		T(s098_masks_are_cached),
		T(s095_percpu_ignores_disabled),
		T(s096_s099_percpu_devid),
		T(s096_percpu_devid_is_not_judged_and_wakes_nothing),
		T(s098_s099_percpu_enables_are_neither_cached_nor_counted),
		T(s098_chained_enter_and_exit_pass_the_cache_by),
		T(s104_switched_off_lazily_and_polled_also_when_enabled_again),
		T(s108_polled_and_percpu_lines_are_left_alone),
		T(s109_type_then_activation_then_startup_then_what_was_pending),
		T(s109_a_line_without_a_chip_is_refused),
		T(s096_percpu_devid_without_an_action_is_disabled_here),
		T(s101_ipi_mux),
		T(s101_ipi_mux_limits),
		T(s103_s104_spurious_line_is_switched_off),
		T(s104_s063_poller_and_revival_by_a_sharer),
		T(s106_wild_return_values_are_not_counted),
		T(s109_chained_line_starts_at_once_and_cannot_be_requested),
		T(s110_chained_enter_and_exit),
		T(s111_delivery_of_what_is_not_mapped),
		T(s114_softirqs_run_at_the_outermost_exit),
		T(thread_may_sleep_and_free_waits_for_it),
		T(irq_wake_thread_needs_no_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
