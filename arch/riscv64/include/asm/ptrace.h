/*
 * What the trap entry leaves on the stack of the interrupted flow, lowest address first.
 *
 * An interrupt saves only what a C function may change (ra, t0-t6, a0-a7) and epc, status, cause:
 * the handlers, being C functions, keep the rest. An exception saves everything. So tval, s0-s11,
 * gp, tp and sp of a struct pt_regs mean something only if it is an exception's.
 */
#ifndef ASM_PTRACE_H
#define ASM_PTRACE_H

#ifdef __ASSEMBLER__

#define PT_EPC		0
#define PT_STATUS	8
#define PT_CAUSE	16
#define PT_TVAL		24
#define PT_X(n)		(32 + 8 * ((n) - 1))	/* register x1 … x31 */
#define PT_SIZE		288

#else

struct pt_regs {
	unsigned long epc, status, cause, tval;
	unsigned long ra, sp, gp, tp;			/* x1 … x4 */
	unsigned long t0, t1, t2, s0, s1;		/* x5 … x9 */
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7;	/* x10 … x17 */
	unsigned long s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	unsigned long t3, t4, t5, t6;			/* x28 … x31 */
	unsigned long pad;				/* sp stays a multiple of 16 */
};

#endif
#endif
