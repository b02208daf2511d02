/*
 * What the trap entry leaves on the stack of the interrupted flow, lowest address first.
 *
 * An interrupt saves only what a C function may change (x0-x18, lr) with pc and pstate: the
 * handlers, being C functions, keep the rest. An exception saves everything, and says so by a bit
 * of pstate that the CPU never sets. So x19-x29, sp, esr, far and vector of a struct pt_regs mean
 * something only with that.
 */
#ifndef ASM_PTRACE_H
#define ASM_PTRACE_H

#define PSTATE_FULL	0x8000000000000000	/* every register is there */

#define VECTOR_SYNC	0x200	/* offsets in the table, from EL1 on its own stack [ARM D1.3] */
#define VECTOR_IRQ	0x280
#define VECTOR_SERROR	0x380

#ifdef __ASSEMBLER__

#define PT_X(n)		(8 * (n))	/* x0 ... x18 */
#define PT_PSTATE	152
#define PT_LR		160
#define PT_PC		168
#define PT_Y(n)		(PT_PC + 8 * ((n) - 18))	/* x19 ... x29 */
#define PT_SP		264
#define PT_ESR		272
#define PT_FAR		280
#define PT_VECTOR	288
#define PT_SIZE		304

#else

struct pt_regs {
	unsigned long x[19];		/* x0 ... x18 */
	unsigned long pstate;
	unsigned long lr, pc;		/* x30, and where to go on */
	unsigned long y[11];		/* x19 ... x29 */
	unsigned long sp, esr, far;
	unsigned long vector;		/* offset in the vector table */
	unsigned long pad;		/* sp stays a multiple of 16 */
};

#endif
#endif
