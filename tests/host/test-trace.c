/* The path of one interrupt, as the tracer cuts it out of what a CPU has been through. */
#include <kernel/trace.h>
#include <stdio.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

#define IRQ	5
#define OTHER	6

/* One letter for each event: trap, exit; Softirq, Exit of it; handler of IRQ or of the Other. */
static void goes_through(const char *events)
{
	for (; *events; events++) {
		switch (*events) {
		case 't': trace_record(ST_TRAP, 0, NULL, 0, 0); break;
		case 'x': trace_record(ST_EXIT, 0, NULL, 0, 0); break;
		case 'S': trace_record(ST_SOFTIRQ, 0, NULL, 1, 0); break;
		case 'X': trace_record(ST_EXIT, 0, NULL, 1, 0); break;
		case 'h': trace_record(ST_HANDLER, IRQ, NULL, 0, 0); break;
		default: trace_record(ST_HANDLER, OTHER, NULL, 0, 0);
		}
	}
}

static void expect_path(const char *events, const char *path)
{
	const struct trace_event *caught;
	unsigned int n, cpu;
	char text[64] = "";

	assert_int_equal(trace_arm(IRQ), 0);
	goes_through(events);
	assert_true(trace_caught());
	n = trace_path(&caught, &cpu);
	assert_in_range(n, 1, sizeof(text) - 1);
	for (unsigned int i = 0; i < n; i++)
		text[i] = caught[i].station == ST_TRAP    ? 't' :
			  caught[i].station == ST_SOFTIRQ ? 'S' :
			  caught[i].station == ST_EXIT    ? (caught[i].a ? 'X' : 'x') :
			  caught[i].irq == IRQ            ? 'h' : 'o';
	assert_string_equal(text, path);
	trace_disarm();
}

static void trap_is_the_path(void **state)
{
	(void)state;
	expect_path("thx", "thx");
	expect_path("toxthx", "thx");
	expect_path("toxSoXthx", "thx");
	expect_path("thoxSX", "thox");
}

static void traps_in_a_softirq_are_left_out(void **state)
{
	(void)state;
	expect_path("toxSthxX", "thx");
	expect_path("toxShtoxX", "toxShX");
	expect_path("toxStoxhX", "toxShX");
	expect_path("toxStoxtoxhtoxX", "toxShX");
}

/* A polled message comes there, the replay of an interrupt too. */
static void softirq_begins_with_the_trap_that_it_follows(void **state)
{
	(void)state;
	expect_path("toxShX", "toxShX");
	expect_path("toxSoXShX", "ShX");		/* another round */
	expect_path("toxoShX", "ShX");			/* a thread's */
	expect_path("toxSoXoStoxhX", "ShX");
}

/* ---- What a chip is asked, by the chip itself ------------------------------------------------- */

static const char *callback_name(const struct irq_chip *chip, unsigned long callback)
{
	const struct { void (*fn)(struct irq_data *d); const char *name; } known[] = {
		{ chip->irq_ack, "ack" }, { chip->irq_mask, "mask" }, { chip->irq_unmask, "unmask" },
		{ chip->irq_mask_ack, "mask_ack" }, { chip->irq_eoi, "eoi" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if ((unsigned long)known[i].fn == callback)
			return known[i].name;
	return "?";
}

/* The stations since the last time, in the recorders' words. */
static const char *traced(void)
{
	static char text[200];
	static u64 seen;
	const struct trace_ring *ring = this_cpu()->trace;

	text[0] = '\0';
	for (seen = max(seen, ring->begin); seen < ring->head; seen++) {
		const struct trace_event *e = &ring->event[seen & ring->mask];
		const char *word = e->station == ST_HANDLER ? "H" :
				   e->station == ST_THREAD  ? "T" :
				   e->station == ST_CHIP    ? callback_name(e->obj, e->a) : NULL;

		if (word)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 text[0] ? " " : "", word);
	}
	return text;
}

static void same_as_the_chip_says(irq_flow_handler_t flow, unsigned int callbacks,
				  unsigned long flags)
{
	struct irq_chip *chip = rec_chip(callbacks);
	unsigned int irq = rec_line(chip, flow);

	if ((callbacks & R_EOI) && flags)
		chip->flags |= IRQCHIP_EOI_THREADED;
	rec_ret = flags ? IRQ_WAKE_THREAD : IRQ_HANDLED;
	assert_int_equal(request_threaded_irq(irq, rec_handler, flags ? rec_thread : NULL, flags,
					      "t", NULL), 0);
	rec_take();
	traced();
	raise_irq(irq);
	host_run_deferred();
	assert_rec(traced());
	disable_irq(irq);
	rec_take();
	raise_irq(irq);
	raise_irq(irq);
	assert_rec(traced());
	rec_ret = IRQ_HANDLED;
	enable_irq(irq);
	rec_take();			/* what enable asks is no flow's */
	traced();
	raise_irq(irq);
	assert_rec(traced());
}

static void chip_stations_are_what_the_chip_was_asked(void **state)
{
	(void)state;
	trace_all(true);
	for (int threads = 0; threads < 2; threads++) {
		unsigned long flags = threads ? IRQF_ONESHOT : 0;

		same_as_the_chip_says(handle_level_irq, R_LEVEL, flags);
		same_as_the_chip_says(handle_level_irq, R_LEVEL | R_MASK_ACK, flags);
		same_as_the_chip_says(handle_edge_irq, R_EDGE, flags);
		same_as_the_chip_says(handle_fasteoi_irq, R_FASTEOI, flags);
	}
	trace_all(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(trap_is_the_path),
		T(traps_in_a_softirq_are_left_out),
		T(softirq_begins_with_the_trap_that_it_follows),
		T(chip_stations_are_what_the_chip_was_asked),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
