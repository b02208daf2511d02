/*
 * Every way into the kernel: power-on, another hart's start, a trap, a thread's first step.
 *
 * The CPU enters a trap with interrupts off, the old pc in sepc and the reason in scause; it saves
 * nothing else. [PRIV 4.1] tp is this CPU's struct cpu at all times, so one load finds the lowest
 * sp that still leaves room for a frame; t0 is parked in sscratch meanwhile.
 *
 *	interrupted flow's stack			interrupt:  do_irq(regs), back by sret
 *	  … its frames …				exception:  do_trap(regs), which never
 *	  struct pt_regs  288 bytes  <- sp		            returns
 *	  handlers' frames				sp too low: the same on the emergency stack
 *
 * The .cfi lines tell a debugger where the interrupted registers are: column 64 stands for the
 * interrupted pc, as ra of that flow is something else.
 */
#include <asm/csr.h>
#include <asm/layout.h>
#include <asm/offsets.h>
#include <asm/ptrace.h>

	.cfi_sections .debug_frame

/* ---- The boot hart: from OpenSBI, in S-mode, satp = 0, a0 = hart id, a1 = device tree ------- */

	.section .text.entry, "ax"
	.globl _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined ra
	csrw	CSR_SIE, zero
	li	t0, SSTATUS_FS
	csrc	CSR_SSTATUS, t0			/* a floating-point instruction would trap */
	la	t0, __bss_start
	la	t1, __bss_end
1:	sd	zero, (t0)			/* both are page boundaries */
	sd	zero, 8(t0)
	sd	zero, 16(t0)
	sd	zero, 24(t0)
	addi	t0, t0, 32
	bltu	t0, t1, 1b

	la	tp, cpus
	sd	a0, CPU_HWID(tp)
	la	sp, boot_stack + BOOT_STACK_SIZE
	la	t0, emergency_stack + BOOT_STACK_SIZE
	sd	t0, CPU_EMERGENCY_SP(tp)
	mv	a0, a1
	call	kernel_main
	.cfi_endproc
	.size _start, . - _start

	.text

/* ---- Another hart: as above, but a1 = its struct cpu, whose thread brings the stack ---- */

	.globl secondary_entry
	.type secondary_entry, @function
secondary_entry:
	.cfi_startproc
	.cfi_undefined ra
	csrw	CSR_SIE, zero
	li	t0, SSTATUS_FS
	csrc	CSR_SSTATUS, t0
	ld	t0, kernel_satp
	csrw	CSR_SATP, t0		/* identity mapped, so this runs on */
	sfence.vma
	mv	tp, a1
	ld	t0, CPU_CURRENT(tp)
	ld	sp, THREAD_SP(t0)
	call	kernel_secondary_main
	.cfi_endproc
	.size secondary_entry, . - secondary_entry

/* ---- Traps ---------------------------------------------------------------------------------- */

	/* For an opcode and each register that a C function may change, except t0. */
	.macro	caller_saved op
	\op	ra, PT_X(1)(sp)
	\op	t1, PT_X(6)(sp)
	\op	t2, PT_X(7)(sp)
	\op	a0, PT_X(10)(sp)
	\op	a1, PT_X(11)(sp)
	\op	a2, PT_X(12)(sp)
	\op	a3, PT_X(13)(sp)
	\op	a4, PT_X(14)(sp)
	\op	a5, PT_X(15)(sp)
	\op	a6, PT_X(16)(sp)
	\op	a7, PT_X(17)(sp)
	\op	t3, PT_X(28)(sp)
	\op	t4, PT_X(29)(sp)
	\op	t5, PT_X(30)(sp)
	\op	t6, PT_X(31)(sp)
	.endm

	.macro	callee_saved op
	\op	s0, PT_X(8)(sp)
	\op	s1, PT_X(9)(sp)
	\op	s2, PT_X(18)(sp)
	\op	s3, PT_X(19)(sp)
	\op	s4, PT_X(20)(sp)
	\op	s5, PT_X(21)(sp)
	\op	s6, PT_X(22)(sp)
	\op	s7, PT_X(23)(sp)
	\op	s8, PT_X(24)(sp)
	\op	s9, PT_X(25)(sp)
	\op	s10, PT_X(26)(sp)
	\op	s11, PT_X(27)(sp)
	.endm

	/* The frame, as far as an interrupt needs it; leaves scause in t4. */
	.macro	save_frame
	caller_saved sd
	csrr	t1, CSR_SSCRATCH
	csrr	t2, CSR_SEPC
	csrr	t3, CSR_SSTATUS
	csrr	t4, CSR_SCAUSE
	sd	t1, PT_X(5)(sp)
	sd	t2, PT_EPC(sp)
	sd	t3, PT_STATUS(sp)
	sd	t4, PT_CAUSE(sp)
	.endm

	.macro	cfi_frame
	.cfi_signal_frame
	.cfi_return_column 64
	.cfi_def_cfa sp, PT_SIZE
	.cfi_offset 64, PT_EPC - PT_SIZE
	.irp	n, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
	.cfi_offset \n, PT_X(\n) - PT_SIZE
	.endr
	.endm

	.globl trap_entry, trap_irq_return, trap_exception_return
	.type trap_entry, @function
	.balign 4				/* stvec's low bits say "direct" [PRIV 4.1.2] */
trap_entry:
	.cfi_startproc simple
	cfi_frame
	csrw	CSR_SSCRATCH, t0
	ld	t0, CPU_STACK_LIMIT(tp)
	bltu	sp, t0, trap_overflow
	addi	sp, sp, -PT_SIZE
	save_frame
	mv	a0, sp
	bgez	t4, trap_exception
	call	do_irq
trap_irq_return:				/* backtraces look for this address */
	ld	t1, PT_EPC(sp)
	ld	t2, PT_STATUS(sp)
	csrw	CSR_SEPC, t1
	csrw	CSR_SSTATUS, t2
	ld	t0, PT_X(5)(sp)
	caller_saved ld
	addi	sp, sp, PT_SIZE
	sret
	.cfi_endproc
	.size trap_entry, . - trap_entry

	.type trap_exception, @function
trap_exception:
	.cfi_startproc simple
	cfi_frame
	addi	t1, sp, PT_SIZE
	sd	t1, PT_X(2)(sp)
2:	.irp	n, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	.cfi_offset \n, PT_X(\n) - PT_SIZE
	.endr
	callee_saved sd
	sd	gp, PT_X(3)(sp)
	sd	tp, PT_X(4)(sp)
	csrr	t1, CSR_STVAL
	sd	t1, PT_TVAL(sp)
	call	do_trap
trap_exception_return:
	unimp
	.cfi_endproc
	.size trap_exception, . - trap_exception

	.type trap_overflow, @function
trap_overflow:
	.cfi_startproc simple
	.cfi_undefined ra
	mv	t0, sp
	ld	sp, CPU_EMERGENCY_SP(tp)
	sd	zero, CPU_STACK_LIMIT(tp)	/* a trap from here on finds room */
	addi	sp, sp, -PT_SIZE
	sd	t0, PT_X(2)(sp)
	save_frame
	mv	a0, sp
	j	2b
	.cfi_endproc
	.size trap_overflow, . - trap_overflow

/* ---- Threads -------------------------------------------------------------------------------- */

	.macro	context op
	\op	sp, THREAD_SP(a2)
	\op	s0, 16(a2)
	\op	s1, 24(a2)
	\op	s2, 32(a2)
	\op	s3, 40(a2)
	\op	s4, 48(a2)
	\op	s5, 56(a2)
	\op	s6, 64(a2)
	\op	s7, 72(a2)
	\op	s8, 80(a2)
	\op	s9, 88(a2)
	\op	s10, 96(a2)
	\op	s11, 104(a2)
	.endm

	/*
	 * struct thread *arch_switch(struct thread *prev, struct thread *next)
	 * The store of ra is a store-conditional first: an interrupted LR/SC sequence of PREV must
	 * not succeed on a reservation that another thread made. [UNPRIV 8.2]
	 */
	.globl arch_switch
	.type arch_switch, @function
arch_switch:
	.cfi_startproc
	sc.d	zero, ra, (a0)
	sd	ra, (a0)
	mv	a2, a0
	context	sd
	mv	a2, a1
	ld	ra, (a2)
	context	ld
	ret					/* a0 is still PREV */
	.cfi_endproc
	.size arch_switch, . - arch_switch

	/* The first switch to a thread comes here, with PREV in a0. */
	.globl thread_trampoline
	.type thread_trampoline, @function
thread_trampoline:
	.cfi_startproc
	.cfi_undefined ra
	call	thread_entry
	.cfi_endproc
	.size thread_trampoline, . - thread_trampoline

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
