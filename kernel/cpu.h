/*
 * struct cpu: what one CPU knows about itself, reached through one register (this_cpu()).
 * The entry code uses the first fields by offset; arch code asserts these.
 */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include <kernel/arch.h>
#include <kernel/cpumask.h>
#include <kernel/spinlock.h>
#include <lib/list.h>

struct trace_ring;

#define NR_PRIOS	4

struct cpu {
	unsigned long stack_limit;	/*  0: lowest sp at which entry may push a frame */
	unsigned long emergency_sp;	/*  8: top of the stack for when that is passed */
	u64 hwid;			/* 16: hart id or MPIDR */
	u32 id;				/* 24: logical number */
	u32 irq_depth;			/* 28: nesting of irq_enter(), 0 in a thread */
	u32 softirq_pending;		/* 32: bit n: softirq n is raised */
	bool need_resched;		/* 36: switch at the outermost irq exit */
	bool trace_on;			/* 37: stations of this CPU record */
	u8 in_softirq;			/* softirqs run, or a thread keeps them off: nesting */
	bool online;
	struct thread *current;
	struct thread *idle;
	void *irqchip;			/* what the controller that interrupts it keeps for it: */
	u32 nr_irqchip;			/* ... a table, of so many entries */
	struct trace_ring *trace;

	spinlock_t rq_lock;		/* protects the two below; taken from any CPU */
	u32 rq_bitmap;			/* bit p: queue[p] is not empty */
	struct list_head queue[NR_PRIOS];

	spinlock_t timer_lock;		/* protects the list below; taken from any CPU */
	struct list_head timers;	/* struct timer, earliest first */
	u64 timer_programmed;		/* ns, last given to the clock; U64_MAX: none */
	struct timer *tick;		/* round-robin tick, armed while a peer waits */
	u64 heartbeat;			/* ns of the last sign of life, for the watchdog */
	struct thread *ksoftirqd;
	bool slice_over;		/* the tick has come: a peer's turn */
	u64 switches;			/* thread switches, for the watchdog */
	u32 leaving;			/* enum cpu_leaving of <kernel/smp.h> */
};

extern struct cpu cpus[NR_CPUS];

/* The logical number of this CPU. Stable with irqs off or in a pinned thread (all are pinned). */
static __always_inline unsigned int smp_processor_id(void)
{
	return this_cpu()->id;
}

/* True while handling an interrupt or a softirq on this CPU, or with softirqs kept off. */
static __always_inline bool in_interrupt(void)
{
	return this_cpu()->irq_depth || this_cpu()->in_softirq;
}

#endif
