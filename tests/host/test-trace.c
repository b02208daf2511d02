/* The path of one interrupt, as the tracer cuts it out of what a CPU has been through. */
#include <kernel/trace.h>
#include <string.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(trap_is_the_path),
		T(traps_in_a_softirq_are_left_out),
		T(softirq_begins_with_the_trap_that_it_follows),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
