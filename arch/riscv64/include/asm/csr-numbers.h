/* Control and status registers: numbers and bits, for the kernel and for the host port's model. */
#ifndef ASM_CSR_NUMBERS_H
#define ASM_CSR_NUMBERS_H

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
#define SSTATUS_FS		0x6000	/* state of the floating-point unit: 0 is off */

#define SATP_MODE_SV39		(8ULL << 60)

/* scause: the top bit tells an interrupt; below it these, also bit numbers of sie and sip. */
#define SCAUSE_INTERRUPT	(1UL << 63)
#define IRQ_S_SOFT		1
#define IRQ_S_TIMER		5
#define IRQ_S_EXT		9

#endif
