/*
 * Every way into the running kernel: a trap, a switch between threads, a thread's first step.
 *
 * The CPU enters a trap through one of 16 slots of 128 bytes, interrupts off, with the old pc in
 * ELR_EL1 and the old state in SPSR_EL1; it saves nothing else. [ARM D1.3] TPIDR_EL1 is this CPU's
 * struct cpu at all times, so one load finds the lowest sp with room for a frame. An interrupt
 * looks after its first store, which is cheaper; an exception, which that store may have caused,
 * before, and parks registers in TPIDR_EL0 and TPIDRRO_EL0, which nothing else uses.
 *
 *	interrupted flow's stack			interrupt:  do_irq(regs), back by eret
 *	  … its frames …				exception:  do_trap(regs), which never
 *	  struct pt_regs  304 bytes  <- sp		            returns
 *	  handlers' frames				sp too low: the same on the emergency stack
 *
 * The .cfi lines tell a debugger where the interrupted registers are.
 */
#include <asm/layout.h>
#include <asm/offsets.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

	.cfi_sections .debug_frame

/* ---- Traps ---------------------------------------------------------------------------------- */

	/* For ldp or stp: each register that a C function may change, except x0, x1, x18 and lr. */
	.macro	caller_saved op
	\op	x2, x3, [sp, #PT_X(2)]
	\op	x4, x5, [sp, #PT_X(4)]
	\op	x6, x7, [sp, #PT_X(6)]
	\op	x8, x9, [sp, #PT_X(8)]
	\op	x10, x11, [sp, #PT_X(10)]
	\op	x12, x13, [sp, #PT_X(12)]
	\op	x14, x15, [sp, #PT_X(14)]
	\op	x16, x17, [sp, #PT_X(16)]
	.endm

	.macro	cfi_frame
	.cfi_signal_frame
	.cfi_return_column 32
	.cfi_def_cfa sp, PT_SIZE
	.cfi_offset 32, PT_PC - PT_SIZE
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
	.cfi_offset \n, PT_X(\n) - PT_SIZE
	.endr
	.cfi_offset x30, PT_LR - PT_SIZE
	.endm

	/* sp may be anything, also what lies far above the stack. */
	.macro	exception_slot vector
	.balign	128
	msr	tpidr_el0, x0
	mrs	x0, tpidr_el1
	ldr	x0, [x0, #CPU_STACK_LIMIT]
	sub	x0, sp, x0
	cmp	x0, #BOOT_STACK_SIZE
	mov	x0, #\vector
	b.hs	trap_overflow
	b	trap_exception
	.endm

	.globl vectors, trap_irq_return, trap_exception_return
	.type vectors, @function
	.balign	2048				/* [ARM VBAR_EL1] */
vectors:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa sp, 0
	.irp	vector, 0x000, 0x080, 0x100, 0x180, 0x200
	exception_slot \vector
	.endr
	.cfi_endproc
	.size vectors, . - vectors

	/* 0x280: an interrupt. */
	.balign	128
	.type trap_entry, @function
trap_entry:
	.cfi_startproc simple
	cfi_frame
	stp	x0, x1, [sp, #-PT_SIZE]!
	mrs	x0, tpidr_el1
	ldr	x1, [x0, #CPU_STACK_LIMIT]
	cmp	sp, x1
	b.lo	irq_overflow
	caller_saved stp
	mrs	x0, spsr_el1
	mrs	x1, elr_el1
	stp	x18, x0, [sp, #PT_X(18)]
	stp	x30, x1, [sp, #PT_LR]
	mov	x0, sp
	bl	do_irq
trap_irq_return:				/* backtraces look for this address */
	b	irq_return
	.size trap_entry, . - trap_entry
	.cfi_endproc

	.type more_vectors, @function
more_vectors:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa sp, 0
	.irp	vector, 0x300, 0x380
	exception_slot \vector
	.endr
	.irp	vector, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
	exception_slot \vector			/* from lower levels, which nothing runs at */
	.endr
	.cfi_endproc
	.size more_vectors, . - more_vectors

	.type irq_return, @function
irq_return:
	.cfi_startproc simple
	cfi_frame
	ldp	x18, x0, [sp, #PT_X(18)]
	ldp	x30, x1, [sp, #PT_LR]
	msr	spsr_el1, x0
	msr	elr_el1, x1
	caller_saved ldp
	ldp	x0, x1, [sp], #PT_SIZE
	eret
	.cfi_endproc
	.size irq_return, . - irq_return

	/* An exception's first part of the frame: x0 = vector, the interrupted x0 is parked. */
	.macro	save_frame
	str	x0, [sp, #PT_VECTOR]
	caller_saved stp
	mrs	x0, tpidr_el0
	mrs	x2, spsr_el1
	mrs	x3, elr_el1
	orr	x2, x2, #PSTATE_FULL
	stp	x0, x1, [sp]
	stp	x18, x2, [sp, #PT_X(18)]
	stp	x30, x3, [sp, #PT_LR]
	.endm

	.type trap_exception, @function
trap_exception:
	.cfi_startproc simple
	cfi_frame
	sub	sp, sp, #PT_SIZE
	save_frame
	add	x1, sp, #PT_SIZE
1:	.irp	n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	.cfi_offset \n, PT_Y(\n) - PT_SIZE
	str	x\n, [sp, #PT_Y(\n)]
	.endr
	mrs	x2, esr_el1
	mrs	x3, far_el1
	stp	x1, x2, [sp, #PT_SP]
	str	x3, [sp, #PT_FAR]
	mov	x0, sp
	bl	do_trap
trap_exception_return:
	brk	#0
	.cfi_endproc
	.size trap_exception, . - trap_exception

	.type trap_overflow, @function
irq_overflow:
	.cfi_startproc simple
	.cfi_undefined x30
	ldp	x0, x1, [sp], #PT_SIZE
	msr	tpidr_el0, x0
	mov	x0, #VECTOR_IRQ
trap_overflow:
	msr	tpidrro_el0, x1
	mrs	x1, tpidr_el1
	ldr	x1, [x1, #CPU_EMERGENCY_SP]
	sub	x1, x1, #PT_SIZE
	str	x2, [x1, #PT_X(2)]
	mov	x2, sp
	mov	sp, x1
	str	x2, [sp, #PT_SP]
	mrs	x2, tpidr_el1			/* a trap from here on finds room */
	ldr	x1, [x2, #CPU_EMERGENCY_SP]
	sub	x1, x1, #BOOT_STACK_SIZE
	add	x1, x1, #STACK_ROOM
	str	x1, [x2, #CPU_STACK_LIMIT]
	ldr	x2, [sp, #PT_X(2)]
	mrs	x1, tpidrro_el0
	save_frame
	ldr	x1, [sp, #PT_SP]
	b	1b
	.cfi_endproc
	.size trap_overflow, . - trap_overflow

/* ---- Threads -------------------------------------------------------------------------------- */

	.macro	context op, thread
	\op	x19, x20, [\thread, #16]
	\op	x21, x22, [\thread, #32]
	\op	x23, x24, [\thread, #48]
	\op	x25, x26, [\thread, #64]
	\op	x27, x28, [\thread, #80]
	.endm

	/*
	 * struct thread *arch_switch(struct thread *prev, struct thread *next)
	 * An interrupted exclusive sequence of PREV cannot succeed wrongly: what it is resumed by,
	 * in the end, is an eret, which clears the monitor. [ARM B2]
	 */
	.globl arch_switch
	.type arch_switch, @function
arch_switch:
	.cfi_startproc
	mov	x2, sp
	stp	x30, x2, [x0]
	context	stp, x0
	str	x29, [x0, #96]
	ldp	x30, x2, [x1]
	context	ldp, x1
	ldr	x29, [x1, #96]
	mov	sp, x2
	ret					/* x0 is still PREV */
	.cfi_endproc
	.size arch_switch, . - arch_switch

	/* The first switch to a thread comes here, with PREV in x0. */
	.globl thread_trampoline
	.type thread_trampoline, @function
thread_trampoline:
	.cfi_startproc
	.cfi_undefined x30
	bl	thread_entry
	.cfi_endproc
	.size thread_trampoline, . - thread_trampoline
