/*
 * The real GICv3 driver on a strict model: wires, SGIs, PPIs; what comes to a CPU is what was
 * claimed, and is ended by it. The ITS is test-its.c's.
 */
#include <drivers/irqchip/gic-v3.h>
#include <kernel/ipi.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <string.h>
#include "support/cpus.h"
#include "support/gic.h"
#include "support/gicv3-board.h"
#include "support/rec.h"
#include "support/traffic.h"
#include "support/violation.h"

static const struct gicv3_board usual = { .no_its = true };
static const struct gicv3_board with_its;
static const struct gicv3_board split = { .no_its = true, .arguments = "gic.eoimode=1" };

static const struct gic_model model = {
	.compatible = "arm,gic-v3", .cpus = GICV3_CPUS, .intids = GICV3_INTIDS,
	.wire = gicv3_wire, .intrude = gicv3_intrude, .enabled = gicv3_enabled,
	.pending = gicv3_pending, .active = gicv3_active, .edge = gicv3_edge,
};

static int boot(const struct gicv3_board *board)
{
	gic_model = &model;
	rec_ret = IRQ_HANDLED;
	gicv3_boot(board);
	return 0;
}
static int as_usual(void **state) { (void)state; return boot(&usual); }
static int in_two_writes(void **state) { (void)state; return boot(&split); }

static int teardown(void **state)
{
	(void)state;
	gicv3_check();
	return 0;
}
#define B(fn)	cmocka_unit_test_setup_teardown(fn, as_usual, teardown)
#define B2(fn)	B(fn), cmocka_unit_test_setup_teardown(fn, in_two_writes, teardown)

/* ---- Start ---------------------------------------------------------------------------------- */

static void firmwares_leftovers_are_gone(void **state)
{
	(void)state;
	assert_booted(GICV3_CPUS);
	for (unsigned int cpu = 0; cpu < GICV3_CPUS; cpu++)
		assert_false(gicv3_active(cpu, 29) || gicv3_pending(cpu, 5));
	for (unsigned int intid = 32; intid < GICV3_INTIDS; intid++) {
		assert_false(gicv3_enabled(0, intid) || gicv3_pending(0, intid));
		assert_false(gicv3_active(0, intid));
		assert_int_equal(gicv3_route(intid), 0);
	}
	assert_null(strstr(gicv3_trace(), "prop"));	/* no ITS: no LPIs */
}

static void s102_sgis_reach_their_cpu_and_end(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 30; round++)
		assert_call_reaches(1 + round % (GICV3_CPUS - 1));
}

static void wrong_machines(void **state)
{
	static const struct {
		struct gicv3_board board;
		const char *says;
	} wrong[] = {
		{ { .no_its = true, .cells = 2 }, "#interrupt-cells is 2, not 3" },
		{ { .no_its = true, .gic.never_settles = true }, "busy for a second" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		boot(&wrong[i].board);
		assert_true(logged(wrong[i].says));
		assert_null(handle_arch_irq);
	}
}

/* ---- Statements ----------------------------------------------------------------------------- */

static void s158_one_cell_is_an_sgi_and_lpis_have_a_kind(void **state)
{
	struct irq_fwspec spec;
	unsigned long hwirq;
	unsigned int type;

	(void)state;
	spec = (struct irq_fwspec){ .param_count = 1, .param = { 7 } };
	assert_int_equal(gic_domain()->ops->translate(gic_domain(), &spec, &hwirq, &type), 0);
	assert_int_equal(hwirq, 7);
	assert_int_equal(type, IRQ_TYPE_EDGE_RISING);
	spec.param[0] = 16;
	assert_int_equal(gic_domain()->ops->translate(gic_domain(), &spec, &hwirq, &type),
			 -EINVAL);
	spec = (struct irq_fwspec){ .param_count = 3, .param = { GIC_LPI, 8200, 1 } };
	assert_int_equal(gic_domain()->ops->translate(gic_domain(), &spec, &hwirq, &type), 0);
	assert_int_equal(hwirq, 8200);
}

static void s159_a_wired_in_trigger_stays(void **state)
{
	unsigned int irq = gic_map(GIC_SPI, GICV3_FIXED_SPI - 32, IRQ_TYPE_LEVEL_HIGH);

	(void)state;
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_RISING), -EINVAL);
}

static irq_flow_handler_t flow_of(unsigned int irq)
{
	return irq_to_desc(irq)->handle_irq;
}

static void s160_flows(void **state)
{
	unsigned int spi, ppi;
	int lpi;

	(void)state;
	spi = gic_map(GIC_SPI, 5, 4);
	ppi = gic_map(GIC_PPI, 12, 4);
	assert_ptr_equal(flow_of(spi), handle_fasteoi_irq);
	assert_true(irqd_is_single_target(irq_get_irq_data(spi)));
	assert_ptr_equal(flow_of(ppi), handle_percpu_devid_irq);
	assert_ptr_equal(flow_of(irq_find_mapping(gic_domain(), 3)), handle_percpu_devid_irq);
	lpi = irq_domain_alloc_irqs(gic_domain(), 1, -1, &(struct irq_fwspec){
		.fwnode = &gic_node()->fwnode, .param_count = 3,
		.param = { GIC_LPI, 8192, IRQ_TYPE_EDGE_RISING } });
	assert_int_equal(lpi, -EPERM);
	boot(&with_its);
	lpi = irq_domain_alloc_irqs(gic_domain(), 1, -1, &(struct irq_fwspec){
		.fwnode = &gic_node()->fwnode, .param_count = 3,
		.param = { GIC_LPI, 8193, IRQ_TYPE_EDGE_RISING } });
	assert_true(lpi > 0);
	assert_ptr_equal(flow_of(lpi), handle_fasteoi_irq);
	assert_true(irqd_is_single_target(irq_get_irq_data(lpi)));
	irq_domain_free_irqs(lpi, 1);
}

static void s161_a_route_changes_while_the_line_is_off(void **state)
{
	unsigned int irq = spi_device(40, IRQ_TYPE_LEVEL_HIGH), ppi = gic_map(GIC_PPI, 11, 4);
	static const char *const moves[] = {
		"off(72) route(72,3) on(72)", "off(72) route(72,2) on(72)",
		"off(72) route(72,1) on(72)", "off(72) route(72,0) on(72)",
	};

	(void)state;
	for (unsigned int cpu = GICV3_CPUS; cpu--;) {
		irq_set_affinity(irq, cpumask_of((cpu + 1) % GICV3_CPUS));
		gicv3_trace();
		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_string_equal(gicv3_trace(), moves[GICV3_CPUS - 1 - cpu]);
		assert_int_equal(gicv3_route(72), cpu);
		assert_int_equal(cpumask_weight(irq_data_get_effective_affinity_mask(
			irq_get_irq_data(irq))), 1);
		spi_comes(cpu);
	}
	assert_int_equal(irq_set_affinity(irq, &(struct cpumask){ 0xe }), 0);
	assert_int_equal(gicv3_route(72), 1);
	disable_irq(irq);
	gicv3_wire(72, true);
	host_run_deferred();
	assert_false(gicv3_enabled(0, 72));
	gicv3_trace();
	assert_int_equal(irq_set_affinity(irq, cpumask_of(3)), 0);
	assert_string_equal(gicv3_trace(), "route(72,3)");
	enable_irq(irq);
	host_run_deferred();
	assert_int_equal(spi.ran_on, 3);
	assert_int_equal(irq_set_affinity(ppi, cpumask_of(1)), -EINVAL);
	assert_int_equal(irq_get_irq_data(ppi)->chip->irq_set_affinity(irq_get_irq_data(ppi),
			 cpumask_of(1), false), -EINVAL);
}

static void s174_states_of_wires_not_of_lpis(void **state)
{
	enum irqchip_irq_state which;
	int lpi;
	bool is;

	(void)state;
	assert_gic_states(gic_map(GIC_SPI, 41, IRQ_TYPE_EDGE_RISING), 73);
	assert_gic_states(gic_map(GIC_PPI, 12, IRQ_TYPE_EDGE_RISING), 28);
	assert_gic_states(irq_find_mapping(gic_domain(), 15), 15);
	boot(&with_its);
	lpi = irq_domain_alloc_irqs(gic_domain(), 1, -1, &(struct irq_fwspec){
		.fwnode = &gic_node()->fwnode, .param_count = 3,
		.param = { GIC_LPI, 8193, IRQ_TYPE_EDGE_RISING } });
	assert_true(lpi > 0);
	for (which = IRQCHIP_STATE_PENDING; which <= IRQCHIP_STATE_LINE_LEVEL; which++) {
		assert_int_equal(irq_set_irqchip_state(lpi, which, true), -EINVAL);
		assert_int_equal(irq_get_irqchip_state(lpi, which, &is), -EINVAL);
	}
	irq_domain_free_irqs(lpi, 1);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static void ends_come_as_the_mode_says(void **state)
{
	(void)state;
	spi_device(41, IRQ_TYPE_EDGE_RISING);
	gicv3_trace();
	gicv3_wire(73, true);
	host_run_deferred();
	assert_string_equal(gicv3_trace(), "ack(0,73) eoi(0,73)");
	boot(&split);
	spi_device(41, IRQ_TYPE_EDGE_RISING);
	gicv3_trace();
	gicv3_wire(73, true);
	host_run_deferred();
	assert_string_equal(gicv3_trace(), "ack(0,73) eoi(0,73) dir(0,73)");
}

static unsigned int ppi_runs[NR_CPUS];
static int cookies[NR_CPUS];

static irqreturn_t serve_ppi(int irq, void *cookie)
{
	(void)irq, (void)cookie;
	ppi_runs[smp_processor_id()]++;
	gicv3_ppi(smp_processor_id(), 28, false);
	return IRQ_HANDLED;
}

static void enable_ppi(void *arg)
{
	enable_percpu_irq(*(unsigned int *)arg, IRQ_TYPE_LEVEL_HIGH);
}
static void disable_ppi(void *arg)
{
	disable_percpu_irq(*(unsigned int *)arg);
}

static void ppi_is_of_its_cpu(void **state)
{
	unsigned int irq = gic_map(GIC_PPI, 12, 4);

	(void)state;
	memset(ppi_runs, 0, sizeof(ppi_runs));
	assert_int_equal(request_percpu_irq(irq, serve_ppi, "ppi", cookies), 0);
	for (unsigned int cpu = 0; cpu < GICV3_CPUS; cpu++) {
		if (cpu)
			smp_call_function_single(cpu, enable_ppi, &irq);
		else
			enable_ppi(&irq);
		gicv3_ppi(cpu, 28, true);
		host_run_deferred();
		for (unsigned int other = 0; other < GICV3_CPUS; other++)
			assert_int_equal(ppi_runs[other], other <= cpu);
	}
	for (unsigned int cpu = 1; cpu < GICV3_CPUS; cpu++)
		smp_call_function_single(cpu, disable_ppi, &irq);
	disable_ppi(&irq);
	free_percpu_irq(irq, cookies);
}

static unsigned int sgi_runs;

static irqreturn_t serve_sgi(int irq, void *cookie)
{
	(void)irq, (void)cookie;
	sgi_runs++;
	return IRQ_HANDLED;
}

static void s102_sgis_are_enabled_per_cpu_and_sixteen(void **state)
{
	unsigned int sgi = irq_find_mapping(gic_domain(), 5), ppi = gic_map(GIC_PPI, 12, 4);

	(void)state;
	sgi_runs = 0;
	assert_int_equal(request_percpu_irq(sgi, serve_sgi, "sgi", cookies), 0);
	enable_ppi(&ppi);
	enable_percpu_irq(sgi, IRQ_TYPE_NONE);
	assert_int_equal(ipi_send_single(sgi, 2), 0);
	host_run_deferred();
	assert_true(gicv3_pending(2, 5));
	assert_int_equal(sgi_runs, 0);
	host_set_cpu(2);
	enable_percpu_irq(sgi, IRQ_TYPE_NONE);
	host_set_cpu(0);
	host_run_deferred();
	assert_int_equal(sgi_runs, 1);
	assert_int_equal(ipi_send_mask(sgi, &(struct cpumask){ 5 }), 0);
	host_run_deferred();
	assert_int_equal(sgi_runs, 3);
	gicv3_trace();
	host_printk();
	ipi_send_single(ppi, 1);
	assert_true(logged("warning"));
	assert_null(strstr(gicv3_trace(), "sgi("));
	for (unsigned int cpu = 0; cpu < 4; cpu += 2) {
		host_set_cpu(cpu);
		disable_percpu_irq(sgi);
	}
	host_set_cpu(0);
	disable_ppi(&ppi);
	free_percpu_irq(sgi, cookies);
}

static void spurious_ends_nothing(void **state)
{
	(void)state;
	gicv3_trace();
	host_irq_enter();
	handle_arch_irq(NULL);
	host_irq_exit();
	assert_string_equal(gicv3_trace(), "");
}

/* ---- At random ------------------------------------------------------------------------------ */

static void raise(unsigned int n)
{
	gicv3_wire(32 + 40 + n, true);
}

static void served(unsigned int n)
{
	gicv3_wire(32 + 40 + n, false);
}

static void random_traffic(void **state)
{
	struct traffic t = { .lines = 12, .cpus = GICV3_CPUS, .steps = 3000,
			     .raise = raise, .served = served, .inject = true };

	(void)state;
	for (unsigned int n = 0; n < t.lines; n++)
		t.irq[n] = gic_map(GIC_SPI, 40 + n, n % 2 ? IRQ_TYPE_EDGE_RISING
							  : IRQ_TYPE_LEVEL_HIGH);
	traffic_at_random(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		B2(firmwares_leftovers_are_gone),
		B2(s102_sgis_are_enabled_per_cpu_and_sixteen),
		B2(s102_sgis_reach_their_cpu_and_end),
		cmocka_unit_test(wrong_machines),
		B(s158_cells_name_lines),
		B(s158_one_cell_is_an_sgi_and_lpis_have_a_kind),
		B(s159_triggers),
		B(s159_a_wired_in_trigger_stays),
		B(s160_flows),
		B2(s161_a_route_changes_while_the_line_is_off),
		B(s174_states_of_wires_not_of_lpis),
		B2(level_comes_again_edge_does_not),
		B2(edge_during_its_handler_counts),
		B(ends_come_as_the_mode_says),
		B2(ppi_is_of_its_cpu),
		B2(unmapped_is_ended_and_told_once),
		B2(spurious_ends_nothing),
		B2(random_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
