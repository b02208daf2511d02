/*
 * The real PLIC driver and the firmware's IPIs on models: a claim that is not completed kills its
 * source, so most of this is about what may happen between the two.
 */
#include <drivers/irqchip/plic.h>
#include <kernel/io.h>
#include <stdio.h>
#include <string.h>
#include "models/plic.h"
#include "support/board.h"
#include "support/cpus.h"
#include "support/random.h"
#include "support/rec.h"
#include "support/wired.h"

static int setup(unsigned int parts)
{
	rec_ret = IRQ_HANDLED;
	board_boot(parts, NULL);
	wired_init(plic_model_wire);
	return 0;
}
static int by_the_book(void **state) { (void)state; return setup(BOARD_PLIC); }
static int like_qemu(void **state) { (void)state; return setup(BOARD_PLIC_QEMU); }
static int two_cells(void **state) { (void)state; return setup(BOARD_PLIC_2); }
#define B(fn)	cmocka_unit_test_setup(fn, by_the_book),		\
		cmocka_unit_test_setup(fn, like_qemu)
#define B2(fn)	cmocka_unit_test_setup(fn, two_cells)

/* ---- Devices ---------------------------------------------------------------------------------------- */

static unsigned int device(unsigned int n)
{
	return wired_device(n, IRQ_TYPE_LEVEL_HIGH);
}

static void comes(unsigned int n)
{
	wired_comes(n);
	assert_false(plic_model_claimed(SOURCE(n)));
}

/* ---- Start ------------------------------------------------------------------------------------------ */

static void s175_firmwares_leftovers_are_gone(void **state)
{
	(void)state;
	assert_booted(BOARD_HARTS);
	for (unsigned int i = 0; i < BOARD_CONTEXTS; i++)
		assert_int_equal(plic_model_threshold(i), i % 2 ? 0 : 7);
	for (unsigned int n = 1; n <= PLIC_SOURCES; n++) {
		assert_int_equal(plic_model_priority(n), 0);
		assert_int_equal(plic_model_context_of(n), -1);
	}
}

static void s101_calls_go_through_the_firmware(void **state)
{
	unsigned int irq, taken = 0, virtual = 0;

	(void)state;
	for (int round = 0; round < 40; round++)
		assert_call_reaches(1 + round % (BOARD_HARTS - 1));
	for_each_irq(irq) {
		const struct irq_desc *desc = irq_to_desc(irq);
		const char *name = desc->action ? desc->action->name : "";

		for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++) {
			taken += strcmp(name, "sbi-ipi") ? 0 : desc->kstat_irqs[cpu];
			virtual += strncmp(name, "ipi-", 4) ? 0 : desc->kstat_irqs[cpu];
		}
	}
	assert_true(taken >= 40);
	assert_true(virtual >= taken);
}

/* ---- Delivery --------------------------------------------------------------------------------------- */

static void s175_source_reaches_its_handler_on_every_cpu(void **state)
{
	unsigned int irq = device(0);

	(void)state;
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++) {
		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_int_equal(effective_cpu(irq), cpu);
		assert_int_equal(plic_model_context_of(SOURCE(0)), board_context(cpu));
		assert_int_equal(plic_model_priority(SOURCE(0)), 1);
		comes(0);
		assert_int_equal(wired[0].ran_on, cpu);
		assert_int_equal(irq_to_desc(irq)->kstat_irqs[cpu], 1);
	}
}

static void s175_claims_until_nothing_is_left(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < WIRED; n++) {
		device(n);
		assert_int_equal(irq_set_affinity(wired[n].irq, cpumask_of(2)), 0);
	}
	wired_all_come();
}

static void lines_are_spread_over_the_cpus(void **state)
{
	unsigned int lines[BOARD_HARTS] = { 0 };

	(void)state;
	for (unsigned int n = 0; n < WIRED; n++)
		lines[effective_cpu(device(n))]++;
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++)
		assert_int_equal(lines[cpu], WIRED / BOARD_HARTS);
	for (unsigned int n = 0; n < WIRED; n++) {
		free_irq(wired[n].irq, (void *)(unsigned long)n);
		irq_dispose_mapping(wired[n].irq);
		assert_int_equal(plic_model_context_of(SOURCE(n)), -1);
		assert_int_equal(plic_model_priority(SOURCE(n)), 0);
	}
	for (unsigned int n = 0; n < BOARD_HARTS; n++)
		lines[effective_cpu(device(n))]++;
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++)
		assert_int_equal(lines[cpu], WIRED / BOARD_HARTS + 1);
}

/* ---- Between claim and completion ------------------------------------------------------------------- */

static void disable_self(unsigned int n)
{
	disable_irq_nosync(wired[n].irq);
}

static void s176_disabled_in_its_handler(void **state)
{
	unsigned int irq = device(0);

	(void)state;
	for (int round = 0; round < 4; round++) {
		wired_in_handler = disable_self;
		comes(0);
		wired_in_handler = NULL;
		assert_int_equal(plic_model_context_of(SOURCE(0)), -1);
		enable_irq(irq);
		comes(0);
	}
}

static void move_on(unsigned int irq)
{
	unsigned int next = (effective_cpu(irq) + 1) % BOARD_HARTS;

	assert_int_equal(irq_set_affinity(irq, cpumask_of(next)), 0);
}

static void move_self(unsigned int n)
{
	move_on(wired[n].irq);
}

static void assert_enabled_where_it_goes(unsigned int n)
{
	assert_int_equal(plic_model_context_of(SOURCE(n)),
			 board_context(effective_cpu(wired[n].irq)));
}

static void s177_moved_in_its_handler(void **state)
{
	unsigned int irq = device(0);

	(void)state;
	for (int round = 0; round < 8; round++) {
		unsigned int from = effective_cpu(irq);

		wired_in_handler = move_self;
		wired_wish(0);
		host_run_deferred();
		assert_int_equal(wired[0].ran_on, from);
		wired_in_handler = NULL;
		assert_int_not_equal(effective_cpu(irq), from);
		assert_enabled_where_it_goes(0);
		comes(0);
		assert_int_equal(wired[0].ran_on, effective_cpu(irq));
	}
}

static irqreturn_t wake(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	assert_int_equal(plic_model_priority(SOURCE(1)), 0);
	assert_int_equal(plic_model_context_of(SOURCE(1)), board_context(effective_cpu(irq)));
	return IRQ_WAKE_THREAD;
}

/* Device 1's irq, with that thread. */
static unsigned int oneshot(irq_handler_t thread)
{
	unsigned int irq = board_map(SOURCE(1), 0);

	wired[1].runs = 0;
	assert_int_equal(request_threaded_irq(irq, wake, thread, IRQF_ONESHOT, "dev", (void *)1), 0);
	return irq;
}

/* Completed only when the thread has made the wire fall, or it would come a second time. */
static void s088_held_until_its_thread_is_done(void **state)
{
	(void)state;
	oneshot(wired_serve);
	for (int round = 1; round <= 5; round++) {
		wired_wish(1);
		host_run_deferred();
		assert_int_equal(wired[1].runs, round);
		assert_int_equal(plic_model_priority(SOURCE(1)), 1);
	}
}

static irqreturn_t serve_and_disable(int irq, void *dev_id)
{
	disable_irq_nosync(irq);
	return wired_serve(irq, dev_id);
}

static void s088_disabled_by_its_thread(void **state)
{
	unsigned int irq = oneshot(serve_and_disable);

	(void)state;
	for (int round = 1; round <= 3; round++) {
		wired_wish(1);
		host_run_deferred();
		assert_int_equal(wired[1].runs, round);
		disable_irq(irq);	/* waits for nothing that only enable would do */
		enable_irq(irq);
		enable_irq(irq);
		assert_false(plic_model_claimed(SOURCE(1)));
	}
}

static irqreturn_t enable_and_serve(int irq, void *dev_id)
{
	disable_irq_nosync(irq);
	enable_irq(irq);
	return wired_serve(irq, dev_id);
}

static void s088_enabled_before_its_thread_is_done(void **state)
{
	(void)state;
	oneshot(enable_and_serve);
	for (int round = 1; round <= 3; round++)
		comes(1);
}

static void freed_while_disabled_by_its_thread(void **state)
{
	unsigned int irq = oneshot(serve_and_disable);

	(void)state;
	wired_wish(1);
	host_run_deferred();
	assert_true(plic_model_claimed(SOURCE(1)));
	free_irq(irq, (void *)1);
	irq_dispose_mapping(irq);
	assert_false(plic_model_claimed(SOURCE(1)));
	device(1);
	comes(1);
}

static void moving_does_not_unmask(void **state)
{
	unsigned int irq = device(0);
	struct irq_desc *desc = irq_to_desc(irq);

	(void)state;
	desc->irq_data.chip->irq_mask(&desc->irq_data);
	irqd_set(&desc->irq_data, IRQD_IRQ_MASKED);
	move_on(irq);
	wired_wish(0);
	host_run_deferred();
	assert_int_equal(wired[0].runs, 0);
	irqd_clear(&desc->irq_data, IRQD_IRQ_MASKED);
	arch_local_irq_disable();
	desc->irq_data.chip->irq_unmask(&desc->irq_data);
	arch_local_irq_enable();
	host_run_deferred();
	assert_int_equal(wired[0].runs, 1);
}

static void s177_disabled_line_moves_without_being_enabled(void **state)
{
	unsigned int irq = device(0);

	(void)state;
	disable_irq(irq);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(3)), 0);
	assert_int_equal(effective_cpu(irq), 3);
	assert_int_equal(plic_model_context_of(SOURCE(0)), -1);
	wired_wish(0);
	host_run_deferred();
	assert_int_equal(wired[0].runs, 0);
	enable_irq(irq);
	host_run_deferred();
	assert_int_equal(wired[0].runs, 1);
	assert_int_equal(wired[0].ran_on, 3);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(BOARD_HARTS)), -EINVAL);
}

/* It was claimed when it was disabled already: remembered, and replayed, which must not complete. */
static void caught_while_disabled_is_replayed(void **state)
{
	unsigned int irq = device(0);
	struct irq_desc *desc = irq_to_desc(irq);

	(void)state;
	irqd_set(&desc->irq_data, IRQD_IRQ_DISABLED);
	desc->depth = 1;
	wired_wish(0);
	host_run_deferred();
	assert_int_equal(wired[0].runs, 0);
	assert_false(plic_model_claimed(SOURCE(0)));
	enable_irq(irq);
	host_run_deferred();
	assert_true(wired[0].runs >= 1);
	assert_int_equal(wired[0].wish, 0);
	comes(0);
}

static void injected_by_replay(void **state)
{
	unsigned int irq = device(0);

	(void)state;
	rec_take();
	assert_int_equal(irq_inject_interrupt(irq), 0);
	host_run_deferred();
	assert_int_equal(wired[0].runs, 1);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, true), -EINVAL);
	comes(0);
}

/* ---- Claimed whenever one looks ---------------------------------------------------------------------- */

static bool goes_on;			/* while irq_check() looks */
static char fault[96];

/* CPU 1 has claimed source 30, and waits for the line's lock. */
static void claims(void)
{
	struct plic_context *context = this_cpu()->irqchip;

	wired_wish(0);
	assert_int_equal(readl(context->regs + PLIC_CLAIM), SOURCE(0));
	context->plic->claimed_by[SOURCE(0)] = 1;
}

static void handles(void)
{
	irq_to_desc(wired[0].irq)->handle_irq(irq_to_desc(wired[0].irq));
}

static void on_cpu_1(void (*what)(void))
{
	host_set_cpu(1);
	host_irq_enter();
	what();
	host_irq_exit();
	host_set_cpu(0);
}

static void handles_and_claims(void)
{
	handles();
	claims();
}

static bool goes_on_between_looks(void *unused)
{
	(void)unused;
	if (goes_on)
		on_cpu_1(handles_and_claims);
	return goes_on;
}

static void note(void *unused, const char *text)
{
	(void)unused;
	snprintf(fault, sizeof(fault), "%s", text);
}

static void s176_busy_is_not_dead(void **state)
{
	unsigned int irq = device(0);

	(void)state;
	host_poll_add(goes_on_between_looks, NULL);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(1)), 0);
	on_cpu_1(claims);
	goes_on = true;
	assert_int_equal(irq_check(note, NULL), 0);
	goes_on = false;
	assert_true(wired[0].runs > 0);
	assert_int_equal(irq_check(note, NULL), 1);
	assert_string_equal(fault, "plic: source 30 was claimed and is not completed");
	on_cpu_1(handles);
	assert_int_equal(irq_check(note, NULL), 0);
}

/* ---- What nobody wants ------------------------------------------------------------------------------ */

static void unmapped_source_is_told_once_and_not_left_active(void **state)
{
	(void)state;
	host_printk();
	for (int round = 0; round < 3; round++) {
		plic_model_set_priority(50, 1);
		plic_model_set_enabled(board_context(1), 50);
		plic_model_wire(50, true);
		host_run_deferred();
		assert_int_equal(logged("source 50"), round == 0);
		assert_false(plic_model_claimed(50));
		assert_int_equal(plic_model_priority(50), 0);
		plic_model_wire(50, false);
	}
	device(0);
	comes(0);
}

static void spurious_claims_are_told_once(void **state)
{
	(void)state;
	host_printk();
	for (int round = 0; round < 3; round++) {
		plic_model_notify(board_context(2));
		host_run_deferred();
		assert_int_equal(logged("nothing to claim"), round == 0);
	}
}

static void sources_that_are_none(void **state)
{
	(void)state;
	host_printk();
	assert_int_equal(board_map(0, 0), 0);
	assert_int_equal(board_map(PLIC_SOURCES + 1, 0), 0);
	assert_true(logged("not one of 1 to 95"));
	assert_int_not_equal(board_map(PLIC_SOURCES, 0), 0);
}

/* ---- Triggers --------------------------------------------------------------------------------------- */

static void s178_one_cell_keeps_its_type(void **state)
{
	unsigned int irq = device(0);

	(void)state;
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_BOTH), 0);
	assert_int_equal(irqd_get_trigger_type(irq_get_irq_data(irq)), IRQ_TYPE_NONE);
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, handle_fasteoi_irq);
}

static void another_edge(unsigned int n)
{
	if (wired[n].runs != 1)
		return;
	plic_model_wire(SOURCE(n), false);
	plic_model_wire(SOURCE(n), true);
}

static void s178_edges_are_acknowledged_first(void **state)
{
	unsigned int irq;

	(void)state;
	plic_model_edge(SOURCE(2));
	irq = board_map(SOURCE(2), IRQ_TYPE_EDGE_RISING);
	wired[2].runs = 0;
	assert_int_equal(request_irq(irq, wired_serve, 0, "edge", (void *)2), 0);
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, handle_edge_irq);
	wired_in_handler = another_edge;
	plic_model_wire(SOURCE(2), true);
	host_run_deferred();
	assert_int_equal(wired[2].runs, 2);
	wired_in_handler = NULL;
	irq = device(3);
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, handle_fasteoi_irq);
	comes(3);
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_FALLING), -EINVAL);
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW), -EINVAL);
}

/* ---- At random, and with real concurrency ----------------------------------------------------------- */

static void random_wishes_moves_and_disables_lose_nothing(void **state)
{
	(void)state;
	wired_at_random(false);
	for (unsigned int n = 0; n < WIRED; n++) {
		device(n);
		comes(n);
		assert_enabled_where_it_goes(n);
	}
}

static void moves_while_cpus_and_device_run_freely(void **state)
{
	(void)state;
	device(0);
	assert_true(wired_freely(soak(1000, 20000)) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		B(s175_firmwares_leftovers_are_gone),
		B(s101_calls_go_through_the_firmware),
		B(s175_source_reaches_its_handler_on_every_cpu),
		B(s175_claims_until_nothing_is_left),
		B(lines_are_spread_over_the_cpus),
		B(s176_disabled_in_its_handler),
		B(s177_moved_in_its_handler),
		B(s088_held_until_its_thread_is_done),
		B(s088_disabled_by_its_thread),
		B(s088_enabled_before_its_thread_is_done),
		B(freed_while_disabled_by_its_thread),
		B(moving_does_not_unmask),
		B(s177_disabled_line_moves_without_being_enabled),
		B(caught_while_disabled_is_replayed),
		B(injected_by_replay),
		B(s176_busy_is_not_dead),
		B(unmapped_source_is_told_once_and_not_left_active),
		B(spurious_claims_are_told_once),
		B(sources_that_are_none),
		B(s178_one_cell_keeps_its_type),
		B2(s178_edges_are_acknowledged_first),
		B2(s175_source_reaches_its_handler_on_every_cpu),
		B(random_wishes_moves_and_disables_lose_nothing),
		B(moves_while_cpus_and_device_run_freely),
		B(line_without_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
