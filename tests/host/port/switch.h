/* The context of a thread on the host: shared by switch.c and sched.c. */
#ifndef TESTS_HOST_SWITCH_H
#define TESTS_HOST_SWITCH_H

#include <ucontext.h>
#include "port.h"

struct host_context {
	ucontext_t uc;
	const void *bottom;	/* of the stack, for AddressSanitizer; a flow's is learnt */
	size_t size;
	void *fake_stack;
};

#endif
