/*
 * Softirqs: what interrupt handlers put off until interrupts are on again, on the same CPU.
 *
 *	irq_exit(), outermost -> do_softirq(): up to 10 rounds or 2 ms, then ksoftirqd goes on
 *
 * A softirq is never interrupted by a thread, only by interrupts, which do not start another one
 * (S-114). Raised in a thread, it is ksoftirqd's from the start. A CPU's pending bits are its own
 * and change with irqs off.
 */
#include <kernel/interrupt.h>
#include <kernel/printk.h>
#include <kernel/softirq.h>
#include <kernel/trace.h>

#define MAX_ROUNDS	10
#define MAX_NS		(2 * NSEC_PER_MSEC)

static void (*softirq_fn[NR_SOFTIRQS])(void);

void open_softirq(unsigned int nr, void (*fn)(void))
{
	softirq_fn[nr] = fn;
}

static void run_pending(struct cpu *cpu, u32 which)
{
	u32 pending = cpu->softirq_pending & which;

	cpu->softirq_pending &= ~which;
	station(ST_SOFTIRQ, 0, NULL, pending, 0);
	arch_local_irq_enable();
	for (unsigned int nr = 0; nr < NR_SOFTIRQS; nr++)
		if (pending >> nr & 1 && softirq_fn[nr])
			softirq_fn[nr]();
	arch_local_irq_disable();
	station(ST_EXIT, 0, NULL, 1, 0);
}

static void run_softirqs(struct cpu *cpu, u32 which)
{
	u64 end = ktime_get_ns() + MAX_NS;

	cpu->in_softirq++;
	for (int round = 0; round < MAX_ROUNDS && cpu->softirq_pending & which; round++) {
		run_pending(cpu, which);
		if (ktime_get_ns() > end)
			break;
	}
	if (cpu->softirq_pending && cpu->ksoftirqd)
		thread_wake(cpu->ksoftirqd);
	cpu->in_softirq--;
}

void do_softirq(void)
{
	if (this_cpu()->softirq_pending)
		run_softirqs(this_cpu(), ~0U);
}

void raise_softirq_irqoff(unsigned int nr)
{
	struct cpu *cpu = this_cpu();

	cpu->softirq_pending |= 1U << nr;
	if (!in_interrupt() && cpu->ksoftirqd)
		thread_wake(cpu->ksoftirqd);
}

void raise_softirq(unsigned int nr)
{
	unsigned long flags = arch_local_irq_save();

	raise_softirq_irqoff(nr);
	arch_local_irq_restore(flags);
}

void local_bh_disable(void)
{
	this_cpu()->in_softirq++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

void local_bh_enable(void)
{
	struct cpu *cpu = this_cpu();
	unsigned long flags;

	WARN_ON(arch_irqs_disabled());
	flags = arch_local_irq_save();
	if (!--cpu->in_softirq && !cpu->irq_depth) {
		do_softirq();
		if (cpu->need_resched)
			schedule();
	}
	arch_local_irq_restore(flags);
}

/* ---- The edge of an interrupt --------------------------------------------------------------- */

void irq_exit_work(struct cpu *cpu)
{
	if (cpu->in_softirq)
		return;
	/* Timers are the scheduler's tick: ksoftirqd could wait for ever for its turn. */
	if (cpu->softirq_pending)
		run_softirqs(cpu, force_irqthreads() ? 1U << TIMER_SOFTIRQ : ~0U);
	if (cpu->need_resched)
		schedule();
}

void irq_enter(void)
{
	irq_enter_inline();
}

void irq_exit(void)
{
	irq_exit_inline();
}

/* ---- ksoftirqd ------------------------------------------------------------------------------ */

static int ksoftirqd(void *arg)
{
	struct cpu *cpu = arg;

	while (!thread_should_stop()) {
		thread_block(TIME_NEVER);
		arch_local_irq_disable();
		if (cpu->softirq_pending)
			do_softirq();
		if (cpu->need_resched)
			schedule();
		arch_local_irq_enable();
	}
	return 0;
}

int softirq_init_cpu(struct cpu *cpu)
{
	cpu->ksoftirqd = thread_create("ksoftirqd", ksoftirqd, cpu, PRIO_NORMAL, cpu->id);
	return cpu->ksoftirqd ? 0 : -ENOMEM;
}

void softirq_init(void)
{
	WARN_ON(softirq_init_cpu(this_cpu()));
}
