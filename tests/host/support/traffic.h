/*
 * Interrupts of several lines at random, on one OS thread, so that the order of events is the
 * seed's: they are raised with interrupts on and off, while lines move, are disabled to any depth,
 * given up and requested again, and the CPUs send each other calls. None may be lost.
 */
#ifndef TESTS_HOST_TRAFFIC_H
#define TESTS_HOST_TRAFFIC_H

#include <lib/types.h>

#define TRAFFIC_LINES	16

struct traffic {
	unsigned int lines, cpus, steps;
	unsigned int irq[TRAFFIC_LINES];	/* mapped, not requested */
	void (*raise)(unsigned int n);		/* when its last one has been handled */
	void (*served)(unsigned int n);		/* by the handler; NULL: nothing to do */
	bool inject;				/* by software too */
};

/* In the end all lines are quiet, and free again. */
void traffic_at_random(const struct traffic *t);

#endif
