/*
 * What tests of every interrupt controller claim about CPUs: they came up, calls reach them, and
 * when a line moves among them while all really run at the same time, no interrupt is lost.
 */
#ifndef TESTS_HOST_CPUS_H
#define TESTS_HOST_CPUS_H

#include <lib/types.h>

unsigned int effective_cpu(unsigned int irq);

/* NCPUS CPUs are online, and the log has neither an error nor a warning. */
void assert_booted(unsigned int ncpus);
/* A function that the caller's CPU sends to CPU has run there. */
void assert_call_reaches(unsigned int cpu);

/*
 * CPUs 1 … NCPUS - 1 and a device are OS threads; the caller is CPU 0, and moves IRQ to any of them
 * again and again. The device CAUSEs TIMES interrupts, each when the one before has ARRIVED: true
 * if N have. Ends the program if one does not within 10 seconds; returns how many moves were made.
 */
unsigned int run_freely(unsigned int irq, unsigned int ncpus, unsigned int times,
			void (*cause)(void), bool (*arrived)(unsigned int n));

#endif
