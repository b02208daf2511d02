/*
 * That support/every-test.c finds what it looks for: groups of one test each, in children, which
 * leave behind what no test may leave behind.
 */
#include <kernel/mm.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "model.h"
#include "support/die.h"
#include "support/rec.h"

static void nothing(void **state) { (void)state; }

static void leaves_a_block(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)		/* some registers may keep the last ones */
		memset(kmalloc(64), i, 64);
}

static void leaves_a_line_that_is_broken(void **state)
{
	(void)state;
	irq_get_irq_data(irq_create_mapping(rec_domain(8), 3))->hwirq = 4;
}

static void __attribute__((noinline)) breaks_a_rule(void)
{
	model_violation("toy model: register %u does not exist", 7);
}

static void leaves_a_violation(void **state)
{
	(void)state;
	breaks_a_rule();
}

static int teardown_fails(void **state) { (void)state; return -1; }

static const struct CMUnitTest *child_test;

static void run_group(void)
{
	_exit(_cmocka_run_group_tests("one", child_test, 1, NULL, NULL));
}

/* What the group of that one test prints, and how many failed. */
static int run(const struct CMUnitTest *test, char *out, size_t size)
{
	int status;

	child_test = test;
	status = in_child(run_group, out, size);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_test_fails_for_what_it_leaves(void **state)
{
	static const struct {
		struct CMUnitTest test;
		const char *says;	/* NULL: it passes */
	} cases[] = {
		{ cmocka_unit_test_setup(nothing, rec_setup), NULL },
		{ cmocka_unit_test(nothing), NULL },
		{ cmocka_unit_test_setup(leaves_a_block, rec_setup), "leaked" },
		{ cmocka_unit_test_setup(leaves_a_line_that_is_broken, rec_setup),
		  "irq_check: irq " },
		{ cmocka_unit_test(leaves_a_violation), "register 7 does not exist, by "
		  "breaks_a_rule" },
		{ cmocka_unit_test_teardown(nothing, teardown_fails), "" },
	};
	static char out[1 << 16];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		int failed = run(&cases[i].test, out, sizeof(out));

		if (failed != (cases[i].says != NULL) ||
		    (cases[i].says && !strstr(out, cases[i].says)))
			fail_msg("case %u: %d failed: %s", i, failed, out);
	}
}

static void a_violation_names_who_called_the_model(void **state)
{
	const char *text;

	(void)state;
	breaks_a_rule();
	text = model_violations();
	assert_non_null(strstr(text, "toy model: register 7 does not exist, by breaks_a_rule "
			       "(test-every-test.c:"));
	assert_non_null(strstr(text, " < a_violation_names_who_called_the_model"));
	assert_string_equal(model_violations(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_test_fails_for_what_it_leaves),
		cmocka_unit_test(a_violation_names_who_called_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
