/*
 * What the trap entry leaves on the stack of the interrupted flow, lowest address first.
 *
 * An interrupt saves only what a C function may change (x0-x18, lr) with pc and pstate: the
 * handlers, being C functions, keep the rest. An exception saves everything. So sp, esr, far and
 * x19-x28 of a struct pt_regs mean something only if vector is not 0.
 *
 * (fp, pc) is a frame record like those of functions, so that a walk along them passes the trap.
 * [AAPCS64 6.4.6]
 */
#ifndef ASM_PTRACE_H
#define ASM_PTRACE_H

#define VECTOR_SYNC	0x200	/* offsets in the table, from EL1 on its own stack [ARM D1.3.1] */
#define VECTOR_IRQ	0x280
#define VECTOR_FIQ	0x300
#define VECTOR_SERROR	0x380

#ifdef __ASSEMBLER__

#define PT_X(n)		(8 * (n))	/* x0 ... x17 */
#define PT_VECTOR	144
#define PT_X18		152
#define PT_LR		160
#define PT_PSTATE	168
#define PT_FP		176
#define PT_PC		184
#define PT_SP		192
#define PT_ESR		200
#define PT_FAR		208
#define PT_X19		216		/* ... x28 */
#define PT_SIZE		304

#else

struct pt_regs {
	unsigned long x[18];
	unsigned long vector;		/* offset in the vector table; 0: an interrupt */
	unsigned long x18;
	unsigned long lr, pstate;
	unsigned long fp, pc;
	unsigned long sp, esr, far;
	unsigned long x19[10];
	unsigned long pad;		/* sp stays a multiple of 16 */
};

#endif
#endif
