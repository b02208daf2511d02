/*
 * Devices on the wires of the board's PLIC or APLIC. Each is served by its handler: it has a wish,
 * and holds its wire up until the handler has seen to it. Any OS thread may make a wish.
 */
#ifndef TESTS_HOST_WIRED_H
#define TESTS_HOST_WIRED_H

#include <kernel/interrupt.h>

#define WIRED		8
#define SOURCE(n)	(30 + (n))

extern struct wired {
	unsigned int irq, runs, ran_on;		/* the handler's */
	unsigned int wish;
	bool in_vain;				/* the handler has run without a wish */
} wired[WIRED];
/* Called by each handler before it serves; NULL: nothing is. wired_init() forgets it. */
extern void (*wired_in_handler)(unsigned int n);

/* The model's function that moves a source's wire. All devices are as new. */
void wired_init(void (*wire)(unsigned int source, bool level));
/* Maps device N's source and requests its irq, which it returns. */
unsigned int wired_device(unsigned int n, u32 type);
/* Their handler, whose cookie is N. */
irqreturn_t wired_serve(int irq, void *n);
void wired_wish(unsigned int n);
/* A wish of N is fulfilled; returns by how many runs of the handler. */
unsigned int wired_comes(unsigned int n);
/* The wishes of all devices, made while interrupts are off, are fulfilled by one run each. */
void wired_all_come(void);

/* traffic_at_random() (traffic.h) on their sources, which nobody has requested; every other one an
 * edge if EDGES. */
void wired_at_random(bool edges);
/* run_freely() (cpus.h) with the first device and its line. */
unsigned int wired_freely(unsigned int times);
/* A mapping needs memory, and without leaves nothing behind. */
void line_without_memory_leaves_nothing(void **state);

#endif
