/*
 * Backtraces along frame records. Every function that calls another one pushes (its caller's x29,
 * its return address) and points x29 to that; so does the trap entry, with (x29, pc) of what it
 * interrupted, inside its struct pt_regs. [AAPCS64 6.4.6]
 *
 *	x29 -> | x29 | lr |  do_irq
 *	         |      trap_irq_return: the next record is part of a struct pt_regs
 *	         +--> | x29 | pc |  what was interrupted
 *	                 +--> | x29 | lr |  its caller … 0
 *
 * A function interrupted before it has pushed a record, or that never does, is the one case in
 * which the next return address is in lr: its instructions up to the pc tell. Only stack memory is
 * read, and only after a check, so that a corrupt stack ends the walk and nothing else.
 */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/thread.h>

#define MAX_FRAMES	1000

extern char trap_irq_return[], trap_exception_return[], boot_stack[];

struct record {
	unsigned long fp, pc;
};

static bool within(unsigned long addr, size_t size, unsigned long start, size_t length)
{
	return addr >= start && addr - start <= length - size;
}

/* Is [addr, addr + size) on a stack of this CPU? */
static bool on_stack(unsigned long addr, size_t size)
{
	const struct cpu *cpu = this_cpu();
	unsigned long stack = (unsigned long)(cpu->current ? cpu->current->stack : boot_stack);

	return !(addr & 7) &&
	       (within(addr, size, stack, STACK_SIZE) ||
		within(addr, size, cpu->emergency_sp - STACK_SIZE, STACK_SIZE));
}

/*
 * Does x29 point to the record of the function that PC is in? It does from `add x29, sp, …' (or
 * `mov') on, up to `ldp x29, x30, …', both of which a function may have more than once.
 */
static bool has_record(unsigned long pc)
{
	unsigned long offset;
	bool has = false;

	if (!symbol_lookup(pc, &offset))
		return false;			/* a call went astray */
	for (const u32 *insn = (const u32 *)(pc - offset); insn < (const u32 *)pc; insn++) {
		if ((*insn & 0xffc003ff) == 0x910003fd)			/* add x29, sp, imm */
			has = true;
		else if ((*insn & 0xfe407fff) == 0xa8407bfd)		/* ldp x29, x30, [sp …] */
			has = insn + 2 < (const u32 *)pc;		/* gone until the ret */
	}
	return has;
}

/* Reports REGS' function and, where that has no record, its caller. */
static bool put_regs(const struct pt_regs *regs, const char *note, backtrace_fn put, void *arg)
{
	if (!put(arg, regs->pc, note))
		return false;
	return has_record(regs->pc) || !symbol_lookup(regs->lr - 1, NULL) ||
	       put(arg, regs->lr, NULL);
}

void arch_backtrace(const struct pt_regs *regs, backtrace_fn put, void *arg)
{
	unsigned long fp = regs ? regs->fp : (unsigned long)__builtin_frame_address(0);

	if (regs && !put_regs(regs, "here", put, arg))
		return;
	for (int i = 0; i < MAX_FRAMES && on_stack(fp, sizeof(struct record)); i++) {
		const struct record *record = (const struct record *)fp;

		fp = record->fp;
		if (!symbol_lookup(record->pc - 1, NULL) || !put(arg, record->pc, NULL))
			break;
		if (record->pc != (unsigned long)trap_irq_return &&
		    record->pc != (unsigned long)trap_exception_return)
			continue;
		regs = container_of((const unsigned long *)fp, struct pt_regs, fp);
		if (!on_stack((unsigned long)regs, sizeof(*regs)) ||
		    !put_regs(regs, "interrupted", put, arg))
			break;
		fp = regs->fp;
	}
}
