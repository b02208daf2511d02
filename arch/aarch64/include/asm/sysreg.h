/*
 * System registers: their names and the two ways to touch one. [ARM C5.2] [GIC3 12.2]
 *
 * The name is part of the instruction. Those that an older assembler may not know are spelled by
 * their encoding, s<op0>_<op1>_c<CRn>_c<CRm>_<op2>. The host port has a header of the same name in
 * which the two are functions over a model of the registers.
 */
#ifndef ASM_SYSREG_H
#define ASM_SYSREG_H

/* The interrupt controller's CPU interface. [GIC3 12.2] */
#define ICC_PMR_EL1		s3_0_c4_c6_0
#define ICC_AP1R0_EL1		s3_0_c12_c9_0
#define ICC_AP1R1_EL1		s3_0_c12_c9_1
#define ICC_AP1R2_EL1		s3_0_c12_c9_2
#define ICC_AP1R3_EL1		s3_0_c12_c9_3
#define ICC_DIR_EL1		s3_0_c12_c11_1
#define ICC_SGI1R_EL1		s3_0_c12_c11_5
#define ICC_IAR1_EL1		s3_0_c12_c12_0
#define ICC_EOIR1_EL1		s3_0_c12_c12_1
#define ICC_HPPIR1_EL1		s3_0_c12_c12_2
#define ICC_BPR1_EL1		s3_0_c12_c12_3
#define ICC_CTLR_EL1		s3_0_c12_c12_4
#define ICC_SRE_EL1		s3_0_c12_c12_5
#define ICC_IGRPEN1_EL1		s3_0_c12_c12_7
#define ICC_SRE_EL2		s3_4_c12_c9_5
#define ICH_HCR_EL2		s3_4_c12_c11_0

/* PSTATE as DAIF and SPSR_EL1 show it. [ARM C5.2] */
#define PSTATE_F		0x040
#define PSTATE_I		0x080
#define PSTATE_A		0x100
#define PSTATE_D		0x200
#define PSTATE_EL1H		0x005	/* EL1 on its own stack pointer */

/* msr daifset / daifclr take their mask as an immediate. */
#define DAIF_I			2
#define DAIF_A			4

/* SCTLR_EL1: bits without a choice on an Armv8.0 CPU, and those that we choose. */
#define SCTLR_RES1		0x30d00800
#define SCTLR_M			0x00000001	/* address translation */
#define SCTLR_C			0x00000004	/* data cache */
#define SCTLR_SA		0x00000008	/* sp is a multiple of 16 */
#define SCTLR_I			0x00001000	/* instruction cache */
#define SCTLR_WXN		0x00080000	/* what can be written cannot be executed */

/* Memory kinds: indices into MAIR_EL1. [ARM MAIR_EL1] */
#define MT_NORMAL		0	/* write-back cached */
#define MT_DEVICE		1	/* nGnRE: no gathering, no reordering, early acknowledge */
#define MAIR_VALUE		0x04ff

/* TCR_EL1: 48 bits through TTBR0, 4 KiB pages, inner shareable, cached walks; TTBR1 is off. */
#define TCR_T0SZ		(64 - 48)
#define TCR_IRGN0_WBWA		(1 << 8)
#define TCR_ORGN0_WBWA		(1 << 10)
#define TCR_SH0_INNER		(3 << 12)
#define TCR_EPD1		(1 << 23)
#define TCR_IPS_SHIFT		32
#define TCR_IPS_48_BITS		5
#define TCR_VALUE \
	(TCR_T0SZ | TCR_IRGN0_WBWA | TCR_ORGN0_WBWA | TCR_SH0_INNER | TCR_EPD1)

/* What EL2 lets EL1 do. */
#define HCR_RW			0x80000000	/* EL1 is AArch64 */
#define HCR_HCD			0x20000000	/* HVC is undefined */
#define CPTR_EL2_RES1		0x33ff
#define CNTHCTL_EL1PCTEN	1		/* read the physical counter */
#define CNTHCTL_EL1PCEN		2		/* and use its timer */
#define ICC_SRE_SRE		1		/* the GIC's system registers work */
#define ICC_SRE_ENABLE		8

#ifndef __ASSEMBLER__

#include <lib/types.h>

#define SYSREG_NAME_(reg)	#reg
#define SYSREG_NAME(reg)	SYSREG_NAME_(reg)

#define sysreg_read(reg) ({								\
	u64 v_;										\
	__asm__ volatile("mrs %0, " SYSREG_NAME(reg) : "=r"(v_) : : "memory");		\
	v_; })
#define sysreg_write(reg, v) \
	__asm__ volatile("msr " SYSREG_NAME(reg) ", %x0" : : "rZ"((u64)(v)) : "memory")

/* What follows sees the effect of earlier writes to system registers. [ARM ISB] */
#define isb()			__asm__ volatile("isb" : : : "memory")
/* Waits until earlier memory accesses, DOMAIN of them, have completed: dsb(sy), dsb(ishst). */
#define dsb(domain)		__asm__ volatile("dsb " #domain : : : "memory")

#endif
#endif
