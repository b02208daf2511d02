/*
 * The real riscv-intc, IMSIC, APLIC and timer drivers on models of their hardware: start-up, IPIs,
 * messages, wires, moves that lose nothing.
 */
#include <kernel/ipi.h>
#include <kernel/mm.h>
#include <kernel/msi.h>
#include <kernel/of.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <string.h>
#include "models/imsic.h"
#include "support/board.h"
#include "support/cpus.h"
#include "support/random.h"
#include "support/rec.h"
#include "support/sender.h"

static int setup_board(void **state)
{
	(void)state;
	rec_ret = IRQ_HANDLED;
	board_boot(0, NULL);
	return 0;
}
#define B(fn)	cmocka_unit_test_setup(fn, setup_board)

/* ---- A device that sends messages ------------------------------------------------------------------ */

#define MESSAGES	8

static void make_device(unsigned int messages)
{
	struct device_node *np = of_find_compatible_node(NULL, "riscv,imsics");

	assert_true(sender_create(irq_find_matching_fwnode(&np->fwnode, DOMAIN_BUS_PCI_MSI),
				  DOMAIN_BUS_PCI_DEVICE_MSIX, messages, 0));
}

/* ---- Start ----------------------------------------------------------------------------------------- */

static void board_boots_and_says_nothing_bad(void **state)
{
	(void)state;
	assert_booted(BOARD_HARTS);
	assert_int_equal(cpus[0].hwid, BOARD_BOOT_HART);
	assert_int_equal(cpus[1].hwid, 4);
	assert_non_null(handle_arch_irq);
}

static void s189_firmwares_leftovers_are_gone(void **state)
{
	(void)state;
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++)
		for (unsigned int id = 1; id <= IMSIC_IDS; id++) {
			assert_false(imsic_model_pending(cpu, id));
			assert_int_equal(imsic_model_enabled(cpu, id), id == 1);
		}
	for (unsigned int n = 1; n <= APLIC_SOURCES; n++) {
		assert_int_equal(aplic_model_mode(n), 0);
		assert_false(aplic_model_enabled(n));
	}
}

static unsigned int ipi_interrupts(void)
{
	unsigned int irq, sum = 0;

	for_each_irq(irq) {
		struct irq_desc *desc = irq_to_desc(irq);

		if (!desc->irq_data.chip || strcmp(desc->irq_data.chip->name, "IMSIC-IPI"))
			continue;
		for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++)
			sum += desc->kstat_irqs[cpu];
	}
	return sum;
}

static void nothing(void *unused) { (void)unused; }

static void calls_run_where_they_are_sent_and_every_ipi_is_counted(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++)
		assert_call_reaches(round % BOARD_HARTS);
	host_run_deferred();
	assert_int_equal(imsic_model_stores(), ipi_interrupts());
	assert_int_equal(smp_call_function_single(BOARD_HARTS, nothing, NULL), -ENXIO);
}

static void timer_interrupts_come_by_sstc(void **state)
{
	u64 before = ktime_get_ns();

	(void)state;
	msleep(30);
	assert_in_range(ktime_get_ns() - before, 30000000, 31000000);
}

/* ---- Messages -------------------------------------------------------------------------------------- */

static void s184_message_reaches_the_handler_on_its_cpu(void **state)
{
	unsigned int irq;

	(void)state;
	make_device(MESSAGES);
	irq = sender_line(0);
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++) {
		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_int_equal(effective_cpu(irq), cpu);
		assert_int_equal(sender.msg[0].address_lo, IMSIC_BASE + 0x1000 * board_file(cpu));
		assert_int_equal(sender.msg[0].address_hi, 0);
		host_run_deferred();
		sender_send(0);
		host_run_deferred();
		assert_int_equal(sender.runs[0], cpu + 1);
		assert_int_equal(sender.ran_on, cpu);
		assert_int_equal(irq_to_desc(irq)->kstat_irqs[cpu], 1);
	}
	free_irq(irq, (void *)0);
	sender_remove();
}

static void message_for_a_masked_line_waits(void **state)
{
	unsigned int irq;

	(void)state;
	make_device(MESSAGES);
	irq = sender_line(0);
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	disable_irq(irq);
	host_run_deferred();
	sender_send(0);
	host_run_deferred();
	assert_int_equal(sender.runs[0], 0);
	enable_irq(irq);
	host_run_deferred();
	assert_int_equal(sender.runs[0], 1);
	disable_irq(irq);
	irq_clear_status_flags(irq, IRQ_DISABLE_UNLAZY);
	enable_irq(irq);
	disable_irq(irq);		/* lazily now: claimed, remembered, replayed */
	sender_send(0);
	sender_send(0);
	host_run_deferred();
	assert_int_equal(sender.runs[0], 1);
	enable_irq(irq);
	host_run_deferred();
	assert_int_equal(sender.runs[0], 2);
}

static void s185_pending_old_identity_is_not_lost(void **state)
{
	unsigned int irq;

	(void)state;
	make_device(MESSAGES);
	irq = sender_line(0);
	for (int round = 0; round < 40; round++) {
		unsigned int from = round % BOARD_HARTS, to = (round * 7 + 1) % BOARD_HARTS;
		unsigned int mover = round / 4 % BOARD_HARTS, both = round / 16 % 2;

		if (from == to)
			continue;
		assert_int_equal(irq_set_affinity(irq, cpumask_of(from)), 0);
		host_run_deferred();
		sender.runs[0] = 0;
		host_set_cpu(mover);
		arch_local_irq_disable();
		sender_send(0);			/* pending at the old hart … */
		assert_int_equal(irq_set_affinity(irq, cpumask_of(to)), 0);
		if (both)
			sender_send(0);		/* … and at the new one */
		arch_local_irq_enable();
		host_set_cpu(0);
		host_run_deferred();
		assert_in_range(sender.runs[0], 1, 1 + both);
		assert_int_equal(effective_cpu(irq), to);
		sender.runs[0] = 0;
		sender_send(0);
		host_run_deferred();
		assert_int_equal(sender.runs[0], 1);
		assert_int_equal(sender.ran_on, to);
	}
}

static void s185_second_move_before_the_first_is_finished_is_refused(void **state)
{
	unsigned int irq;

	(void)state;
	make_device(MESSAGES);
	irq = sender_line(0);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(1)), 0);
	host_run_deferred();
	arch_local_irq_disable();
	assert_int_equal(irq_set_affinity(irq, cpumask_of(2)), 0);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(3)), -EBUSY);
	arch_local_irq_enable();
	host_run_deferred();
	assert_int_equal(irq_set_affinity(irq, cpumask_of(3)), 0);
}

static void freed_while_moving(void **state)
{
	unsigned int irq;
	size_t live;

	(void)state;
	host_run_deferred();
	live = host_bytes_live();
	for (int round = 0; round < 8; round++) {
		make_device(MESSAGES);
		irq = sender_line(0);
		assert_int_equal(irq_set_affinity(irq, cpumask_of(1)), 0);
		host_run_deferred();
		arch_local_irq_disable();
		sender_send(0);
		assert_int_equal(irq_set_affinity(irq, cpumask_of(2 + round % 2)), 0);
		sender_send(0);
		arch_local_irq_enable();
		free_irq(irq, (void *)0);
		sender_remove();
		host_run_deferred();
		assert_int_equal(host_bytes_live(), live);
	}
}

static void s183_identities_run_out_with_a_message(void **state)
{
	unsigned int n = 0;
	int irq;

	(void)state;
	make_device(2000);
	host_printk();
	while ((irq = sender_alloc(n)) > 0)
		n++;
	assert_int_equal(irq, -ENOSPC);
	assert_int_equal(n, BOARD_HARTS * (IMSIC_IDS - 1));
	assert_true(logged("identity"));
	msi_domain_free_irqs_range(&sender.dev, MSI_DEFAULT_DOMAIN, 5, 5);
	assert_true(sender_alloc(5) > 0);
	sender_remove();
}

static void s049_no_wire_ends_at_an_imsic(void **state)
{
	struct device_node *np = of_find_compatible_node(NULL, "riscv,imsics");
	struct irq_fwspec spec = { .fwnode = &np->fwnode, .param_count = 1, .param = { 5 } };

	(void)state;
	assert_int_equal(irq_create_fwspec_mapping(&spec), 0);
}

/* ---- Everything at random, on one OS thread: the order of events is the seed's ---------------------- */

static void random_step(u64 *r, unsigned int *irq, unsigned int *sent)
{
	unsigned int n = host_random(r) % MESSAGES;

	host_set_cpu(host_random(r) % BOARD_HARTS);
	switch (host_random(r) % 8) {
	case 0:
	case 1:
		arch_local_irq_disable();
		sender_send(n);
		if (host_random(r) % 2)
			irq_set_affinity(irq[n], cpumask_of(host_random(r) % BOARD_HARTS));
		arch_local_irq_enable();
		sent[n]++;
		break;
	case 2:
		irq_set_affinity(irq[n], cpumask_of(host_random(r) % BOARD_HARTS));
		break;
	case 3:
		disable_irq(irq[n]);
		if (host_random(r) % 2) {
			sender_send(n);
			sent[n]++;
		}
		if (host_random(r) % 2)
			host_run_deferred();
		enable_irq(irq[n]);
		break;
	case 4:
		assert_call_reaches(host_random(r) % BOARD_HARTS);
		break;
	case 5:
		host_run_deferred();
		break;
	case 6:			/* everything handled, then one more must be one more run */
		host_run_deferred();
		sender.runs[n] = sent[n] = 0;
		sender_send(n);
		host_run_deferred();
		if (sender.runs[n] != 1)
			fail_msg("message %u: %u runs for one store", n, sender.runs[n]);
		sent[n] = 1;
		break;
	}
}

static void random_sends_moves_and_masks_lose_nothing(void **state)
{
	unsigned int irq[MESSAGES], sent[MESSAGES] = { 0 };
	u64 r = random_seed();

	(void)state;
	make_device(MESSAGES);
	for (unsigned int n = 0; n < MESSAGES; n++)
		irq[n] = sender_line(n);
	for (unsigned int step = 0, steps = soak(20000, 500000); step < steps; step++) {
		random_step(&r, irq, sent);
		for (unsigned int n = 0; n < MESSAGES; n++)
			if (sender.runs[n] > sent[n])
				fail_msg("step %u, message %u: %u runs, %u stores", step, n,
					 sender.runs[n], sent[n]);
	}
	host_set_cpu(0);
	host_run_deferred();
	for (unsigned int n = 0; n < MESSAGES; n++)
		assert_true(sender.runs[n] || !sent[n]);
}

/* ---- And with real concurrency ---------------------------------------------------------------------- */

static void send_first(void)
{
	sender_send(0);
}

static bool first_has_run(unsigned int times)
{
	return __atomic_load_n(&sender.runs[0], __ATOMIC_RELAXED) >= times;
}

static void s185_moves_while_cpus_and_device_run_freely(void **state)
{
	unsigned int times = soak(1000, 20000);

	(void)state;
	make_device(MESSAGES);
	assert_true(run_freely(sender_line(0), BOARD_HARTS, times, send_first, first_has_run));
	assert_int_equal(sender.runs[0], times);
}

/* ---- Wires ------------------------------------------------------------------------------------------- */

static unsigned int wire_runs, lower_after;

static irqreturn_t serves(int irq, void *dev_id)
{
	(void)irq;
	if (++wire_runs == lower_after)
		aplic_model_wire((unsigned long)dev_id, false);
	return IRQ_HANDLED;
}

static unsigned int wired(u32 source, u32 type)
{
	unsigned int irq = board_map(source, type);

	assert_int_not_equal(irq, 0);
	wire_runs = 0;
	assert_int_equal(request_irq(irq, serves, 0, "wire", (void *)(unsigned long)source), 0);
	return irq;
}

static void s181_held_level_comes_again_at_eoi(void **state)
{
	unsigned int irq = wired(10, IRQ_TYPE_LEVEL_HIGH);

	(void)state;
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, handle_fasteoi_irq);
	for (lower_after = 1; lower_after <= 4; lower_after++) {
		wire_runs = 0;
		aplic_model_wire(10, true);
		host_run_deferred();
		assert_int_equal(wire_runs, lower_after);
	}
	free_irq(irq, (void *)10);
	assert_int_equal(aplic_model_enabled(10), false);
	irq_dispose_mapping(irq);
}

static void s181_level_that_was_high_before_the_request(void **state)
{
	(void)state;
	lower_after = 1;
	aplic_model_wire(11, true);
	wired(11, IRQ_TYPE_LEVEL_HIGH);
	host_run_deferred();
	assert_int_equal(wire_runs, 1);
}

static void level_low_and_edges(void **state)
{
	unsigned int irq;

	(void)state;
	lower_after = 0;
	aplic_model_wire(12, true);
	irq = wired(12, IRQ_TYPE_EDGE_FALLING);
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, handle_edge_irq);
	host_run_deferred();
	assert_int_equal(wire_runs, 0);
	aplic_model_wire(12, false);
	host_run_deferred();
	aplic_model_wire(12, true);
	host_run_deferred();
	assert_int_equal(wire_runs, 1);
	free_irq(irq, (void *)12);

	irq = wired(13, IRQ_TYPE_EDGE_RISING);
	aplic_model_wire(13, true);
	host_run_deferred();
	host_run_deferred();
	assert_int_equal(wire_runs, 1);
}

static void level_disabled_lazily_comes_after_enable(void **state)
{
	unsigned int irq = wired(10, IRQ_TYPE_LEVEL_HIGH);

	(void)state;
	lower_after = 1;
	disable_irq(irq);
	aplic_model_wire(10, true);
	host_run_deferred();
	assert_int_equal(wire_runs, 0);
	enable_irq(irq);
	host_run_deferred();
	assert_int_equal(wire_runs, 1);
	disable_irq(irq);
	aplic_model_wire(10, true);
	host_run_deferred();
	aplic_model_wire(10, false);		/* gone before anybody looked */
	enable_irq(irq);
	host_run_deferred();
	assert_int_equal(wire_runs, 1);
}

static void wired_line_moves_between_harts(void **state)
{
	unsigned int irq = wired(10, IRQ_TYPE_LEVEL_HIGH);

	(void)state;
	lower_after = 2;
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++) {
		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_int_equal(aplic_model_target(10) >> 18, board_file(cpu));
		wire_runs = 0;
		aplic_model_wire(10, true);
		host_run_deferred();
		assert_int_equal(wire_runs, 2);
		assert_true(irq_to_desc(irq)->kstat_irqs[cpu] > 0);
	}
}

static void s179_sources_that_are_none(void **state)
{
	(void)state;
	host_printk();
	assert_int_equal(board_map(0, 4), 0);
	assert_int_equal(board_map(APLIC_SOURCES + 1, 4), 0);
	assert_true(logged("source"));
	assert_int_not_equal(board_map(APLIC_SOURCES, 4), 0);
	assert_int_not_equal(board_map(20, 0), 0);
	assert_true(logged("trigger"));
}

static bool map_and_unmap(void *arg)
{
	unsigned int irq = board_map(30, 4);

	(void)arg;
	if (irq)
		irq_dispose_mapping(irq);
	return irq;
}

static void wire_without_memory_leaves_nothing(void **state)
{
	(void)state;
	map_and_unmap(NULL);
	assert_true(fail_each(map_and_unmap, NULL) >= 2);	/* its two descriptors */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		B(board_boots_and_says_nothing_bad),
		B(s189_firmwares_leftovers_are_gone),
		B(calls_run_where_they_are_sent_and_every_ipi_is_counted),
		B(timer_interrupts_come_by_sstc),
		B(s184_message_reaches_the_handler_on_its_cpu),
		B(message_for_a_masked_line_waits),
		B(s185_pending_old_identity_is_not_lost),
		B(s185_second_move_before_the_first_is_finished_is_refused),
		B(freed_while_moving),
		B(s183_identities_run_out_with_a_message),
		B(s049_no_wire_ends_at_an_imsic),
		B(random_sends_moves_and_masks_lose_nothing),
		B(s185_moves_while_cpus_and_device_run_freely),
		B(s181_held_level_comes_again_at_eoi),
		B(s181_level_that_was_high_before_the_request),
		B(level_low_and_edges),
		B(level_disabled_lazily_comes_after_enable),
		B(wired_line_moves_between_harts),
		B(s179_sources_that_are_none),
		B(wire_without_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
