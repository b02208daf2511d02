/*
 * The real msi-poll driver: its hardware is memory, so there is no model; devices are stores by
 * host_bus_write(), and time is what the tests let pass.
 */
#include <drivers/irqchip/msi-poll.h>
#include <kernel/device.h>
#include <kernel/of.h>
#include <stdio.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"
#include "support/tree.h"

#define NR		4
#define MESSAGES	1100
#define TICK_NS		(200 * NSEC_PER_USEC)
#define COLD_NS		(10 * NSEC_PER_MSEC)

/* ---- The machine: CPUs and memory, no controller at all------------------------------------- */

static struct tree tree;

static void no_models(void) { }

static void boot(const char *arguments)
{
	struct tree *t = &tree;
	char name[16];

	rec_ret = IRQ_HANDLED;
	tree_begin(t);
	tree_cells(t, "#address-cells", 1, 2);
	tree_cells(t, "#size-cells", 1, 2);
	tree_node(t, "chosen");
	tree_string(t, "bootargs", arguments);
	tree_end(t);
	tree_node(t, "memory@40000000");
	tree_string(t, "device_type", "memory");
	tree_cells(t, "reg", 4, 0, 0x40000000, 0, 0x20000000);
	tree_end(t);
	tree_node(t, "cpus");
	tree_cells(t, "#address-cells", 1, 1);
	tree_cells(t, "#size-cells", 1, 0);
	for (u32 cpu = 0; cpu < NR; cpu++) {
		snprintf(name, sizeof(name), "cpu@%u", (unsigned int)cpu);
		tree_node(t, name);
		tree_string(t, "device_type", "cpu");
		tree_cells(t, "reg", 1, cpu);
		tree_end(t);
	}
	tree_end(t);
	host_boot(tree_finish(t, NULL), 0, no_models);
}

/* ---- A device, which sees memory 4 GiB away from where the CPU does------------------------- */

#define DMA_OFFSET	0x100000000

static struct msi_msg sent_as[MESSAGES];
static struct device dev;
static unsigned int runs[MESSAGES], ran_on;

static void dev_write(struct irq_data *d, struct msi_msg *msg)
{
	sent_as[d->hwirq] = *msg;
	irq_data_get_msi_desc(d)->msg = *msg;
}

static const struct msi_domain_template tmpl = {
	.name = "TEST",
	.chip = { .name = "test-msi", .irq_write_msi_msg = dev_write },
	.info = { .bus_token = DOMAIN_BUS_PCI_DEVICE_MSIX, .flags = MSI_FLAG_FREE_MSI_DESCS | MSI_FLAG_ACTIVATE_EARLY |
		  MSI_FLAG_USE_DEF_CHIP_OPS },
};

static irqreturn_t count(int irq, void *dev_id)
{
	(void)irq;
	runs[(unsigned long)dev_id]++;
	ran_on = smp_processor_id();
	return IRQ_HANDLED;
}

/* The irq, or an errno. */
static int alloc_at(unsigned int index, const struct irq_affinity_desc *affinity)
{
	struct msi_map map = msi_domain_alloc_irq_at(&dev, MSI_DEFAULT_DOMAIN, index, affinity,
						     NULL);

	return map.virq ? map.virq : map.index;
}

static unsigned int message(unsigned int n)
{
	int irq = alloc_at(n, NULL);

	assert_true(irq > 0);
	runs[n] = 0;
	assert_int_equal(request_irq(irq, count, 0, "dev", (void *)(unsigned long)n), 0);
	return irq;
}

static void remove_device(void)
{
	msi_domain_free_irqs_all(&dev, MSI_DEFAULT_DOMAIN);
	msi_remove_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN);
}

static bool make_device(void)
{
	dev = (struct device){ .name = "dev", .dma_offset = DMA_OFFSET };
	dev.msi.domain = msi_default_parent();
	return msi_create_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN, &tmpl, MESSAGES, NULL, NULL);
}

static void send(unsigned int n)
{
	host_bus_write(msi_msg_address(&sent_as[n]) - DMA_OFFSET, sent_as[n].data, 4);
}

static void pass(u64 ns)
{
	host_advance(ns);
	host_run_deferred();
}

static int setup(void **state)
{
	(void)state;
	boot("msi=poll msi-poll.us=200");
	assert_non_null(msi_default_parent());
	assert_true(make_device());
	return 0;
}

static int teardown(void **state)
{
	unsigned int irq;

	(void)state;
	for_each_irq(irq)
		if (irq_to_desc(irq)->action)
			free_irq(irq, irq_to_desc(irq)->action->dev_id);
	remove_device();
	assert_int_equal(bitmap_weight(msi_poll.given, MSI_POLL_SLOTS), 0);
	return 0;
}
#define P(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

static const struct msi_poll_line *line_of(unsigned int irq)
{
	return &msi_poll.line[irq_domain_get_irq_data(msi_poll.domain, irq)->hwirq];
}

/* ---- Tests---------------------------------------------------------------------------------- */

static void off_unless_asked_for(void **state)
{
	(void)state;
	boot("");
	assert_null(msi_default_parent());
	boot("msi=never");
	assert_null(msi_default_parent());
	assert_true(logged("boot argument msi=never: only msi=poll is known"));
}

static void store_becomes_an_interrupt(void **state)
{
	unsigned int irq = message(0);

	(void)state;
	assert_true(msi_msg_address(&sent_as[0]) > DMA_OFFSET);
	assert_int_equal(msi_msg_address(&sent_as[0]) % 4, 0);
	assert_int_not_equal(sent_as[0].data, 0);
	for (unsigned int n = 1; n <= 3; n++) {
		send(0);
		assert_int_equal(runs[0], n - 1);
		pass(n == 1 ? COLD_NS : TICK_NS);
		assert_int_equal(runs[0], n);
	}
	pass(COLD_NS);
	assert_int_equal(runs[0], 3);
	assert_int_equal(line_of(irq)->delivered, 3);
	assert_int_equal(line_of(irq)->merged, 0);
}

static void stores_between_two_looks_merge(void **state)
{
	unsigned int irq = message(0);

	(void)state;
	pass(COLD_NS);
	send(0);
	send(0);
	send(0);
	pass(TICK_NS);
	assert_int_equal(runs[0], 1);
	assert_int_equal(line_of(irq)->merged, 0);	/* nobody can know */
	for (unsigned int n = 0; n < 3; n++)
		assert_int_equal(irq_inject_interrupt(irq), 0);
	pass(TICK_NS);
	assert_int_equal(runs[0], 2);
	assert_int_equal(line_of(irq)->merged, 2);
	assert_int_equal(line_of(irq)->delivered, 2);
}

static void each_cpu_looks_at_its_own(void **state)
{
	unsigned int irq = message(0);

	(void)state;
	for (unsigned int n = 0; n < 2 * NR; n++) {
		unsigned int cpu = n % NR;
		struct msi_msg before = sent_as[0];

		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_memory_equal(&before, &sent_as[0], sizeof(before));
		send(0);
		pass(COLD_NS);
		assert_int_equal(runs[0], n + 1);
		assert_int_equal(ran_on, cpu);
	}
	assert_int_equal(irq_set_affinity(irq, &(struct cpumask){ 0 }), -EINVAL);
}

static void message_waits_for_a_move(void **state)
{
	unsigned int irq = message(0);

	(void)state;
	pass(COLD_NS);
	for (unsigned int n = 0; n < 8; n++) {
		send(0);
		assert_int_equal(irq_set_affinity(irq, cpumask_of(1 + n % 3)), 0);
		pass(COLD_NS);
		assert_int_equal(runs[0], n + 1);
		assert_int_equal(ran_on, 1 + n % 3);
	}
}

static void masked_slot_keeps_its_message(void **state)
{
	unsigned int irq = message(0);
	bool is;

	(void)state;
	pass(COLD_NS);
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	disable_irq(irq);
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_MASKED, &is), 0);
	assert_true(is);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(2)), 0);
	send(0);
	pass(10 * COLD_NS);
	assert_int_equal(runs[0], 0);
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_PENDING, &is), 0);
	assert_true(is);
	enable_irq(irq);
	pass(COLD_NS);
	assert_int_equal(runs[0], 1);
	assert_int_equal(ran_on, 2);
	disable_irq(irq);
	send(0);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, false), 0);
	enable_irq(irq);
	pass(COLD_NS);
	assert_int_equal(runs[0], 1);
}

/* Lazily disabled: the flow finds it, masks, and the core replays it. */
static void disabled_line_comes_when_enabled(void **state)
{
	unsigned int irq = message(0);

	(void)state;
	pass(COLD_NS);
	disable_irq(irq);
	send(0);
	pass(TICK_NS);
	assert_int_equal(runs[0], 0);
	enable_irq(irq);
	pass(COLD_NS);
	assert_int_equal(runs[0], 1);
}

static void stray_words_are_told_once(void **state)
{
	unsigned int irq = message(0);
	u64 slot = msi_msg_address(&sent_as[0]) - DMA_OFFSET;

	(void)state;
	pass(COLD_NS);
	host_printk();
	for (unsigned int n = 0; n < 3; n++) {
		host_bus_write(slot, 0xdead, 4);
		pass(TICK_NS);
	}
	assert_int_equal(runs[0], 0);
	assert_int_equal(msi_poll.stray, 3);
	assert_true(logged("0xdead"));
	host_bus_write(slot, 0xbeef, 4);
	pass(TICK_NS);
	assert_false(logged("0xbeef"));
	host_bus_write(slot + 40, 5, 4);	/* nobody's slot: nobody looks */
	send(0);
	pass(TICK_NS);
	assert_int_equal(runs[0], 1);
	(void)irq;
}

static void slots_run_out_and_come_back(void **state)
{
	unsigned int have = 0;

	(void)state;
	while (have < MESSAGES && alloc_at(have, NULL) > 0)
		have++;
	assert_int_equal(have, MSI_POLL_SLOTS - 1);
	assert_true(logged("no slot left: all 1023 are given"));
	remove_device();
	assert_true(make_device());
	for (unsigned int n = 0; n < 100; n++)
		message(n);
	pass(COLD_NS);
	for (unsigned int n = 0; n < 100; n++)
		send(n);
	pass(TICK_NS);
	for (unsigned int n = 0; n < 100; n++)
		assert_int_equal(runs[n], 1);
}

/* A former owner's message is not the next one's interrupt. */
static void new_line_begins_empty(void **state)
{
	unsigned int irq = message(0);
	struct msi_msg former = sent_as[0];

	(void)state;
	free_irq(irq, (void *)0);
	host_bus_write(msi_msg_address(&former) - DMA_OFFSET, former.data, 4);
	msi_domain_free_irqs_range(&dev, MSI_DEFAULT_DOMAIN, 0, 0);
	message(1);
	assert_memory_equal(&former, &sent_as[1], sizeof(former));
	pass(10 * COLD_NS);
	assert_int_equal(runs[1], 0);
}

static void no_blocks(void **state)
{
	struct msi_desc init = { .msi_index = 0, .nvec_used = 2 };

	(void)state;
	assert_int_equal(msi_insert_msi_desc(&dev, &init), 0);
	assert_int_equal(msi_domain_alloc_irqs_range(&dev, MSI_DEFAULT_DOMAIN, 0, 0), 1);
}

static bool try_line(void *arg)
{
	int irq;

	(void)arg;
	if (!make_device())
		return false;
	irq = alloc_at(0, NULL);
	remove_device();
	return irq > 0;
}

static void line_without_memory(void **state)
{
	(void)state;
	remove_device();
	assert_true(fail_each(try_line, NULL) > 4);
	assert_true(make_device());
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(off_unless_asked_for, NULL),
		P(store_becomes_an_interrupt),
		P(stores_between_two_looks_merge),
		P(each_cpu_looks_at_its_own),
		P(message_waits_for_a_move),
		P(masked_slot_keeps_its_message),
		P(disabled_line_comes_when_enabled),
		P(stray_words_are_told_once),
		P(slots_run_out_and_come_back),
		P(new_line_begins_empty),
		P(no_blocks),
		P(line_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
