/* Backtraces without frame pointers: what arch_backtrace() gives and gets (unwind.c). */
#ifndef KERNEL_UNWIND_H
#define KERNEL_UNWIND_H

#include <kernel/arch.h>

enum insn_kind {
	INSN_OTHER,
	INSN_SAVE_RA,		/* the return address goes to sp + imm, sp_add being done */
	INSN_LOAD_RA,		/* and comes back */
	INSN_BRANCH,		/* perhaps to pc + imm */
	INSN_JUMP,		/* to pc + imm */
	INSN_LEAVE,		/* return, jump to a register, trap: not on to the next one */
};

/* An instruction, as far as a function's frame is concerned. */
struct insn {
	enum insn_kind kind;
	unsigned int length;	/* bytes */
	long imm;
	long sp_add;		/* what it adds to sp, 0 for most */
};

/* What the unwinder must be told about an instruction set. */
struct unwinder {
	struct insn (*decode)(unsigned long addr);
	/* The return address while no function has saved it yet. */
	unsigned long (*regs_ra)(const struct pt_regs *regs);
	/* Return addresses in the trap entry: there, sp points to a struct pt_regs. */
	const char *irq_return, *exception_return;
};

/* A place in a flow of control, on the way from callee to caller. */
struct walk {
	unsigned long pc, sp;
	unsigned long ra;	/* its value while the function has not saved it; 0: unknown */
	bool exact;		/* pc is an instruction, not a return address */
};

/* Reports what called the function that FROM is in; or, if REGS is not NULL, REGS and what called
 * that. Any context. */
void unwind(const struct unwinder *u, const struct walk *from, const struct pt_regs *regs,
	    backtrace_fn put, void *arg);

#endif
