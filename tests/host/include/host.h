/*
 * The contract of the null port: how a C program of the host drives the real core with mock chips.
 *
 *	cc -I. -Itests/host/include prog.c build/host/libcascade.a
 *
 * Time is virtual and nothing happens behind the caller's back: interrupts are what the program
 * delivers between host_irq_enter() and host_irq_exit(); softirqs run at the outermost
 * host_irq_exit(); threads and timers run in host_run_deferred(), or when the caller blocks (then
 * everything else runs until it is woken, and time jumps to the next timer when nothing can; if
 * nothing is left to happen either, that is a deadlock, named on stderr, and the process aborts).
 * Several OS threads may act as different CPUs at the same time.
 */
#ifndef HOST_H
#define HOST_H

#include <lib/types.h>

/* A clean core with CPUs 0 … NCPUS - 1 online; the caller acts as CPU 0, in a thread, interrupts
 * on. Callable again: all kernel state is as new, the heap is empty. No other OS thread may act
 * as a CPU at the time. */
void host_init(unsigned int ncpus);

/* The calling OS thread acts as that CPU from now on. Not between irq enter and exit. */
void host_set_cpu(unsigned int cpu);

/* What an interrupt entry and exit do: interrupts off, the core's irq_enter(); and back. Nests. */
void host_irq_enter(void);
void host_irq_exit(void);

/* Runs softirqs, woken threads and due timers of every CPU that no other OS thread acts as, until
 * nothing is left to do at this instant. Thread context. */
void host_run_deferred(void);

/* Moves the clock; what becomes due runs in the next host_run_deferred(). */
void host_advance(u64 ns);

/* The n-th following allocation fails (1: the next one), once; -1: none will. */
void host_fail_after(long n);

/* Bytes allocated now (heap, pages, thread stacks). */
size_t host_bytes_live(void);

/* What was logged since the last call; valid until the next one. */
const char *host_printk(void);

#endif
