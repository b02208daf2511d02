/*
 * What holds at the end of every test of every program, whether the test thinks of it or not: the
 * linker puts the function below in front of cmocka's (--wrap). A test fails that leaves the irq
 * core in a state that irq_check() finds fault with, a violation of a model's rules, or memory that
 * nobody can reach any more.
 */
#include <kernel/irqdesc.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

extern unsigned int host_ncpus;		/* 0: the program has not asked for a core */

/* AddressSanitizer's, if the program is linked with it. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
				   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
				   CMFixtureFunction setup, CMFixtureFunction teardown);

static const struct CMUnitTest *now;

static int before(void **state)
{
	now = *state;
	*state = now->initial_state;
	return now->setup_func ? now->setup_func(state) : 0;
}

static void report(void *arg, const char *text)
{
	(void)arg;
	print_error("irq_check: %s\n", text);
}

static int after(void **state)
{
	int ret = now->teardown_func ? now->teardown_func(state) : 0;
	const char *violations = model_violations();

	if (host_ncpus && irq_check(report, NULL))
		ret = -1;
	if (*violations) {
		print_error("%s", violations);
		ret = -1;
	}
	if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check())
		ret = -1;
	return ret;
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
				   CMFixtureFunction setup, CMFixtureFunction teardown)
{
	struct CMUnitTest *all = malloc(nr * sizeof(*all));
	int failed;

	for (size_t i = 0; i < nr; i++)
		all[i] = (struct CMUnitTest){ tests[i].name, tests[i].test_func, before, after,
					      (void *)&tests[i] };
	failed = __real__cmocka_run_group_tests(name, all, nr, setup, teardown);
	free(all);
	return failed;
}
