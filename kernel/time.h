/* Time since boot, and timers. The clock device (a per-CPU irq) is a driver: drivers/timer. */
#ifndef KERNEL_TIME_H
#define KERNEL_TIME_H

#include <kernel/cpu.h>

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL
#define NSEC_PER_USEC	1000ULL
#define TIME_NEVER	(~0ULL)

void time_init(void);		/* fixes the scale of the counter; after the tree is read */
void timers_init(void);		/* empty lists on every CPU; boot CPU, before threads */
/* This CPU's clock has been started: sets it for timers that were armed before. */
void timers_start_cpu(void);
u64 ktime_get_ns(void);		/* since time_init(); any context */
u64 ktime_of(u64 counter);	/* ktime_get_ns() when arch_counter() had that value */
void udelay(unsigned int us);	/* busy; any context */

/*
 * A timer fires once, in softirq context, on the CPU that armed it. The owner keeps the object
 * alive until it has fired or timer_cancel() has returned.
 */
struct timer {
	struct list_head link;
	u64 expires;			/* ns */
	void (*fn)(struct timer *timer);
	struct cpu *cpu;		/* where it is queued; NULL: nowhere */
};

void timer_init(struct timer *timer, void (*fn)(struct timer *timer));
/* (Re)arms for that instant; in the past means at once. Any context. */
void timer_arm(struct timer *timer, u64 expires);
/* Unqueues; true if it had not fired. The function may still be running on another CPU. */
bool timer_cancel(struct timer *timer);
/* The timers of a CPU that has stopped go on on the calling one. Thread context. */
void timers_take_over(struct cpu *from);

/*
 * The clock device. A driver registers one for all CPUs: set() makes this CPU's timer interrupt
 * fire at that instant of arch_counter(), or never for ~0. Irqs off.
 */
struct clock_device {
	const char *name;
	void (*set)(u64 counter);
};
void clock_register(const struct clock_device *dev);
bool clock_present(void);
/* No more timer interrupts on this CPU, until it arms a timer. Irqs off. */
void clock_stop(void);
/* The driver's irq handler calls this: hands expired timers to the softirq. Irq context. */
void clock_tick(void);

#endif
