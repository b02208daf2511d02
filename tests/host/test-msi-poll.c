/*
 * The real msi-poll driver: its hardware is memory, so there is no model; devices are stores by
 * host_bus_write(), and time is what the tests let pass.
 */
#include <drivers/irqchip/msi-poll.h>
#include <string.h>
#include "model.h"
#include "support/machine.h"
#include "support/rec.h"
#include "support/sender.h"

#define NR		4
#define MESSAGES	SENDER_MESSAGES
#define TICK_NS		(200 * NSEC_PER_USEC)
#define COLD_NS		(10 * NSEC_PER_MSEC)

/* ---- The machine: CPUs and memory, no controller at all------------------------------------- */

static struct tree tree;

static void no_models(void) { }

static void boot(const char *arguments)
{
	static const u64 hwids[NR] = { 0, 1, 2, 3 };
	struct tree *t = &tree;

	rec_ret = IRQ_HANDLED;
	machine_begin(t);
	machine_chosen(t, "bootargs", arguments);
	machine_memory(t);
	machine_cpus(t, 1, hwids, NR);
	host_boot(tree_finish(t, NULL), 0, no_models);
}

/* ---- A device, which sees memory 4 GiB away from where the CPU does------------------------- */

#define DMA_OFFSET	0x100000000

static bool make_device(void)
{
	return sender_create(msi_default_parent(), DOMAIN_BUS_PCI_DEVICE_MSIX, MESSAGES,
			     DMA_OFFSET);
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
	sender_remove();
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
	unsigned int irq = sender_line(0);

	(void)state;
	assert_true(msi_msg_address(&sender.msg[0]) > DMA_OFFSET);
	assert_int_equal(msi_msg_address(&sender.msg[0]) % 4, 0);
	assert_int_not_equal(sender.msg[0].data, 0);
	for (unsigned int n = 1; n <= 3; n++) {
		sender_send(0);
		assert_int_equal(sender.runs[0], n - 1);
		pass(n == 1 ? COLD_NS : TICK_NS);
		assert_int_equal(sender.runs[0], n);
	}
	pass(COLD_NS);
	assert_int_equal(sender.runs[0], 3);
	assert_int_equal(line_of(irq)->delivered, 3);
	assert_int_equal(line_of(irq)->merged, 0);
}

static void stores_between_two_looks_merge(void **state)
{
	unsigned int irq = sender_line(0);

	(void)state;
	pass(COLD_NS);
	sender_send(0);
	sender_send(0);
	sender_send(0);
	pass(TICK_NS);
	assert_int_equal(sender.runs[0], 1);
	assert_int_equal(line_of(irq)->merged, 0);	/* nobody can know */
	for (unsigned int n = 0; n < 3; n++)
		assert_int_equal(irq_inject_interrupt(irq), 0);
	pass(TICK_NS);
	assert_int_equal(sender.runs[0], 2);
	assert_int_equal(line_of(irq)->merged, 2);
	assert_int_equal(line_of(irq)->delivered, 2);
}

static void each_cpu_looks_at_its_own(void **state)
{
	unsigned int irq = sender_line(0);

	(void)state;
	for (unsigned int n = 0; n < 2 * NR; n++) {
		unsigned int cpu = n % NR;
		struct msi_msg before = sender.msg[0];

		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_memory_equal(&before, &sender.msg[0], sizeof(before));
		sender_send(0);
		pass(COLD_NS);
		assert_int_equal(sender.runs[0], n + 1);
		assert_int_equal(sender.ran_on, cpu);
	}
	assert_int_equal(irq_set_affinity(irq, &(struct cpumask){ 0 }), -EINVAL);
}

static void message_waits_for_a_move(void **state)
{
	unsigned int irq = sender_line(0);

	(void)state;
	pass(COLD_NS);
	for (unsigned int n = 0; n < 8; n++) {
		sender_send(0);
		assert_int_equal(irq_set_affinity(irq, cpumask_of(1 + n % 3)), 0);
		pass(COLD_NS);
		assert_int_equal(sender.runs[0], n + 1);
		assert_int_equal(sender.ran_on, 1 + n % 3);
	}
}

static void masked_slot_keeps_its_message(void **state)
{
	unsigned int irq = sender_line(0);
	bool is;

	(void)state;
	pass(COLD_NS);
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	disable_irq(irq);
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_MASKED, &is), 0);
	assert_true(is);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(2)), 0);
	sender_send(0);
	pass(10 * COLD_NS);
	assert_int_equal(sender.runs[0], 0);
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_PENDING, &is), 0);
	assert_true(is);
	enable_irq(irq);
	pass(COLD_NS);
	assert_int_equal(sender.runs[0], 1);
	assert_int_equal(sender.ran_on, 2);
	disable_irq(irq);
	sender_send(0);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, false), 0);
	enable_irq(irq);
	pass(COLD_NS);
	assert_int_equal(sender.runs[0], 1);
}

/* Lazily disabled: the flow finds it, masks, and the core replays it. */
static void disabled_line_comes_when_enabled(void **state)
{
	unsigned int irq = sender_line(0);

	(void)state;
	pass(COLD_NS);
	disable_irq(irq);
	sender_send(0);
	pass(TICK_NS);
	assert_int_equal(sender.runs[0], 0);
	enable_irq(irq);
	pass(COLD_NS);
	assert_int_equal(sender.runs[0], 1);
}

static void stray_words_are_told_once(void **state)
{
	unsigned int irq = sender_line(0);
	u64 slot = msi_msg_address(&sender.msg[0]) - DMA_OFFSET;

	(void)state;
	pass(COLD_NS);
	host_printk();
	for (unsigned int n = 0; n < 3; n++) {
		host_bus_write(slot, 0xdead, 4);
		pass(TICK_NS);
	}
	assert_int_equal(sender.runs[0], 0);
	assert_int_equal(msi_poll.stray, 3);
	assert_true(logged("0xdead"));
	host_bus_write(slot, 0xbeef, 4);
	pass(TICK_NS);
	assert_false(logged("0xbeef"));
	host_bus_write(slot + 40, 5, 4);	/* nobody's slot: nobody looks */
	sender_send(0);
	pass(TICK_NS);
	assert_int_equal(sender.runs[0], 1);
	(void)irq;
}

static void slots_run_out_and_come_back(void **state)
{
	unsigned int have = 0;

	(void)state;
	while (have < MESSAGES && sender_alloc(have) > 0)
		have++;
	assert_int_equal(have, MSI_POLL_SLOTS - 1);
	assert_true(logged("no slot left: all 1023 are given"));
	sender_remove();
	assert_true(make_device());
	for (unsigned int n = 0; n < 100; n++)
		sender_line(n);
	pass(COLD_NS);
	for (unsigned int n = 0; n < 100; n++)
		sender_send(n);
	pass(TICK_NS);
	for (unsigned int n = 0; n < 100; n++)
		assert_int_equal(sender.runs[n], 1);
}

/* A former owner's message is not the next one's interrupt. */
static void new_line_begins_empty(void **state)
{
	unsigned int irq = sender_line(0);
	struct msi_msg former = sender.msg[0];

	(void)state;
	free_irq(irq, (void *)0);
	host_bus_write(msi_msg_address(&former) - DMA_OFFSET, former.data, 4);
	msi_domain_free_irqs_range(&sender.dev, MSI_DEFAULT_DOMAIN, 0, 0);
	sender_line(1);
	assert_memory_equal(&former, &sender.msg[1], sizeof(former));
	pass(10 * COLD_NS);
	assert_int_equal(sender.runs[1], 0);
}

static void no_blocks(void **state)
{
	struct msi_desc init = { .msi_index = 0, .nvec_used = 2 };

	(void)state;
	assert_int_equal(msi_insert_msi_desc(&sender.dev, &init), 0);
	assert_int_equal(msi_domain_alloc_irqs_range(&sender.dev, MSI_DEFAULT_DOMAIN, 0, 0), 1);
}

static bool try_line(void *arg)
{
	int irq;

	(void)arg;
	if (!make_device())
		return false;
	irq = sender_alloc(0);
	sender_remove();
	return irq > 0;
}

static void line_without_memory(void **state)
{
	(void)state;
	sender_remove();
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
