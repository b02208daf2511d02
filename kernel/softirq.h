/*
 * The outermost edge of an interrupt, inline: the trap code pays for softirqs and thread switches
 * only when there are any. Others use irq_enter() and irq_exit() of <kernel/irq.h>.
 */
#ifndef KERNEL_SOFTIRQ_H
#define KERNEL_SOFTIRQ_H

#include <kernel/cpu.h>

/* Runs pending softirqs, then switches threads if asked to. Irqs off, outermost level. */
void irq_exit_work(struct cpu *cpu);

/* A CPU's ksoftirqd: 0 or -ENOMEM. Boot thread; softirq_init() does it for the boot CPU. */
int softirq_init_cpu(struct cpu *cpu);

static __always_inline void irq_enter_inline(void)
{
	this_cpu()->irq_depth++;
}

static __always_inline void irq_exit_inline(void)
{
	if (--this_cpu()->irq_depth == 0 &&
	    unlikely(this_cpu()->softirq_pending || this_cpu()->need_resched))
		irq_exit_work(this_cpu());
}

#endif
