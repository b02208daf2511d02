/*
 * The real GICv2 and v2m drivers on a model: what is claimed is ended as it was claimed, by whom it
 * was claimed; messages are edges of SPIs that nobody else has.
 */
#include <kernel/device.h>
#include <kernel/io.h>
#include <kernel/ipi.h>
#include <kernel/msi.h>
#include <kernel/of.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <stdio.h>
#include <string.h>
#include "models/gicv2.h"
#include "support/doctor.h"
#include "support/random.h"
#include "support/rec.h"
#include "support/tree.h"

#define NR_CPUS_HERE	4
#define PH_GIC		1
#define PH_FRAME	2
#define FRAME_TYPER	(80U << 16 | 64)

/* CPU 0 is hardware id 2, which is interface 3. */
static const u64 interfaces[NR_CPUS_HERE] = { 0, 3, 1, 2 };

/* ---- The machine ---------------------------------------------------------------------------- */

static struct machine {
	unsigned int cpus;
	u32 typer;
	u32 rtc_spi;			/* a device's wire */
	u32 intx_spi;			/* a bus's first wire */
	const char *arguments;
	u32 cells;
	bool no_cpu_region;
} machine;
static struct tree tree;

static void add_cpus(struct tree *t)
{
	char name[24];

	tree_node(t, "cpus");
	tree_cells(t, "#address-cells", 1, 1);
	tree_cells(t, "#size-cells", 1, 0);
	for (u32 i = 0; i < machine.cpus; i++) {
		u32 hwid = machine.cpus == 1 ? 2 : i;

		snprintf(name, sizeof(name), "cpu@%u", (unsigned int)hwid);
		tree_node(t, name);
		tree_string(t, "device_type", "cpu");
		tree_cells(t, "reg", 1, hwid);
		tree_end(t);
	}
	tree_end(t);
}

static void add_gic(struct tree *t)
{
	tree_node(t, "intc@8000000");
	tree_string(t, "compatible", "arm,cortex-a15-gic");
	tree_cells(t, "reg", machine.no_cpu_region ? 4 : 8, 0, GIC_DIST, 0, 0x1000,
		   0, GIC_CPU, 0, 0x2000);
	tree_cells(t, "#interrupt-cells", 1, machine.cells);
	tree_cells(t, "#address-cells", 1, 2);
	tree_cells(t, "#size-cells", 1, 2);
	tree_empty(t, "ranges");
	tree_empty(t, "interrupt-controller");
	tree_cells(t, "phandle", 1, PH_GIC);
	tree_node(t, "v2m@8020000");
	tree_string(t, "compatible", "arm,gic-v2m-frame");
	tree_empty(t, "msi-controller");
	tree_cells(t, "reg", 4, 0, GIC_FRAME, 0, 0x1000);
	tree_cells(t, "phandle", 1, PH_FRAME);
	tree_end(t);
	tree_end(t);
}

static void add_devices(struct tree *t)
{
	tree_node(t, "rtc@9010000");
	tree_cells(t, "interrupts", 3, 0, machine.rtc_spi, 4);
	tree_end(t);
	tree_node(t, "bus@10000000");
	tree_cells(t, "#address-cells", 1, 3);
	tree_cells(t, "#size-cells", 1, 2);
	tree_cells(t, "#interrupt-cells", 1, 1);
	tree_cells(t, "interrupt-map", 20,
		   0, 0, 0, 1, PH_GIC, 0, 0, 0, machine.intx_spi, 4,
		   0, 0, 0, 2, PH_GIC, 0, 0, 0, machine.intx_spi + 1, 4);
	tree_end(t);
}

static void models(void)
{
	static const u64 one[] = { 2 };

	if (machine.cpus == 1)
		gicv2_model(1, one, machine.typer);
	else
		gicv2_model(NR_CPUS_HERE, interfaces, machine.typer);
}

static int boot(void)
{
	struct tree *t = &tree;

	rec_ret = IRQ_HANDLED;
	tree_begin(t);
	tree_cells(t, "#address-cells", 1, 2);
	tree_cells(t, "#size-cells", 1, 2);
	tree_cells(t, "interrupt-parent", 1, PH_GIC);
	tree_node(t, "chosen");
	tree_string(t, "bootargs", machine.arguments);
	tree_end(t);
	tree_node(t, "memory@40000000");
	tree_string(t, "device_type", "memory");
	tree_cells(t, "reg", 4, 0, 0x40000000, 0, 0x20000000);
	tree_end(t);
	add_cpus(t);
	add_gic(t);
	add_devices(t);
	host_boot(tree_finish(t, NULL), 2, models);
	return 0;
}

static const struct machine usual = {
	.cpus = NR_CPUS_HERE, .typer = FRAME_TYPER, .rtc_spi = 2, .intx_spi = 3, .arguments = "",
	.cells = 3,
};

static int setup(void **state)
{
	(void)state;
	machine = usual;
	return boot();
}
static int one_cpu(void **state)
{
	(void)state;
	machine = usual;
	machine.cpus = 1;
	return boot();
}
static int teardown(void **state)
{
	(void)state;
	gicv2_check();
	return 0;
}
#define B(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* ---- Devices -------------------------------------------------------------------------------- */

static struct device_node *gic_node(void)
{
	return of_find_compatible_node(NULL, "arm,cortex-a15-gic");
}

static unsigned int map(u32 kind, u32 number, u32 flags)
{
	struct irq_fwspec spec = { .fwnode = &gic_node()->fwnode, .param_count = 3,
				   .param = { kind, number, flags } };

	return irq_create_fwspec_mapping(&spec);
}

static unsigned int runs, ran_on, wire;
static void (*in_handler)(unsigned int irq);

static irqreturn_t serve(int irq, void *dev_id)
{
	(void)dev_id;
	runs++;
	ran_on = smp_processor_id();
	if (in_handler)
		in_handler(irq);
	if (wire)
		gicv2_wire(wire, false);
	return IRQ_HANDLED;
}

static unsigned int device(u32 spi, u32 type)
{
	unsigned int irq = map(0, spi, type);

	assert_int_not_equal(irq, 0);
	runs = 0;
	in_handler = NULL;
	wire = 32 + spi;
	assert_int_equal(request_irq(irq, serve, 0, "dev", &runs), 0);
	return irq;
}

static void comes(unsigned int cpu)
{
	unsigned int before = runs;

	gicv2_wire(wire, true);
	host_run_deferred();
	assert_int_equal(runs, before + 1);
	assert_int_equal(ran_on, cpu);
	assert_false(gicv2_active(cpu, wire));
}

/* ---- Start ---------------------------------------------------------------------------------- */

static void firmwares_leftovers_are_gone(void **state)
{
	const char *log = host_printk();

	(void)state;
	assert_null(strstr(log, "error"));
	assert_null(strstr(log, "warning"));
	assert_int_equal(cpumask_weight(cpu_online_mask), NR_CPUS_HERE);
	for (unsigned int cpu = 0; cpu < NR_CPUS_HERE; cpu++) {
		assert_false(gicv2_active(cpu, 29));
		assert_false(gicv2_pending(cpu, 3));
	}
	for (unsigned int intid = 32; intid < GIC_INTIDS; intid++) {
		assert_false(gicv2_enabled(0, intid) || gicv2_pending(0, intid));
		assert_int_equal(gicv2_target(intid), 0);
	}
}

static unsigned int called_on;

static void call(void *arg)
{
	(void)arg;
	called_on = smp_processor_id();
}

/* The interface's number is not the CPU's, and the end names the sender. */
static void s102_sgis_reach_their_cpu_and_end(void **state)
{
	unsigned int sum = 0;

	(void)state;
	for (unsigned int round = 0; round < 30; round++) {
		unsigned int cpu = 1 + round % (NR_CPUS_HERE - 1);

		assert_int_equal(smp_call_function_single(cpu, call, NULL), 0);
		assert_int_equal(called_on, cpu);
	}
	for (unsigned int cpu = 0; cpu < NR_CPUS_HERE; cpu++)
		sum += gicv2_ended_from(gicv2_interface(cpu));
	assert_true(gicv2_ended_from(gicv2_interface(0)) >= 30);
	assert_true(sum >= 30);
}

/* Two CPUs send the same SGI before it is taken: two claims, each ended as its own. */
static void one_sgi_of_two_senders(void **state)
{
	unsigned int irq = irq_find_mapping(irq_find_host(gic_node()), IPI_RESCHEDULE);
	struct irq_desc *desc = irq_to_desc(irq);
	unsigned int before = desc->kstat_irqs[1], ends[2];

	(void)state;
	for (unsigned int n = 0; n < 2; n++)
		ends[n] = gicv2_ended_from(gicv2_interface(2 * n));
	desc->irq_data.chip->ipi_send_single(&desc->irq_data, 1);
	host_set_cpu(2);
	desc->irq_data.chip->ipi_send_single(&desc->irq_data, 1);
	host_set_cpu(0);
	host_run_deferred();
	assert_int_equal(desc->kstat_irqs[1] - before, 2);
	for (unsigned int n = 0; n < 2; n++)
		assert_int_equal(gicv2_ended_from(gicv2_interface(2 * n)) - ends[n], 1);
}

static void one_interface_has_no_targets(void **state)
{
	unsigned int irq = device(40, IRQ_TYPE_LEVEL_HIGH);

	(void)state;
	assert_null(strstr(host_printk(), "error"));
	comes(0);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(0)), 0);
	comes(0);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static void s158_specifiers(void **state)
{
	struct irq_fwspec spec = { .fwnode = &gic_node()->fwnode, .param_count = 2 };
	struct irq_domain *gic = irq_find_host(gic_node());
	unsigned int irq;

	(void)state;
	irq = map(0, 5, 4);
	assert_int_equal(irq_get_irq_data(irq)->hwirq, 37);
	irq = map(1, 11, 0xf04);	/* with a mask of CPUs */
	assert_int_equal(irq_get_irq_data(irq)->hwirq, 27);
	assert_int_equal(irqd_get_trigger_type(irq_get_irq_data(irq)), IRQ_TYPE_LEVEL_HIGH);
	assert_int_equal(irq_create_fwspec_mapping(&spec), 0);
	assert_true(logged("has 2 cells, needs 3"));
	assert_int_equal(map(0, GIC_INTIDS - 32, 4), 0);
	assert_true(logged("there is no such SPI"));
	assert_int_equal(map(0, ~0U, 4), 0);
	assert_int_equal(map(1, 16, 4), 0);
	assert_true(logged("there is no such PPI"));
	assert_int_equal(map(2, 0, 4), 0);
	assert_true(logged("extended"));
	assert_int_equal(map(7, 0, 4), 0);
	assert_true(logged("its kind is unknown"));
	assert_int_not_equal(map(0, 6, 0), 0);
	assert_true(logged("does not tell its trigger type"));
	assert_int_equal(irq_find_mapping(gic, GIC_INTIDS), 0);
}

static void s159_triggers(void **state)
{
	unsigned int spi = map(0, 5, 4), ppi = map(1, 11, 4), other = map(1, 12, 4);
	unsigned int sgi = irq_find_mapping(irq_find_host(gic_node()), 5);

	(void)state;
	assert_int_equal(irq_set_irq_type(spi, IRQ_TYPE_EDGE_RISING), 0);
	assert_true(gicv2_edge(37));
	assert_int_equal(irq_set_irq_type(spi, IRQ_TYPE_LEVEL_HIGH), 0);
	assert_false(gicv2_edge(37));
	assert_int_equal(irq_set_irq_type(spi, IRQ_TYPE_LEVEL_LOW), -EINVAL);
	assert_int_equal(irq_set_irq_type(spi, IRQ_TYPE_EDGE_FALLING), -EINVAL);
	assert_int_equal(irq_set_irq_type(spi, IRQ_TYPE_EDGE_BOTH), -EINVAL);
	enable_percpu_irq(other, IRQ_TYPE_EDGE_RISING);
	assert_true(gicv2_edge(28));
	enable_percpu_irq(ppi, IRQ_TYPE_EDGE_RISING);
	assert_true(logged("PPI 11 cannot be made edge-rising"));
	enable_percpu_irq(sgi, IRQ_TYPE_LEVEL_HIGH);
	assert_false(irq_percpu_is_enabled(sgi));
	enable_percpu_irq(sgi, IRQ_TYPE_EDGE_RISING);
	assert_true(irq_percpu_is_enabled(sgi));
}

static void s161_affinity(void **state)
{
	unsigned int irq = device(40, IRQ_TYPE_LEVEL_HIGH), ppi = map(1, 11, 4);

	(void)state;
	for (unsigned int cpu = NR_CPUS_HERE; cpu--;) {
		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_int_equal(gicv2_target(72), cpu);
		assert_true(gicv2_enabled(0, 72));
		comes(cpu);
	}
	assert_int_equal(irq_set_affinity(irq, &(struct cpumask){ 0xe }), 0);
	assert_int_equal(gicv2_target(72), 1);
	assert_int_equal(irq_set_affinity(irq, &(struct cpumask){ 0xf }), 0);
	assert_int_equal(gicv2_target(72), 1);
	disable_irq(irq);
	gicv2_wire(72, true);
	host_run_deferred();
	assert_false(gicv2_enabled(0, 72));
	assert_int_equal(irq_set_affinity(irq, cpumask_of(3)), 0);
	assert_false(gicv2_enabled(0, 72));
	enable_irq(irq);
	host_run_deferred();
	assert_int_equal(ran_on, 3);
	assert_int_equal(irq_set_affinity(ppi, cpumask_of(1)), -EINVAL);
}

static void quiet_at_the_third(unsigned int irq)
{
	(void)irq;
	if (runs == 3)
		gicv2_wire(72, false);
}

static void level_comes_again_edge_does_not(void **state)
{
	(void)state;
	device(40, IRQ_TYPE_LEVEL_HIGH);
	wire = 0;
	in_handler = quiet_at_the_third;
	gicv2_wire(72, true);
	host_run_deferred();
	assert_int_equal(runs, 3);
	device(41, IRQ_TYPE_EDGE_RISING);
	wire = 0;
	gicv2_wire(73, true);
	host_run_deferred();
	host_run_deferred();
	assert_int_equal(runs, 1);
	gicv2_wire(73, false);
	gicv2_wire(73, true);
	host_run_deferred();
	assert_int_equal(runs, 2);
}

static void again(unsigned int irq)
{
	(void)irq;
	in_handler = NULL;
	gicv2_wire(73, false);
	gicv2_wire(73, true);
}

static void edge_during_its_handler_counts(void **state)
{
	(void)state;
	device(41, IRQ_TYPE_EDGE_RISING);
	wire = 0;
	in_handler = again;
	gicv2_wire(73, true);
	host_run_deferred();
	assert_int_equal(runs, 2);
}

static void s174_states(void **state)
{
	unsigned int irq = device(41, IRQ_TYPE_EDGE_RISING);
	bool is;

	(void)state;
	wire = 0;
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_MASKED, &is), 0);
	assert_false(is);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_MASKED, true), 0);
	assert_false(gicv2_enabled(0, 73));
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, true), 0);
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_PENDING, &is), 0);
	assert_true(is);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, false), 0);
	assert_false(gicv2_pending(0, 73));
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_ACTIVE, true), 0);
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_ACTIVE, &is), 0);
	assert_true(is);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_ACTIVE, false), 0);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_MASKED, false), 0);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_LINE_LEVEL, true), -EINVAL);
	assert_int_equal(irq_inject_interrupt(irq), 0);
	host_run_deferred();
	assert_int_equal(runs, 1);
}

static void unmapped_is_ended_and_told_once(void **state)
{
	(void)state;
	host_printk();
	gicv2_intrude(100);
	host_run_deferred();
	assert_true(logged("took INTID 100, which nobody has mapped, and turned it off (1 such"));
	assert_false(gicv2_enabled(0, 100) || gicv2_active(0, 100));
	for (unsigned int n = 101; n < 110; n++) {
		gicv2_intrude(n);
		host_run_deferred();
		assert_false(gicv2_enabled(0, n) || gicv2_active(0, n));
	}
	assert_true(logged("8 such"));
	device(40, IRQ_TYPE_LEVEL_HIGH);
	comes(0);
}

static void spurious_ends_nothing(void **state)
{
	(void)state;
	host_irq_enter();
	handle_arch_irq(NULL);		/* the model dies if anything is ended */
	host_irq_exit();
}

/* ---- v2m ------------------------------------------------------------------------------------ */

#define MESSAGES	80

static struct msi_msg sent_as[MESSAGES];
static struct device dev;

static void dev_write(struct irq_data *d, struct msi_msg *msg)
{
	sent_as[d->hwirq] = *msg;
	irq_data_get_msi_desc(d)->msg = *msg;
}

static const struct msi_domain_template tmpl = {
	.name = "TEST",
	.chip = { .name = "test-msi", .irq_write_msi_msg = dev_write },
	.info = { .bus_token = DOMAIN_BUS_PCI_DEVICE_MSI, .flags = MSI_FLAG_FREE_MSI_DESCS | MSI_FLAG_ACTIVATE_EARLY |
		  MSI_FLAG_MULTI_PCI_MSI | MSI_FLAG_USE_DEF_CHIP_OPS },
};

static struct irq_domain *v2m(void)
{
	struct device_node *np = of_find_compatible_node(NULL, "arm,gic-v2m-frame");

	return irq_find_matching_fwnode(&np->fwnode, DOMAIN_BUS_NEXUS);
}

static void make_device(void)
{
	dev = (struct device){ .name = "dev" };
	dev.msi.domain = v2m();
	assert_non_null(dev.msi.domain);
	assert_true(msi_create_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN, &tmpl, MESSAGES, NULL,
						 NULL));
	runs = 0;
	wire = 0;
	in_handler = NULL;
}

static void remove_device(void)
{
	msi_domain_free_irqs_all(&dev, MSI_DEFAULT_DOMAIN);
	msi_remove_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN);
}

/* A block of NR messages at INDEX; the first irq, or an errno. */
static int block(unsigned int index, unsigned int nr)
{
	struct msi_desc init = { .msi_index = index, .nvec_used = nr };
	int ret;

	assert_int_equal(msi_insert_msi_desc(&dev, &init), 0);
	ret = msi_domain_alloc_irqs_range(&dev, MSI_DEFAULT_DOMAIN, index, index);
	if (!ret)
		return msi_desc_at(&dev, index)->irq;
	msi_domain_free_irqs_range(&dev, MSI_DEFAULT_DOMAIN, index, index);
	return ret;
}

static u32 intid_of(unsigned int irq)
{
	struct irq_data *d = irq_domain_get_irq_data(irq_find_host(gic_node()), irq);

	return d->hwirq;
}

static void s163_message_is_an_edge_of_an_spi(void **state)
{
	int irq;

	(void)state;
	make_device();
	irq = block(0, 1);
	assert_true(irq > 0);
	assert_int_equal(msi_msg_address(&sent_as[0]), GIC_FRAME + 0x40);
	assert_int_equal(sent_as[0].data, intid_of(irq));
	assert_in_range(sent_as[0].data, 80, 143);
	assert_true(gicv2_edge(sent_as[0].data));
	assert_false(gicv2_enabled(0, sent_as[0].data));
	assert_int_equal(request_irq(irq, serve, 0, "dev", &runs), 0);
	for (unsigned int cpu = 0; cpu < NR_CPUS_HERE; cpu++) {
		struct msi_msg before = sent_as[0];

		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_memory_equal(&before, &sent_as[0], sizeof(before));
		host_bus_write(GIC_FRAME + 0x40, sent_as[0].data, 4);
		host_run_deferred();
		assert_int_equal(runs, cpu + 1);
		assert_int_equal(ran_on, cpu);
		assert_false(gicv2_active(cpu, sent_as[0].data));
	}
	free_irq(irq, &runs);
	remove_device();
	assert_int_equal(v2m()->mapcount, 0);
}

/* The data word of a block has as many zeros at its end as the block has powers of two. */
static void s163_block_is_aligned_and_whole(void **state)
{
	static const unsigned int sizes[] = { 1, 3, 2, 5, 4, 1, 16, 8 };
	bool taken[144] = { false };
	unsigned int index = 0;

	(void)state;
	make_device();
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); index += sizes[i++]) {
		unsigned int whole = 1;
		int irq = block(index, sizes[i]);

		assert_true(irq > 0);
		while (whole < sizes[i])
			whole *= 2;
		assert_int_equal(sent_as[index].data % whole, 0);
		for (unsigned int n = 0; n < whole; n++) {
			assert_false(taken[sent_as[index].data + n]);
			taken[sent_as[index].data + n] = true;
			if (n < sizes[i])
				assert_int_equal(intid_of(irq + n), sent_as[index].data + n);
		}
	}
	remove_device();
	make_device();
	assert_true(block(0, 32) > 0);		/* all have come back */
	assert_int_equal(sent_as[0].data, 96);	/* 80 is no multiple of 32 */
	assert_int_equal(block(32, 32), 1);
	assert_true(logged("no 32 SPIs in a row, aligned left"));
	assert_true(block(32, 16) > 0);
	assert_true(block(48, 16) > 0);
	assert_int_equal(block(64, 1), -ENOSPC);
	remove_device();
}

static void spis_run_out(void **state)
{
	(void)state;
	make_device();
	for (unsigned int n = 0; n < 64; n++)
		assert_true(block(n, 1) > 0);
	assert_int_equal(block(64, 1), -ENOSPC);
	assert_true(logged("no 1 SPI left for messages: of 64, 64 are given and 0 are wires"));
	msi_domain_free_irqs_range(&dev, MSI_DEFAULT_DOMAIN, 17, 17);
	assert_true(block(17, 1) > 0);
	assert_int_equal(block(64, 1), -ENOSPC);
	remove_device();
}

static void wires_are_left_out(void **state)
{
	(void)state;
	machine = usual;
	machine.rtc_spi = 100 - 32;
	machine.intx_spi = 142 - 32;
	boot();
	make_device();
	for (unsigned int n = 0; n < 61; n++) {
		int irq = block(n, 1);

		assert_true(irq > 0);
		assert_int_not_equal(intid_of(irq), 100);
		assert_int_not_equal(intid_of(irq), 142);
		assert_int_not_equal(intid_of(irq), 143);
	}
	assert_int_equal(block(61, 1), -ENOSPC);
	assert_true(logged("of 64, 61 are given and 3 are wires"));
	remove_device();
	device(100 - 32, IRQ_TYPE_LEVEL_HIGH);
	comes(0);
}

static void wires_are_named(void **state)
{
	const char *log;

	(void)state;
	machine = usual;
	machine.rtc_spi = 100 - 32;
	machine.intx_spi = 142 - 32;
	boot();
	log = host_printk();
	assert_non_null(strstr(log, "v2m@8020000: INTID 100 is a wire of /rtc@9010000"));
	assert_non_null(strstr(log, "INTID 142 is a wire of /bus@10000000"));
	assert_non_null(strstr(log, "INTID 143 is a wire of /bus@10000000"));
}

/* Says what is wrong; the GIC goes on without the frame. */
static void s163_frame_must_be_of_spis(void **state)
{
	static const struct {
		u32 typer;
		const char *says;
	} wrong[] = {
		{ 0, "is for 0 INTIDs from 0 on" },
		{ 80U << 16, "is for 0 INTIDs from 80 on" },
		{ 16U << 16 | 32, "is for 32 INTIDs from 16 on" },
		{ 1000U << 16 | 64, "is for 64 INTIDs from 1000 on" },
		{ 280U << 16 | 16, "there is no such SPI" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		machine = usual;
		machine.typer = wrong[i].typer;
		boot();
		assert_true(logged(wrong[i].says));
		assert_null(v2m());
		device(40, IRQ_TYPE_LEVEL_HIGH);
		comes(0);
	}
}

static void v2m_off(void **state)
{
	(void)state;
	machine = usual;
	machine.arguments = "quiet v2m=off";
	boot();
	assert_null(v2m());
	assert_null(strstr(host_printk(), "error"));
}

/* ---- Errors --------------------------------------------------------------------------------- */

static void wrong_trees(void **state)
{
	(void)state;
	machine = usual;
	machine.cells = 2;
	boot();
	assert_null(handle_arch_irq);
	machine = usual;
	machine.no_cpu_region = true;
	boot();
	assert_null(handle_arch_irq);
	assert_true(logged("/intc@8000000"));
}

static bool try_block(void *arg)
{
	int irq;

	(void)arg;
	dev = (struct device){ .name = "dev" };
	dev.msi.domain = v2m();
	if (!msi_create_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN, &tmpl, 8, NULL, NULL))
		return false;
	irq = -ENOMEM;
	if (msi_insert_msi_desc(&dev, &(struct msi_desc){ .msi_index = 0, .nvec_used = 3 }) == 0 &&
	    !msi_domain_alloc_irqs_range(&dev, MSI_DEFAULT_DOMAIN, 0, 0))
		irq = 0;
	remove_device();
	return !irq;
}

static void block_without_memory(void **state)
{
	(void)state;
	assert_true(try_block(NULL));		/* the tree of the domain never shrinks */
	assert_true(fail_each(try_block, NULL) > 5);
	assert_int_equal(v2m()->mapcount, 0);
	make_device();
	for (unsigned int n = 0; n < 64; n++)	/* nothing has been kept */
		assert_true(block(n, 1) > 0);
	remove_device();
}

/* ---- At random: wires, and messages of one device -------------------------------------------- */

#define LINES	12	/* the second half are messages */

static struct { unsigned int irq, due, got; bool off; } line[LINES];

static irqreturn_t count(int irq, void *arg)
{
	unsigned int n = (uintptr_t)arg;

	assert_int_equal(line[n].irq, irq);
	line[n].got++;
	if (n < LINES / 2)
		gicv2_wire(32 + 40 + n, false);
	return IRQ_HANDLED;
}

static void raise(unsigned int n)
{
	if (line[n].due > line[n].got)
		return;
	line[n].due = line[n].got + 1;
	if (n < LINES / 2)
		gicv2_wire(32 + 40 + n, true);
	else
		host_bus_write(GIC_FRAME + 0x40, intid_of(line[n].irq), 4);
}

static void do_something(u64 *seed)
{
	unsigned int n = host_random(seed) % LINES;

	switch (host_random(seed) % 6) {
	case 0:
		irq_set_affinity(line[n].irq, cpumask_of(host_random(seed) % NR_CPUS_HERE));
		break;
	case 1:
		(line[n].off ? enable_irq : disable_irq)(line[n].irq);
		line[n].off = !line[n].off;
		break;
	case 2:
		smp_call_function_single(1 + n % (NR_CPUS_HERE - 1), call, NULL);
		break;
	default:
		raise(n);
	}
	if (host_random(seed) % 3 == 0)
		host_run_deferred();
}

static void random_traffic(void **state)
{
	u64 seed = random_seed();

	(void)state;
	make_device();
	memset(line, 0, sizeof(line));
	for (uintptr_t n = 0; n < LINES; n++) {
		line[n].irq = n < LINES / 2 ? map(0, 40 + n, n % 2 ? 1 : 4)
					    : (unsigned int)block(n - LINES / 2, 1);
		assert_int_equal(request_irq(line[n].irq, count, 0, "line", (void *)n), 0);
	}
	for (unsigned int i = 0; i < 3000; i++)
		do_something(&seed);
	for (uintptr_t n = 0; n < LINES; n++) {
		if (line[n].off)
			enable_irq(line[n].irq);
		host_run_deferred();
		assert_true(line[n].got >= line[n].due);
		free_irq(line[n].irq, (void *)n);
	}
	remove_device();
}

/* ---- irq doctor ------------------------------------------------------------------------------ */

static void broken_register(unsigned int irq, char *reg, unsigned int size, u32 v, const char *name)
{
	unsigned long flags = arch_local_irq_save();
	u32 old = size == 1 ? readb(reg) : readl(reg);

	size == 1 ? writeb(v, reg) : writel(v, reg);
	arch_local_irq_restore(flags);
	assert_broken(irq, name);
	flags = arch_local_irq_save();
	size == 1 ? writeb(old, reg) : writel(old, reg);
	arch_local_irq_restore(flags);
	assert_whole(irq);
}

static void doctor_names_each_link(void **state)
{
	char *dist = ioremap(GIC_DIST, 0x1000), *cpu = ioremap(GIC_CPU, 0x2000);
	unsigned int irq = device(40, IRQ_TYPE_LEVEL_HIGH);
	u8 target;

	(void)state;
	assert_whole(irq);
	broken_register(irq, dist, 4, 0, "distributor");
	broken_register(irq, dist + 0x400 + 72, 1, 0xff, "priority");
	broken_register(irq, cpu + 4, 4, 0x80, "priority");
	broken_register(irq, cpu, 4, 0, "CPU interface");
	writel(1 << 72 % 32, dist + 0x180 + 72 / 32 * 4);
	assert_broken(irq, "enable");
	target = readb(dist + 0x800 + 72);
	writeb(1U << gicv2_interface(1), dist + 0x800 + 72);	/* not while it is enabled */
	writel(1 << 72 % 32, dist + 0x100 + 72 / 32 * 4);
	assert_broken(irq, "route");
	writel(1 << 72 % 32, dist + 0x180 + 72 / 32 * 4);
	writeb(target, dist + 0x800 + 72);
	writel(1 << 72 % 32, dist + 0x100 + 72 / 32 * 4);
	assert_whole(irq);
	comes(0);
	free_irq(irq, &runs);
	irq_dispose_mapping(irq);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		B(firmwares_leftovers_are_gone),
		B(s102_sgis_reach_their_cpu_and_end),
		B(one_sgi_of_two_senders),
		cmocka_unit_test_setup(one_interface_has_no_targets, one_cpu),
		B(s158_specifiers),
		B(s159_triggers),
		B(s161_affinity),
		B(level_comes_again_edge_does_not),
		B(edge_during_its_handler_counts),
		B(s174_states),
		B(unmapped_is_ended_and_told_once),
		B(spurious_ends_nothing),
		B(s163_message_is_an_edge_of_an_spi),
		B(s163_block_is_aligned_and_whole),
		B(spis_run_out),
		B(wires_are_left_out),
		B(wires_are_named),
		B(s163_frame_must_be_of_spis),
		B(v2m_off),
		B(wrong_trees),
		B(block_without_memory),
		B(random_traffic),
		B(doctor_names_each_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
