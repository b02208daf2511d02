/* For the tests that a model catches what it names: a table of functions that each break one rule. */
#ifndef TESTS_HOST_VIOLATION_H
#define TESTS_HOST_VIOLATION_H

struct violation {
	const char *name;
	void (*fn)(void);
	const char *text;	/* what the model says, or a part of it */
};
#define VIOLATION(fn, text) { #fn, fn, text }

/* Each FN, after FRESH, makes the model note exactly one violation, which has TEXT in it and names
 * FN as a caller. */
void assert_violations(const struct violation *v, unsigned int nr, void (*fresh)(void));

#endif
