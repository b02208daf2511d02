/* What both GICs have in common: see gic.h. */
#include <kernel/printk.h>
#include <kernel/smp.h>
#include "support/gic.h"
#include "support/rec.h"

enum { SPI, PPI, ESPI };	/* a specifier's first cell */

const struct gic_model *gic_model;

struct device_node *gic_node(void)
{
	return of_find_compatible_node(NULL, gic_model->compatible);
}

struct irq_domain *gic_domain(void)
{
	return irq_find_host(gic_node());
}

unsigned int gic_map(u32 kind, u32 number, u32 flags)
{
	struct irq_fwspec spec = { .fwnode = &gic_node()->fwnode, .param_count = 3,
				   .param = { kind, number, flags } };

	return irq_create_fwspec_mapping(&spec);
}

/* ---- A device on an SPI ---------------------------------------------------------------------- */

struct spi_device spi;

irqreturn_t spi_serve(int irq, void *cookie)
{
	(void)cookie;
	spi.runs++;
	spi.ran_on = smp_processor_id();
	if (spi.in_handler)
		spi.in_handler(irq);
	if (spi.wire)
		gic_model->wire(spi.wire, false);
	return IRQ_HANDLED;
}

unsigned int spi_device(u32 number, u32 type)
{
	unsigned int irq = gic_map(SPI, number, type);

	assert_int_not_equal(irq, 0);
	spi = (struct spi_device){ .wire = 32 + number };
	assert_int_equal(request_irq(irq, spi_serve, 0, "dev", &spi), 0);
	return irq;
}

void spi_comes(unsigned int cpu)
{
	unsigned int before = spi.runs;

	gic_model->wire(spi.wire, true);
	host_run_deferred();
	assert_int_equal(spi.runs, before + 1);
	assert_int_equal(spi.ran_on, cpu);
	assert_false(gic_model->active(cpu, spi.wire));
}

/* ---- Claims ---------------------------------------------------------------------------------- */

void s158_cells_name_lines(void **state)
{
	struct irq_fwspec spec = { .fwnode = &gic_node()->fwnode, .param_count = 2 };
	unsigned int irq;

	(void)state;
	assert_int_equal(irq_get_irq_data(gic_map(SPI, 5, 4))->hwirq, 37);
	irq = gic_map(PPI, 11, 0xf04);	/* with a mask of CPUs */
	assert_int_equal(irq_get_irq_data(irq)->hwirq, 27);
	assert_int_equal(irqd_get_trigger_type(irq_get_irq_data(irq)), IRQ_TYPE_LEVEL_HIGH);
	assert_int_equal(irq_create_fwspec_mapping(&spec), 0);
	assert_true(logged("has 2 cells, needs 3"));
	assert_int_equal(gic_map(SPI, gic_model->intids - 32, 4), 0);
	assert_true(logged("there is no such SPI"));
	assert_int_equal(gic_map(SPI, ~0U, 4), 0);
	assert_int_equal(gic_map(PPI, 16, 4), 0);
	assert_true(logged("there is no such PPI"));
	assert_int_equal(gic_map(ESPI, 0, 4), 0);
	assert_true(logged("extended SPIs and PPIs are not supported"));
	assert_int_equal(gic_map(7, 0, 4), 0);
	assert_true(logged("its kind is unknown"));
	assert_int_not_equal(gic_map(SPI, 6, 0), 0);
	assert_true(logged("does not tell its trigger type"));
	assert_int_equal(irq_find_mapping(gic_domain(), gic_model->intids), 0);
}

/* PPI 11 is wired in as a level in both models. */
void s159_triggers(void **state)
{
	unsigned int line = gic_map(SPI, 5, 4), sgi = irq_find_mapping(gic_domain(), 5);
	unsigned int fixed = gic_map(PPI, 11, 4), ppi = gic_map(PPI, 12, 4);

	(void)state;
	assert_int_equal(irq_set_irq_type(line, IRQ_TYPE_EDGE_RISING), 0);
	assert_true(gic_model->edge(37));
	assert_int_equal(irq_set_irq_type(line, IRQ_TYPE_LEVEL_HIGH), 0);
	assert_false(gic_model->edge(37));
	assert_int_equal(irq_set_irq_type(line, IRQ_TYPE_LEVEL_LOW), -EINVAL);
	assert_int_equal(irq_set_irq_type(line, IRQ_TYPE_EDGE_FALLING), -EINVAL);
	assert_int_equal(irq_set_irq_type(line, IRQ_TYPE_EDGE_BOTH), -EINVAL);
	enable_percpu_irq(ppi, IRQ_TYPE_EDGE_RISING);
	assert_true(gic_model->edge(28));
	enable_percpu_irq(fixed, IRQ_TYPE_EDGE_RISING);
	assert_true(logged("PPI 11 cannot be made edge-rising"));
	enable_percpu_irq(sgi, IRQ_TYPE_LEVEL_HIGH);
	assert_false(irq_percpu_is_enabled(sgi));
	enable_percpu_irq(sgi, IRQ_TYPE_EDGE_RISING);
	assert_true(irq_percpu_is_enabled(sgi));
}

static void set_state(unsigned int irq, enum irqchip_irq_state which, bool value)
{
	bool is = !value;

	assert_int_equal(irq_set_irqchip_state(irq, which, value), 0);
	assert_int_equal(irq_get_irqchip_state(irq, which, &is), 0);
	assert_int_equal(is, value);
}

void assert_gic_states(unsigned int irq, unsigned int intid)
{
	bool is;

	set_state(irq, IRQCHIP_STATE_MASKED, true);
	assert_false(gic_model->enabled(0, intid));
	set_state(irq, IRQCHIP_STATE_PENDING, true);
	assert_true(gic_model->pending(0, intid));
	set_state(irq, IRQCHIP_STATE_PENDING, false);
	assert_false(gic_model->pending(0, intid));
	set_state(irq, IRQCHIP_STATE_ACTIVE, true);
	assert_true(gic_model->active(0, intid));
	set_state(irq, IRQCHIP_STATE_ACTIVE, false);
	assert_false(gic_model->active(0, intid));
	set_state(irq, IRQCHIP_STATE_MASKED, false);
	assert_true(gic_model->enabled(0, intid));
	set_state(irq, IRQCHIP_STATE_MASKED, true);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_LINE_LEVEL, true), -EINVAL);
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_LINE_LEVEL, &is), -EINVAL);
}

static void quiet_at_the_third(unsigned int irq)
{
	(void)irq;
	if (spi.runs == 3)
		gic_model->wire(72, false);
}

static void raise_73(void)
{
	gic_model->wire(73, false);
	gic_model->wire(73, true);
}

void level_comes_again_edge_does_not(void **state)
{
	(void)state;
	spi_device(40, IRQ_TYPE_LEVEL_HIGH);
	spi.wire = 0;
	spi.in_handler = quiet_at_the_third;
	gic_model->wire(72, true);
	host_run_deferred();
	assert_int_equal(spi.runs, 3);
	spi_device(41, IRQ_TYPE_EDGE_RISING);
	spi.wire = 0;
	raise_73();
	host_run_deferred();
	host_run_deferred();
	assert_int_equal(spi.runs, 1);
	raise_73();
	host_run_deferred();
	assert_int_equal(spi.runs, 2);
}

static void again(unsigned int irq)
{
	(void)irq;
	spi.in_handler = NULL;
	raise_73();
}

void edge_during_its_handler_counts(void **state)
{
	(void)state;
	spi_device(41, IRQ_TYPE_EDGE_RISING);
	spi.wire = 0;
	spi.in_handler = again;
	raise_73();
	host_run_deferred();
	assert_int_equal(spi.runs, 2);
}

static void assert_off(unsigned int intid)
{
	assert_false(gic_model->enabled(0, intid) || gic_model->active(0, intid));
}

void unmapped_is_ended_and_told_once(void **state)
{
	(void)state;
	host_printk();
	gic_model->intrude(2, 100);
	host_run_deferred();
	assert_true(logged("took INTID 100, which nobody has mapped, and turned it off (1 such"));
	assert_off(100);
	for (unsigned int n = 101; n < 110; n++) {
		gic_model->intrude(n % gic_model->cpus, n);
		host_run_deferred();
		assert_off(n);
	}
	assert_true(logged("8 such"));
	spi_device(40, IRQ_TYPE_LEVEL_HIGH);
	spi_comes(0);
}
