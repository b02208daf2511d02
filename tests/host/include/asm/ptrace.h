/* The null port's trap frame: what portable code and the root chips of our ISAs look at. */
#ifndef ASM_PTRACE_H
#define ASM_PTRACE_H

struct pt_regs {
	unsigned long epc, sp;
	unsigned long cause;		/* riscv: scause */
};

#endif
