/*
 * Traps, in C: interrupts go to the root controller's driver, everything else ends the kernel with
 * a decoded report, as the kernel itself never faults on purpose.
 *
 *	ESR_EL1   31:26 EC, the class   25 IL   24:0 ISS, what the class has to say [ARM ESR_EL1]
 *	an abort's ISS   6 WnR, a write   5:0 what went wrong, for most faults with a table level
 */
#include <asm/layout.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/softirq.h>
#include <kernel/thread.h>
#include <kernel/trace.h>
#include <stdio.h>

#define ESR_EC(esr)	((esr) >> 26 & 0x3f)
#define ISS_WNR		0x40
#define ISS_FAULT(esr)	((esr) & 0x3f)

#define EC_INSN_ABORT	0x21
#define EC_DATA_ABORT	0x25

void do_irq(struct pt_regs *regs);
void __noreturn do_trap(struct pt_regs *regs);

/* ---- Interrupts ----------------------------------------------------------------------------- */

static void __attribute__((noinline)) do_irq_traced(struct pt_regs *regs)
{
	station(ST_TRAP, 0, NULL, 0, regs->pc);
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

/* ---- Exceptions ----------------------------------------------------------------------------- */

static const char *const class_names[64] = {
	[0x00] = "undefined instruction",
	[0x01] = "trapped WFI or WFE",
	[0x07] = "floating-point or SIMD instruction",
	[0x0d] = "branch target exception",
	[0x0e] = "illegal execution state",
	[0x15] = "SVC instruction",
	[0x16] = "HVC instruction",
	[0x17] = "SMC instruction",
	[0x18] = "trapped system register access",
	[0x19] = "SVE instruction",
	[0x1d] = "SME instruction",
	[0x20] = "instruction abort in EL0",
	[EC_INSN_ABORT] = "instruction abort",
	[0x22] = "misaligned pc",
	[0x24] = "data abort in EL0",
	[EC_DATA_ABORT] = "data abort",
	[0x26] = "misaligned sp",
	[0x2f] = "SError",
	[0x31] = "hardware breakpoint",
	[0x33] = "software step",
	[0x35] = "watchpoint",
	[0x3c] = "BRK instruction",
};

static const char *const fault_names[16] = {	/* bits 5:2; bits 1:0 are the table level */
	[0] = "address size fault",
	[1] = "translation fault",
	[2] = "access flag fault",
	[3] = "permission fault",
	[5] = "external abort on a table walk",
	[7] = "parity or ECC error on a table walk",
};

/* What ISS says of an abort, into BUF; those without a level have codes of their own. */
static void describe_fault(char *buf, size_t size, unsigned long esr)
{
	unsigned int code = ISS_FAULT(esr);
	const char *name = fault_names[code >> 2];

	if (name)
		snprintf(buf, size, "%s, level %u", name, code & 3);
	else if (code == 0x10)
		snprintf(buf, size, "external abort");
	else if (code == 0x18)
		snprintf(buf, size, "parity or ECC error");
	else if (code == 0x21)
		snprintf(buf, size, "alignment fault");
	else if (code == 0x30)
		snprintf(buf, size, "TLB conflict");
	else
		snprintf(buf, size, "fault code 0x%x", code);
}

static void describe_exception(char *buf, size_t size, const struct pt_regs *regs)
{
	unsigned int class = ESR_EC(regs->esr);
	const char *name = class_names[class];
	char fault[48];

	if (!name) {
		snprintf(buf, size, "unknown exception (class 0x%x, esr 0x%lx)", class, regs->esr);
	} else if (class == EC_DATA_ABORT || class == EC_INSN_ABORT) {
		describe_fault(fault, sizeof(fault), regs->esr);
		snprintf(buf, size, "%s: %s%s (esr 0x%lx, far 0x%lx)", name,
			 class == EC_INSN_ABORT ? "" : regs->esr & ISS_WNR ? "write, " : "read, ",
			 fault, regs->esr, regs->far);
	} else {
		snprintf(buf, size, "%s (esr 0x%lx)", name, regs->esr);
	}
}

/* The entry code puts a frame on top of the emergency stack only when it cannot be at sp. */
static bool is_overflow(const struct pt_regs *regs)
{
	return (unsigned long)(regs + 1) == this_cpu()->emergency_sp;
}

static void describe_overflow(char *buf, size_t size, unsigned long sp)
{
	const struct thread *thread = current_thread();
	unsigned long stack = (unsigned long)(thread ? thread->stack : arch_boot_stack());
	bool near = sp + PAGE_SIZE >= stack && sp < stack + STACK_SIZE;

	snprintf(buf, size, "%s in thread %s (sp 0x%lx)",
		 near ? "kernel stack overflow" : "sp is not on the stack",
		 thread ? thread->name : "boot", sp);
}

void do_trap(struct pt_regs *regs)
{
	char what[160];

	if (is_overflow(regs))
		describe_overflow(what, sizeof(what), regs->sp);
	else if (regs->vector == VECTOR_SYNC || regs->vector == VECTOR_SERROR)
		describe_exception(what, sizeof(what), regs);
	else
		snprintf(what, sizeof(what), "unexpected exception, vector 0x%lx (esr 0x%lx)",
			 regs->vector, regs->esr);
	do_bad_trap(regs, what);
}

void arch_show_regs(const struct pt_regs *r)
{
	const unsigned long *x = r->x, *y = r->y - 19;		/* y[19] ... y[29] */

	printk("pc  %016lx  lr  %016lx  sp  %016lx\n", r->pc, r->lr, r->sp);
	printk("pstate %lx  esr %lx  far %lx  vector %lx\n", r->pstate & ~PSTATE_FULL, r->esr,
	       r->far, r->vector);
	printk("x0  %016lx  x1  %016lx  x2  %016lx  x3  %016lx\n", x[0], x[1], x[2], x[3]);
	printk("x4  %016lx  x5  %016lx  x6  %016lx  x7  %016lx\n", x[4], x[5], x[6], x[7]);
	printk("x8  %016lx  x9  %016lx  x10 %016lx  x11 %016lx\n", x[8], x[9], x[10], x[11]);
	printk("x12 %016lx  x13 %016lx  x14 %016lx  x15 %016lx\n", x[12], x[13], x[14], x[15]);
	printk("x16 %016lx  x17 %016lx  x18 %016lx\n", x[16], x[17], x[18]);
	printk("x19 %016lx  x20 %016lx  x21 %016lx  x22 %016lx\n", y[19], y[20], y[21], y[22]);
	printk("x23 %016lx  x24 %016lx  x25 %016lx  x26 %016lx\n", y[23], y[24], y[25], y[26]);
	printk("x27 %016lx  x28 %016lx  x29 %016lx\n", y[27], y[28], y[29]);
}
