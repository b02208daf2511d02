/*
 * Traps, in C: interrupts go to the root controller's driver, everything else ends the kernel with
 * a decoded report, as the kernel itself never faults on purpose. [PRIV 4.1.8]
 */
#include <asm/layout.h>
#include <kernel/printk.h>
#include <kernel/softirq.h>
#include <kernel/thread.h>
#include <kernel/trace.h>
#include <stdio.h>

void do_irq(struct pt_regs *regs);
void __noreturn do_trap(struct pt_regs *regs);

static void __attribute__((noinline)) do_irq_traced(struct pt_regs *regs)
{
	station(ST_TRAP, 0, NULL, regs->cause, regs->epc);
	handle_arch_irq(regs);
	station(ST_EXIT, 0, NULL, 0, 0);
}

void do_irq(struct pt_regs *regs)
{
	irq_enter_inline();
	if (unlikely(this_cpu()->trace_on))
		do_irq_traced(regs);
	else
		handle_arch_irq(regs);
	irq_exit_inline();
}

static const char *const exception_names[] = {
	[0] = "instruction address misaligned",
	[1] = "instruction access fault",
	[2] = "illegal instruction",
	[3] = "breakpoint",
	[4] = "load address misaligned",
	[5] = "load access fault",
	[6] = "store address misaligned",
	[7] = "store access fault",
	[8] = "environment call from user mode",
	[9] = "environment call from supervisor mode",
	[12] = "instruction page fault",
	[13] = "load page fault",
	[15] = "store page fault",
};

static const char *exception_name(unsigned long cause)
{
	const char *name = cause < ARRAY_SIZE(exception_names) ? exception_names[cause] : NULL;

	return name ? name : "unknown exception";
}

/* The entry code puts a frame on top of the emergency stack only when the other is full. */
static bool is_overflow(const struct pt_regs *regs)
{
	return (unsigned long)(regs + 1) == this_cpu()->emergency_sp;
}

void do_trap(struct pt_regs *regs)
{
	const struct thread *thread = current_thread();
	char what[128];

	if (is_overflow(regs)) {
		snprintf(what, sizeof(what), "kernel stack overflow in thread %s (sp 0x%lx)",
			 thread ? thread->name : "boot", regs->sp);
		regs->cause &= ~SCAUSE_INTERRUPT;	/* the frame is a full one, whatever came */
	} else {
		snprintf(what, sizeof(what), "%s (scause %lu, stval 0x%lx)",
			 exception_name(regs->cause), regs->cause, regs->tval);
	}
	do_bad_trap(regs, what);
}

void arch_show_regs(const struct pt_regs *r)
{
	printk("epc %016lx  sstatus %lx  scause %lx  stval %lx\n", r->epc, r->status, r->cause,
	       r->tval);
	printk("ra  %016lx  sp  %016lx  gp  %016lx  tp  %016lx\n", r->ra, r->sp, r->gp, r->tp);
	printk("t0  %016lx  t1  %016lx  t2  %016lx  t3  %016lx\n", r->t0, r->t1, r->t2, r->t3);
	printk("t4  %016lx  t5  %016lx  t6  %016lx\n", r->t4, r->t5, r->t6);
	printk("a0  %016lx  a1  %016lx  a2  %016lx  a3  %016lx\n", r->a0, r->a1, r->a2, r->a3);
	printk("a4  %016lx  a5  %016lx  a6  %016lx  a7  %016lx\n", r->a4, r->a5, r->a6, r->a7);
	printk("s0  %016lx  s1  %016lx  s2  %016lx  s3  %016lx\n", r->s0, r->s1, r->s2, r->s3);
	printk("s4  %016lx  s5  %016lx  s6  %016lx  s7  %016lx\n", r->s4, r->s5, r->s6, r->s7);
	printk("s8  %016lx  s9  %016lx  s10 %016lx  s11 %016lx\n", r->s8, r->s9, r->s10, r->s11);
}
