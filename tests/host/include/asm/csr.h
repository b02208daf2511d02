/*
 * riscv's control and status registers, for the drivers bound to that ISA: the five accesses of
 * arch/riscv64/include/asm/csr.h are functions over a model here. Each CPU has its own registers;
 * those that no model claims are plain words (port/csr.c).
 */
#ifndef ASM_CSR_H
#define ASM_CSR_H

#include <arch/riscv64/include/asm/csr-numbers.h>
#include <lib/types.h>

enum host_csr_op { CSR_OP_READ, CSR_OP_WRITE, CSR_OP_SET, CSR_OP_CLEAR };

/* One access of the calling CPU; returns the value before it. */
unsigned long host_csr(unsigned int csr, enum host_csr_op op, unsigned long v);

#define csr_read(csr)		host_csr(csr, CSR_OP_READ, 0)
#define csr_write(csr, v)	((void)host_csr(csr, CSR_OP_WRITE, v))
#define csr_swap(csr, v)	host_csr(csr, CSR_OP_WRITE, v)
#define csr_set(csr, bits)	((void)host_csr(csr, CSR_OP_SET, bits))
#define csr_clear(csr, bits)	((void)host_csr(csr, CSR_OP_CLEAR, bits))

#endif
