/* CPUs: found in the device tree, started, called. */
#ifndef KERNEL_SMP_H
#define KERNEL_SMP_H

#include <kernel/cpu.h>

/* Reads /cpus: numbers the boot CPU 0 and the others in tree order; fills cpus[] and the possible
 * mask. Boot CPU, once; the caller's own hwid is cpus[0].hwid, set by arch code. */
void smp_init_cpus(void);

/* Starts every other possible CPU; each must report within a bounded time or is named and left
 * out. Boot thread. Called once all controllers and the timer are there. */
void smp_boot_cpus(void);
/* Starts one of them, also again. 0, or why not. Thread context. */
int smp_start_cpu(unsigned int cpu);

/* Logical number of the CPU with that hardware id, or -ENODEV. Any context. */
int cpu_by_hwid(u64 hwid);

/*
 * Registers what each CPU runs on itself, irqs off: UP while it comes up (controllers enable their
 * per-CPU part, timers start), in order of registration, and at once on the calling CPU; DOWN, or
 * nothing if it is NULL, in reverse order as the last before the CPU stops, when no thread, timer
 * or line that can move is its own any more. Boot thread only. (Linux: cpuhp_setup_state())
 */
void cpu_hooks(const char *name, void (*up)(unsigned int cpu), void (*down)(unsigned int cpu));
/* The DOWN of each. A CPU that stops. */
void cpu_run_down_hooks(void);

/*
 * Stops CPU: 0; -EINVAL: there is none, or it is the boot CPU; -EBUSY: threads are bound to it;
 * -ETIMEDOUT: it does not get round to it. Its lines move to others, managed ones sleep until it
 * is back. Starts it again: 0, or why it does not come up. Of a CPU that already is what it is to
 * become: 0. Thread context on another CPU.
 */
int cpu_offline(unsigned int cpu);
int cpu_online(unsigned int cpu);

/* A CPU that is to stop: asked by another, decided and done by its own idle thread. */
enum cpu_leaving { CPU_STAYS, CPU_ASKED, CPU_GOING, CPU_LEFT };
/* The calling CPU has been asked and has no runnable thread: stops it if it may. Idle, irqs off. */
void cpu_leave(void);
/* Between these no CPU calls another one by the function below. Thread context. */
void smp_hold_calls(void);
void smp_release_calls(void);

/* Runs FN(ARG) on CPU in interrupt context and waits for it; 0, or -ENXIO if it is offline, or
 * -ETIMEDOUT. Thread context, irqs on. */
int smp_call_function_single(unsigned int cpu, void (*fn)(void *arg), void *arg);

/* What IPI_CALL does on its target. Irq context. */
void smp_call_ipi(void);

/* Makes CPU look for a better thread soon. Any context. */
void smp_send_reschedule(unsigned int cpu);

#endif
