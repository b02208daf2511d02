/*
 * aarch64's system registers, for the drivers bound to that ISA: the accesses of
 * arch/aarch64/include/asm/sysreg.h are functions over a model here, which knows a register by its
 * name. One that no model claims ends the program as the instruction would (port/csr.c).
 */
#ifndef ASM_SYSREG_H
#define ASM_SYSREG_H

#include <lib/types.h>

#define ICC_SRE_SRE		1

/* One access of the calling CPU; a read ignores V. */
u64 host_sysreg(const char *name, bool write, u64 v);

#define read_sysreg(reg)	host_sysreg(#reg, false, 0)
#define write_sysreg(v, reg)	((void)host_sysreg(#reg, true, v))
#define sysreg_read(reg)	read_sysreg(reg)
#define sysreg_write(reg, v)	write_sysreg(v, reg)

/* A model hears of them as writes to registers of these names. */
void host_sysreg_barrier(const char *name);
#define isb()			host_sysreg_barrier("isb")
#define dsb(domain)		host_sysreg_barrier("dsb")

#endif
