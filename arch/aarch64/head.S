/*
 * The first instructions of every CPU, up to its first line of C: from EL2, if that is where it
 * starts, down to EL1; the MMU; a stack.
 *
 *	boot CPU	MMU off, interrupts off, x0 = device tree or 0	-> kernel_main(tree)
 *	others		the same, x0 = struct cpu *			-> kernel_secondary_main()
 *
 * Manuals: [BOOT] for the flat Image, [PSCI CPU_ON] for the others' state, [ARM D1, D8].
 */
#include <asm/layout.h>
#include <asm/offsets.h>
#include <asm/sysreg.h>

	.cfi_sections .debug_frame

	/* The address of a symbol, relative to the pc. */
	.macro	address reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

/* ---- The boot CPU --------------------------------------------------------------------------- */

	.section .text.entry, "ax"
	.globl _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined x30
	b	boot				/* the header of a flat Image [BOOT 4] */
	.long	0
	.quad	KERNEL_OFFSET			/* where to load it, from the start of RAM */
	.quad	__image_end - KERNEL_BASE
	.quad	1 << 1				/* little-endian, 4 KiB pages */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
boot:
	mov	x20, x0
	bl	enter_el1
	mov	x21, x0
	address	x0, __bss_start
	address	x1, __bss_end
1:	stp	xzr, xzr, [x0], #16		/* both are page boundaries */
	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b

	address	x0, boot_el
	str	w21, [x0]
	address	x0, cpus
	msr	tpidr_el1, x0
	mrs	x1, mpidr_el1
	and	x1, x1, #0xffffffffff		/* Aff3, Aff2, Aff1, Aff0 [ARM MPIDR_EL1] */
	and	x1, x1, #~0xff000000
	str	x1, [x0, #CPU_HWID]
	address	x1, emergency_stack + BOOT_STACK_SIZE
	str	x1, [x0, #CPU_EMERGENCY_SP]
	address	x1, boot_stack
	add	sp, x1, #BOOT_STACK_SIZE
	add	x1, x1, #STACK_ROOM
	str	x1, [x0, #CPU_STACK_LIMIT]
	mov	x29, xzr
	mov	x0, #RAM_BASE			/* where QEMU leaves the tree for an ELF file */
	cmp	x20, #0
	csel	x0, x0, x20, eq
	bl	kernel_main
	.cfi_endproc
	.size _start, . - _start

	.text

/* ---- The others: the thread that waits on a CPU brings its stack --------------------------- */

	.globl secondary_entry
	.type secondary_entry, @function
secondary_entry:
	.cfi_startproc
	.cfi_undefined x30
	mov	x20, x0
	bl	enter_el1
	bl	mmu_on				/* identity mapped, so this runs on */
	msr	tpidr_el1, x20
	ldr	x1, [x20, #CPU_CURRENT]
	ldr	x1, [x1, #THREAD_SP]
	mov	sp, x1
	mov	x29, xzr
	bl	kernel_secondary_main
	.cfi_endproc
	.size secondary_entry, . - secondary_entry

/* ---- Levels and MMU ------------------------------------------------------------------------- */

	/*
	 * Returns at EL1, its MMU off, floating point trapping; x0 = the level it was called at.
	 * What EL2 could trap or emulate is let through first; EL3 is firmware's. [ARM HCR_EL2]
	 */
	.type enter_el1, @function
enter_el1:
	.cfi_startproc
	msr	daifset, #0xf
	ldr	x1, =SCTLR_RES1
	msr	sctlr_el1, x1
	msr	cpacr_el1, xzr
	mrs	x0, CurrentEL
	lsr	x0, x0, #2
	cmp	x0, #2
	b.eq	1f
	b.hi	.				/* EL3: no firmware that could do anything for us */
	msr	spsel, #1
	isb
	ret

1:	mov	x1, #HCR_RW | HCR_HCD
	msr	hcr_el2, x1
	msr	hstr_el2, xzr
	mov	x1, #CPTR_EL2_RES1
	msr	cptr_el2, x1
	mov	x1, #CNTHCTL_EL1PCTEN | CNTHCTL_EL1PCEN
	msr	cnthctl_el2, x1
	msr	cntvoff_el2, xzr		/* virtual time is physical time */
	mrs	x1, midr_el1
	msr	vpidr_el2, x1
	mrs	x1, mpidr_el1
	msr	vmpidr_el2, x1

	mrs	x1, id_aa64dfr0_el1		/* all event counters, if any, to EL1 */
	ubfx	x2, x1, #8, #4			/* PMUVer: 0 and 15 are none */
	mov	x1, xzr
	sub	x2, x2, #1
	cmp	x2, #14
	b.hs	2f
	mrs	x1, pmcr_el0
	ubfx	x1, x1, #11, #5
2:	msr	mdcr_el2, x1

	mrs	x1, id_aa64pfr0_el1
	tst	x1, #0xf << 24			/* GIC: system registers [ARM ID_AA64PFR0_EL1] */
	b.eq	3f
	mrs	x1, ICC_SRE_EL2
	orr	x1, x1, #ICC_SRE_SRE
	orr	x1, x1, #ICC_SRE_ENABLE		/* EL1 may see its own ICC_SRE_EL1 */
	msr	ICC_SRE_EL2, x1
	isb
	msr	ICH_HCR_EL2, xzr

3:	mov	x1, #PSTATE_D | PSTATE_A | PSTATE_I | PSTATE_F | PSTATE_EL1H
	msr	spsr_el2, x1
	msr	elr_el2, x30
	eret
	.cfi_endproc
	.size enter_el1, . - enter_el1

	/*
	 * void mmu_on(void): the tables of mm.c become this CPU's. Reads no memory but its own
	 * code, as other CPUs' writes may still be in their caches. [ARM D8]
	 */
	.globl mmu_on
	.type mmu_on, @function
mmu_on:
	.cfi_startproc
	address	x0, root_table
	msr	ttbr0_el1, x0
	mov	x0, #MAIR_VALUE
	msr	mair_el1, x0
	ldr	x0, =TCR_VALUE
	mrs	x1, id_aa64mmfr0_el1		/* PARange, of which we use up to 48 bits */
	and	x1, x1, #0xf
	mov	x2, #TCR_IPS_48_BITS
	cmp	x1, x2
	csel	x1, x1, x2, lo
	orr	x0, x0, x1, lsl #TCR_IPS_SHIFT
	msr	tcr_el1, x0
	dsb	sy				/* the tables are written, … */
	isb					/* … and so are these registers */
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	ldr	x0, =SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I | SCTLR_WXN
	msr	sctlr_el1, x0
	isb
	ret
	.cfi_endproc
	.size mmu_on, . - mmu_on

/* ---- The boot CPU's stacks; boot_guard is unmapped later ------------------------------------ */

	.bss
	.globl boot_guard, boot_stack, emergency_stack
	.balign 4096
boot_guard:
	.skip	4096
boot_stack:
	.skip	BOOT_STACK_SIZE
emergency_stack:
	.skip	BOOT_STACK_SIZE
