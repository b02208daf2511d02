/* What can be seen of a line from outside, and what it can be made to do by its number. */
#include <kernel/ipi.h>
#include <kernel/matrix.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <kernel/trace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support/rec.h"

/* ---- The list ---------------------------------------------------------------------------------------- */

static char text[16384];

static bool listed(unsigned int irq)
{
	char key[32];

	assert_int_equal(shell_capture("irqs", text, sizeof(text)), 0);
	snprintf(key, sizeof(key), "{\"irq\":%u,", irq);
	return strstr(text, key);
}

static struct irq_domain *domain;

static unsigned int mapped(const struct irq_chip *chip, irq_flow_handler_t flow, unsigned int hwirq)
{
	rec_map_chip = chip;
	rec_map_flow = flow;
	if (!domain)
		domain = rec_domain(8);
	return irq_create_mapping(domain, hwirq);
}

static void feeds_nobody(struct irq_desc *desc)
{
	(void)desc;
}

static void s201_s109_list_has_lines_with_a_handler_only(void **state)
{
	unsigned int unused, chained, hidden, irq;

	(void)state;
	domain = NULL;
	unused = mapped(rec_chip(R_LEVEL), handle_level_irq, 1);
	chained = mapped(rec_chip(R_LEVEL), handle_level_irq, 2);
	hidden = mapped(rec_chip(R_LEVEL), handle_level_irq, 3);
	irq = mapped(rec_chip(R_LEVEL), handle_level_irq, 4);
	raise_irq(unused);
	assert_false(listed(unused));
	assert_int_equal(request_irq(chained, rec_handler, 0, "plain", NULL), 0);
	assert_true(listed(chained));
	free_irq(chained, NULL);
	irq_set_chained_handler(chained, feeds_nobody);
	assert_false(listed(chained));
	assert_int_equal(request_irq(hidden, rec_handler, 0, "hidden", NULL), 0);
	assert_true(listed(hidden));
	irq_set_status_flags(hidden, IRQ_HIDDEN);
	assert_false(listed(hidden));
	assert_int_equal(request_irq(irq, rec_handler, IRQF_SHARED, "one", "A"), 0);
	assert_int_equal(request_irq(irq, rec_handler, IRQF_SHARED, "two", "B"), 0);
	host_set_cpu(2);
	raise_irq(irq);
	host_set_cpu(0);
	assert_true(listed(irq));
	assert_non_null(strstr(text, "\"flow\":\"level\",\"type\":\"none\",\"actions\":[\"one\",\"two\"],"
			       "\"counts\":[0,0,1,0]"));
	assert_non_null(strstr(text, "\"hwirq\":4,\"chip\":\"rec\""));
	free_irq(irq, "A");
	free_irq(irq, "B");
	assert_false(listed(irq));
	irq_set_chained_handler(chained, NULL);
}

static int inject(unsigned int irq)
{
	char line[32];

	snprintf(line, sizeof(line), "irq inject %u", irq);
	return shell_capture(line, text, sizeof(text));
}

static void s202_s079_inject_sets_pending_or_replays(void **state)
{
	unsigned int edge, pends, level, idle;

	(void)state;
	domain = NULL;
	edge = mapped(rec_chip(R_EDGE), handle_edge_irq, 1);
	pends = mapped(rec_chip(R_EDGE | R_STATE), handle_edge_irq, 2);
	level = mapped(rec_chip(R_LEVEL), handle_level_irq, 3);
	idle = mapped(rec_chip(R_EDGE), handle_edge_irq, 4);
	irq_set_status_flags(level, IRQ_LEVEL);
	assert_int_equal(request_irq(edge, rec_handler, 0, "t", NULL), 0);
	assert_int_equal(request_irq(pends, rec_handler, 0, "t", NULL), 0);
	assert_int_equal(request_irq(level, rec_handler, 0, "t", NULL), 0);
	rec_take();
	assert_int_equal(inject(pends), 0);
	assert_rec("set_state(0,1)");
	assert_int_equal(inject(edge), 0);
	host_run_deferred();
	assert_rec("ack H");
	assert_int_equal(inject(level), -EINVAL);
	assert_int_equal(inject(idle), -EINVAL);
	assert_int_equal(inject(NR_IRQS - 1), -EINVAL);
	host_run_deferred();
	assert_rec("");
}

/* ---- The trace --------------------------------------------------------------------------------------- */

/* The station's events on CPU 0 since recording began, one word each: irq, a, b. */
static void expect_events(enum station station, const char *fmt, ...)
{
	const struct trace_ring *ring = this_cpu()->trace;
	char found[256] = "", wanted[256];
	size_t len = 0;
	va_list args;

	va_start(args, fmt);
	vsnprintf(wanted, sizeof(wanted), fmt, args);
	va_end(args);
	for (u64 n = trace_oldest(ring); n < ring->head; n++) {
		const struct trace_event *e = &ring->event[n & ring->mask];

		if (e->station == station)
			len += snprintf(found + len, sizeof(found) - len, "%u:%lx,%lx ", e->irq,
					e->a, e->b);
	}
	assert_string_equal(found, wanted);
}

static irqreturn_t not_mine(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	return IRQ_NONE;
}

static void s203_each_handler_is_traced_with_its_result(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);
	char a[] = "A", b[] = "B";

	(void)state;
	rec_ret = IRQ_HANDLED;
	assert_int_equal(request_irq(irq, not_mine, IRQF_SHARED, "first", a), 0);
	assert_int_equal(request_irq(irq, rec_handler, IRQF_SHARED, "second", b), 0);
	raise_irq(irq);
	trace_all(true);
	raise_irq(irq);
	trace_all(false);
	raise_irq(irq);
	expect_events(ST_HANDLER, "%u:%lx,%lx %u:%lx,%lx ", irq, (long)not_mine, (long)a, irq,
		      (long)rec_handler, (long)b);
	expect_events(ST_HANDLED, "%u:0,0 %u:1,0 ", irq, irq);
	assert_string_equal(trace_action(irq), "first");
	free_irq(irq, a);
	free_irq(irq, b);
}

static void s203_vectors_are_traced(void **state)
{
	struct irq_matrix *m = irq_matrix_create(1, 32);
	struct trace_event given = { .station = ST_VECTOR, .a = 1, .b = 2 };
	unsigned int cpu;

	(void)state;
	irq_matrix_reserve(m, 1);
	irq_matrix_online(m, 1);
	irq_matrix_online(m, 2);
	trace_all(true);
	assert_int_equal(irq_matrix_alloc(m, cpu_possible_mask, &cpu), 2);
	assert_int_equal(irq_matrix_alloc(m, cpumask_of(2), &cpu), 2);
	assert_int_equal(irq_matrix_alloc(m, cpumask_of(3), &cpu), -EINVAL);
	irq_matrix_free(m, 1, 2);
	irq_matrix_free(m, 1, 2);		/* is not given: nothing happens */
	trace_all(false);
	expect_events(ST_VECTOR, "0:1,2 0:2,2 0:1,%lx ", ~2UL);
	assert_string_equal(trace_detail(text, sizeof(text), &given), "id 2 of cpu 1 is given");
	given.b = ~2UL;
	assert_string_equal(trace_detail(text, sizeof(text), &given), "id 2 of cpu 1 is given back");
	irq_matrix_free(m, 2, 2);
	irq_matrix_destroy(m);
}

/* ---- By number, with interrupts on ------------------------------------------------------------------- */

static irqreturn_t off_inside(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	rec(arch_irqs_disabled() ? "off" : "on");
	return IRQ_HANDLED;
}

static void safe_delivery_turns_interrupts_off(void **state)
{
	unsigned int irq;

	(void)state;
	domain = NULL;
	irq = mapped(rec_chip(0), handle_simple_irq, 5);
	assert_int_equal(request_irq(irq, off_inside, 0, "t", NULL), 0);
	rec_take();
	assert_int_equal(generic_handle_irq_safe(irq), 0);
	assert_int_equal(generic_handle_domain_irq_safe(domain, 5), 0);
	assert_false(arch_irqs_disabled());
	assert_rec("off off");
	arch_local_irq_disable();
	assert_int_equal(generic_handle_irq_safe(irq), 0);
	assert_int_equal(generic_handle_domain_irq_safe(domain, 6), -EINVAL);
	assert_int_equal(generic_handle_irq_safe(NR_IRQS - 1), -EINVAL);
	assert_true(arch_irqs_disabled());
	arch_local_irq_enable();
	assert_rec("off");
}

/* ---- IPIs by number ---------------------------------------------------------------------------------- */

static void to_one(struct irq_data *d, unsigned int cpu)
{
	rec("one(%lu,%u)", d->hwirq, cpu);
}

static void to_mask(struct irq_data *d, const struct cpumask *dest)
{
	rec("mask(%lu,%lx)", d->hwirq, dest->bits);
}

static void ipis_are_sent_by_either_callback(void **state)
{
	struct irq_chip *chip = rec_chip(0);
	struct cpumask two = { 0 }, nobody = { 0 }, far = { 0 };
	unsigned int irq;

	(void)state;
	domain = NULL;
	irq = mapped(chip, handle_simple_irq, 5);
	rec_take();
	cpumask_set_cpu(1, &two), cpumask_set_cpu(3, &two);
	cpumask_set_cpu(nr_cpu_ids, &far);
	assert_int_equal(ipi_send_single(irq, 1), -EINVAL);
	assert_int_equal(ipi_send_mask(irq, &two), -EINVAL);
	chip->ipi_send_single = to_one;
	assert_int_equal(ipi_send_single(irq, 1), 0);
	assert_int_equal(ipi_send_mask(irq, &two), 0);
	assert_rec("one(5,1) one(5,1) one(5,3)");
	chip->ipi_send_mask = to_mask;
	assert_int_equal(ipi_send_mask(irq, &two), 0);
	assert_int_equal(ipi_send_single(irq, 2), 0);
	assert_rec("mask(5,a) one(5,2)");
	chip->ipi_send_single = NULL;
	assert_int_equal(ipi_send_single(irq, 2), 0);
	assert_rec("mask(5,4)");
	assert_int_equal(ipi_send_single(irq, nr_cpu_ids), -EINVAL);
	assert_int_equal(ipi_send_single(NR_IRQS - 1, 0), -EINVAL);
	assert_int_equal(ipi_send_mask(NR_IRQS - 1, &two), -EINVAL);
	assert_int_equal(ipi_send_mask(irq, &nobody), -EINVAL);
	assert_int_equal(ipi_send_mask(irq, &far), -EINVAL);
	assert_rec("");
}

/* ---- Passed on to the parent ------------------------------------------------------------------------- */

static void startup_and_shutdown_of_the_parent(void **state)
{
	struct rec_stack stack;
	struct irq_fwspec spec = { .param_count = 1, .param = { 1 } };
	struct irq_data *d;
	int irq;

	(void)state;
	rec_stack(&stack, R_LEVEL, R_LEVEL, R_STARTUP | R_SHUTDOWN | R_ENABLE | R_DISABLE);
	spec.fwnode = stack.fwnode[0];
	irq = irq_domain_alloc_irqs(stack.leaf, 1, -1, &spec);
	assert_true(irq > 0);
	d = irq_get_irq_data(irq);
	rec_take();
	assert_int_equal(irq_chip_startup_parent(d), 0);
	irq_chip_shutdown_parent(d);
	assert_rec("middle.unmask middle.mask");
	irq_chip_startup_parent(d->parent_data);
	irq_chip_shutdown_parent(d->parent_data);
	assert_rec("root.startup root.shutdown");
	irq_domain_free_irqs(irq, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(s201_s109_list_has_lines_with_a_handler_only),
		T(s202_s079_inject_sets_pending_or_replays),
		T(s203_each_handler_is_traced_with_its_result),
		T(s203_vectors_are_traced),
		T(safe_delivery_turns_interrupts_off),
		T(ipis_are_sent_by_either_callback),
		T(startup_and_shutdown_of_the_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
