/*
 * Control and status registers: the five ways to touch one. [PRIV 2.2] [AIA 2.1]
 *
 * The number must be a constant, as it is part of the instruction. The host port has a header of
 * the same name in which the five are functions over a model of the registers.
 */
#ifndef ASM_CSR_H
#define ASM_CSR_H

#include <asm/csr-numbers.h>

#ifndef __ASSEMBLER__

#define csr_read(csr) ({								\
	unsigned long v_;								\
	__asm__ volatile("csrr %0, %1" : "=r"(v_) : "i"(csr) : "memory");		\
	v_; })
#define csr_write(csr, v) \
	__asm__ volatile("csrw %0, %1" : : "i"(csr), "rK"((unsigned long)(v)) : "memory")
/* Writes V, returns what was there. */
#define csr_swap(csr, v) ({								\
	unsigned long v_;								\
	__asm__ volatile("csrrw %0, %1, %2"						\
			 : "=r"(v_) : "i"(csr), "rK"((unsigned long)(v)) : "memory");	\
	v_; })
#define csr_set(csr, bits) \
	__asm__ volatile("csrs %0, %1" : : "i"(csr), "rK"((unsigned long)(bits)) : "memory")
#define csr_clear(csr, bits) \
	__asm__ volatile("csrc %0, %1" : : "i"(csr), "rK"((unsigned long)(bits)) : "memory")

#endif
#endif
