/* A flow: an OS thread of the program that acts as a CPU. Shared by flow.c and idle.c. */
#ifndef TESTS_HOST_FLOW_H
#define TESTS_HOST_FLOW_H

#include "switch.h"

struct flow {
	struct thread thread;
	struct host_context ctx;
	struct thread *displaced;	/* what the CPU ran before the flow came */
	struct thread *deferred;	/* waits in host_run_deferred() */
	unsigned long irq_flags[16];	/* of host_irq_enter() */
	unsigned int irq_nesting;
	bool acting;
	bool idle;			/* in time_goes_on(): nothing left to do for it */
	int tid;			/* the host's name for the OS thread */
	unsigned long *activity;	/* its host_activity */
	bool *irqs_on;			/* its host_irqs_on */
	unsigned long seen;		/* that, when others last looked */
	u64 looked_at, seen_at;		/* real clock, ms: last look; last sign of life */
};

extern __thread struct flow flow;

void host_flow_reset(void);
/* True if every other flow waits, or is outside the kernel (in pthread_join(), say). */
bool host_flows_quiet(void);
/* Takes a CPU that no flow uses, for a visit; false if there is one. And gives it back. */
bool host_borrow(struct cpu *cpu);
void host_return(struct cpu *cpu);

#endif
