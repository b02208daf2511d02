/* The context of a thread on the host: shared by switch.c, flow.c, idle.c and boot.c. */
#ifndef TESTS_HOST_SWITCH_H
#define TESTS_HOST_SWITCH_H

#include <ucontext.h>
#include "port.h"

struct host_context {
	void *jump[5];		/* where it was left: __builtin_setjmp() */
	bool fresh;		/* it was not, yet: begins with start */
	ucontext_t start;
	const void *bottom;	/* of the stack, for AddressSanitizer; a flow's is learnt */
	size_t size;
	void *fake_stack;
	void *tsan;		/* ThreadSanitizer's name for it */
};

#endif
