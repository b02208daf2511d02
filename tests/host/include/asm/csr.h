/*
 * riscv's control and status registers, for the drivers bound to that ISA: the five accesses of
 * arch/riscv64/include/asm/csr.h are functions over a model here. Each CPU has its own registers;
 * those that no model claims are plain words (port/csr.c).
 */
#ifndef ASM_CSR_H
#define ASM_CSR_H

#include <lib/types.h>

/* Supervisor traps and translation. [PRIV 4.1] */
#define CSR_SSTATUS		0x100
#define CSR_SIE			0x104
#define CSR_STVEC		0x105
#define CSR_SSCRATCH		0x140
#define CSR_SEPC		0x141
#define CSR_SCAUSE		0x142
#define CSR_STVAL		0x143
#define CSR_SIP			0x144
#define CSR_STIMECMP		0x14d	/* Sstc */
#define CSR_SATP		0x180

/* Supervisor interrupts of the Advanced Interrupt Architecture. [AIA 2.1, 3.7] */
#define CSR_SISELECT		0x150
#define CSR_SIREG		0x151
#define CSR_STOPEI		0x15c

/* Counters. */
#define CSR_CYCLE		0xc00
#define CSR_TIME		0xc01

/* sstatus. */
#define SSTATUS_SIE		0x002	/* interrupts are on */

#define SATP_MODE_SV39		(8ULL << 60)

/* scause: the top bit tells an interrupt; below it these, which are also bit numbers of sie, sip. */
#define SCAUSE_INTERRUPT	(1UL << 63)
#define IRQ_S_SOFT		1
#define IRQ_S_TIMER		5
#define IRQ_S_EXT		9

enum host_csr_op { CSR_OP_READ, CSR_OP_WRITE, CSR_OP_SET, CSR_OP_CLEAR };

/* One access of the calling CPU; returns the value before it. */
unsigned long host_csr(unsigned int csr, enum host_csr_op op, unsigned long v);

#define csr_read(csr)		host_csr(csr, CSR_OP_READ, 0)
#define csr_write(csr, v)	((void)host_csr(csr, CSR_OP_WRITE, v))
#define csr_swap(csr, v)	host_csr(csr, CSR_OP_WRITE, v)
#define csr_set(csr, bits)	((void)host_csr(csr, CSR_OP_SET, bits))
#define csr_clear(csr, bits)	((void)host_csr(csr, CSR_OP_CLEAR, bits))

#endif
