/*
 * The real GICv2 and v2m drivers on a model: what is claimed is ended as it was claimed, by whom it
 * was claimed; messages are edges of SPIs that nobody else has.
 */
#include <kernel/io.h>
#include <kernel/ipi.h>
#include <kernel/msi.h>
#include <kernel/of.h>
#include <kernel/printk.h>
#include <string.h>
#include "models/gicv2.h"
#include "support/cpus.h"
#include "support/doctor.h"
#include "support/gic.h"
#include "support/machine.h"
#include "support/rec.h"
#include "support/sender.h"
#include "support/traffic.h"

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

static void intrude(unsigned int cpu, unsigned int intid)
{
	(void)cpu;
	gicv2_intrude(intid);
}

static const struct gic_model model = {
	.compatible = "arm,cortex-a15-gic", .cpus = NR_CPUS_HERE, .intids = GIC_INTIDS,
	.wire = gicv2_wire, .intrude = intrude, .enabled = gicv2_enabled,
	.pending = gicv2_pending, .active = gicv2_active, .edge = gicv2_edge,
};

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
	static const u64 hwids[] = { 0, 1, 2, 3 };
	struct tree *t = &tree;

	gic_model = &model;
	rec_ret = IRQ_HANDLED;
	machine_begin(t);
	tree_cells(t, "interrupt-parent", 1, PH_GIC);
	machine_chosen(t, "bootargs", machine.arguments);
	machine_memory(t);
	machine_cpus(t, 1, machine.cpus == 1 ? &hwids[2] : hwids, machine.cpus);
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

/* ---- Start ---------------------------------------------------------------------------------- */

static void firmwares_leftovers_are_gone(void **state)
{
	(void)state;
	assert_booted(NR_CPUS_HERE);
	for (unsigned int cpu = 0; cpu < NR_CPUS_HERE; cpu++) {
		assert_false(gicv2_active(cpu, 29));
		assert_false(gicv2_pending(cpu, 3));
	}
	for (unsigned int intid = 32; intid < GIC_INTIDS; intid++) {
		assert_false(gicv2_enabled(0, intid) || gicv2_pending(0, intid));
		assert_int_equal(gicv2_target(intid), 0);
	}
}

/* The interface's number is not the CPU's, and the end names the sender. */
static void s102_sgis_reach_their_cpu_and_end(void **state)
{
	unsigned int sum = 0;

	(void)state;
	for (unsigned int round = 0; round < 30; round++)
		assert_call_reaches(1 + round % (NR_CPUS_HERE - 1));
	for (unsigned int cpu = 0; cpu < NR_CPUS_HERE; cpu++)
		sum += gicv2_ended_from(gicv2_interface(cpu));
	assert_true(gicv2_ended_from(gicv2_interface(0)) >= 30);
	assert_true(sum >= 30);
}

/* Two CPUs send the same SGI before it is taken: two claims, each ended as its own. */
static void one_sgi_of_two_senders(void **state)
{
	unsigned int irq = irq_find_mapping(gic_domain(), IPI_RESCHEDULE);
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
	unsigned int irq = spi_device(40, IRQ_TYPE_LEVEL_HIGH);

	(void)state;
	assert_null(strstr(host_printk(), "error"));
	spi_comes(0);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(0)), 0);
	spi_comes(0);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static void s161_affinity(void **state)
{
	unsigned int irq = spi_device(40, IRQ_TYPE_LEVEL_HIGH), ppi = gic_map(1, 11, 4);

	(void)state;
	for (unsigned int cpu = NR_CPUS_HERE; cpu--;) {
		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_int_equal(gicv2_target(72), cpu);
		assert_true(gicv2_enabled(0, 72));
		spi_comes(cpu);
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
	assert_int_equal(spi.ran_on, 3);
	assert_int_equal(irq_set_affinity(ppi, cpumask_of(1)), -EINVAL);
}

static void s174_states(void **state)
{
	unsigned int irq = spi_device(41, IRQ_TYPE_EDGE_RISING);
	(void)state;
	spi.wire = 0;
	assert_gic_states(irq, 73);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_MASKED, false), 0);
	assert_int_equal(irq_inject_interrupt(irq), 0);
	host_run_deferred();
	assert_int_equal(spi.runs, 1);
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

static struct irq_domain *v2m(void)
{
	struct device_node *np = of_find_compatible_node(NULL, "arm,gic-v2m-frame");

	return irq_find_matching_fwnode(&np->fwnode, DOMAIN_BUS_NEXUS);
}

static void make_device(void)
{
	assert_true(sender_create(v2m(), DOMAIN_BUS_PCI_DEVICE_MSI, MESSAGES, 0));
	memset(&spi, 0, sizeof(spi));
}

/* A block of NR messages at INDEX; the first irq, or an errno. */
static int block(unsigned int index, unsigned int nr)
{
	struct msi_desc init = { .msi_index = index, .nvec_used = nr };
	int ret = msi_insert_msi_desc(&sender.dev, &init);

	if (!ret)
		ret = msi_domain_alloc_irqs_range(&sender.dev, MSI_DEFAULT_DOMAIN, index, index);
	if (!ret)
		return msi_desc_at(&sender.dev, index)->irq;
	msi_domain_free_irqs_range(&sender.dev, MSI_DEFAULT_DOMAIN, index, index);
	return ret;
}

static u32 intid_of(unsigned int irq)
{
	struct irq_data *d = irq_domain_get_irq_data(gic_domain(), irq);

	return d->hwirq;
}

static void s163_message_is_an_edge_of_an_spi(void **state)
{
	int irq;

	(void)state;
	make_device();
	irq = block(0, 1);
	assert_true(irq > 0);
	assert_int_equal(msi_msg_address(&sender.msg[0]), GIC_FRAME + 0x40);
	assert_int_equal(sender.msg[0].data, intid_of(irq));
	assert_in_range(sender.msg[0].data, 80, 143);
	assert_true(gicv2_edge(sender.msg[0].data));
	assert_false(gicv2_enabled(0, sender.msg[0].data));
	assert_int_equal(request_irq(irq, spi_serve, 0, "dev", &spi), 0);
	for (unsigned int cpu = 0; cpu < NR_CPUS_HERE; cpu++) {
		struct msi_msg before = sender.msg[0];

		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_memory_equal(&before, &sender.msg[0], sizeof(before));
		sender_send(0);
		host_run_deferred();
		assert_int_equal(spi.runs, cpu + 1);
		assert_int_equal(spi.ran_on, cpu);
		assert_false(gicv2_active(cpu, sender.msg[0].data));
	}
	free_irq(irq, &spi);
	sender_remove();
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
		assert_int_equal(sender.msg[index].data % whole, 0);
		for (unsigned int n = 0; n < whole; n++) {
			assert_false(taken[sender.msg[index].data + n]);
			taken[sender.msg[index].data + n] = true;
			if (n < sizes[i])
				assert_int_equal(intid_of(irq + n), sender.msg[index].data + n);
		}
	}
	sender_remove();
	make_device();
	assert_true(block(0, 32) > 0);		/* all have come back */
	assert_int_equal(sender.msg[0].data, 96);	/* 80 is no multiple of 32 */
	assert_int_equal(block(32, 32), 1);
	assert_true(logged("no 32 SPIs in a row, aligned left"));
	assert_true(block(32, 16) > 0);
	assert_true(block(48, 16) > 0);
	assert_int_equal(block(64, 1), -ENOSPC);
	sender_remove();
}

static void spis_run_out(void **state)
{
	(void)state;
	make_device();
	for (unsigned int n = 0; n < 64; n++)
		assert_true(block(n, 1) > 0);
	assert_int_equal(block(64, 1), -ENOSPC);
	assert_true(logged("no 1 SPI left for messages: of 64, 64 are given and 0 are wires"));
	msi_domain_free_irqs_range(&sender.dev, MSI_DEFAULT_DOMAIN, 17, 17);
	assert_true(block(17, 1) > 0);
	assert_int_equal(block(64, 1), -ENOSPC);
	sender_remove();
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
	sender_remove();
	spi_device(100 - 32, IRQ_TYPE_LEVEL_HIGH);
	spi_comes(0);
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
		spi_device(40, IRQ_TYPE_LEVEL_HIGH);
		spi_comes(0);
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
	if (!sender_create(v2m(), DOMAIN_BUS_PCI_DEVICE_MSI, 8, 0))
		return false;
	irq = block(0, 3);
	sender_remove();
	return irq > 0;
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
	sender_remove();
}

/* ---- At random: wires, and messages of one device -------------------------------------------- */

#define WIRES	6		/* the other half are messages */

static void raise(unsigned int n)
{
	if (n < WIRES)
		gicv2_wire(32 + 40 + n, true);
	else
		sender_send(n - WIRES);
}

static void served(unsigned int n)
{
	if (n < WIRES)
		gicv2_wire(32 + 40 + n, false);
}

static void random_traffic(void **state)
{
	struct traffic t = { .lines = 2 * WIRES, .cpus = NR_CPUS_HERE, .steps = 3000,
			     .raise = raise, .served = served };

	(void)state;
	make_device();
	for (unsigned int n = 0; n < WIRES; n++) {
		t.irq[n] = gic_map(0, 40 + n, n % 2 ? IRQ_TYPE_EDGE_RISING : IRQ_TYPE_LEVEL_HIGH);
		t.irq[WIRES + n] = block(n, 1);
	}
	traffic_at_random(&t);
	sender_remove();
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
	unsigned int irq = spi_device(40, IRQ_TYPE_LEVEL_HIGH);
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
	spi_comes(0);
	free_irq(irq, &spi);
	irq_dispose_mapping(irq);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		B(firmwares_leftovers_are_gone),
		B(s102_sgis_reach_their_cpu_and_end),
		B(one_sgi_of_two_senders),
		cmocka_unit_test_setup(one_interface_has_no_targets, one_cpu),
		B(s158_cells_name_lines),
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
