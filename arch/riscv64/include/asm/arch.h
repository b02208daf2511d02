/* riscv64: the inline hooks of <kernel/arch.h>, which includes this file. */
#ifndef ASM_ARCH_H
#define ASM_ARCH_H

#include <asm/csr.h>
#include <asm/ptrace.h>

/* tp holds this CPU's struct cpu, always: the kernel has no thread-local variables. */
register struct cpu *riscv_tp __asm__("tp");

static __always_inline struct cpu *this_cpu(void)
{
	return riscv_tp;
}

static __always_inline void arch_set_this_cpu(struct cpu *cpu)
{
	riscv_tp = cpu;
}

static __always_inline void arch_local_irq_enable(void)
{
	csr_set(CSR_SSTATUS, SSTATUS_SIE);
}

static __always_inline void arch_local_irq_disable(void)
{
	csr_clear(CSR_SSTATUS, SSTATUS_SIE);
}

static __always_inline bool arch_irqs_disabled(void)
{
	return !(csr_read(CSR_SSTATUS) & SSTATUS_SIE);
}

static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("csrrci %0, %1, %2"
			 : "=r"(flags) : "i"(CSR_SSTATUS), "i"(SSTATUS_SIE) : "memory");
	return flags;
}

static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	csr_set(CSR_SSTATUS, flags & SSTATUS_SIE);
}

/* WFI also wakes for an interrupt that sstatus.SIE holds back. [PRIV 3.3.3] */
static __always_inline void arch_wait_for_interrupt(void)
{
	__asm__ volatile("wfi" : : : "memory");
}

/* PAUSE, a hint that older assemblers and CPUs take for a FENCE without effect. */
static __always_inline void cpu_relax(void)
{
	__asm__ volatile(".4byte 0x0100000f" : : : "memory");
}

static __always_inline u64 arch_counter(void)
{
	return csr_read(CSR_TIME);
}

static __always_inline u64 arch_cycles(void)
{
	return csr_read(CSR_CYCLE);
}

#define RISCV_FENCE(p, s)	__asm__ volatile("fence " #p ", " #s : : : "memory")

static __always_inline void dma_mb(void) { RISCV_FENCE(rw, rw); }
static __always_inline void dma_rmb(void) { RISCV_FENCE(r, r); }
static __always_inline void dma_wmb(void) { RISCV_FENCE(w, w); }
static __always_inline void io_wmb(void) { RISCV_FENCE(w, o); }
static __always_inline void io_rmb(void) { RISCV_FENCE(i, ir); }

/* One instruction each, so that the compiler can neither split nor merge an access. */
#define DEFINE_ARCH_MMIO(bits, load, store)						\
static __always_inline u##bits arch_read##bits(const void *addr)			\
{											\
	u##bits v;									\
											\
	__asm__ volatile(load " %0, %1" : "=r"(v) : "m"(*(const u##bits *)addr));	\
	return v;									\
}											\
static __always_inline void arch_write##bits(u##bits v, void *addr)			\
{											\
	__asm__ volatile(store " %z1, %0" : "=m"(*(u##bits *)addr) : "rJ"(v));		\
}

DEFINE_ARCH_MMIO(8, "lbu", "sb")
DEFINE_ARCH_MMIO(16, "lhu", "sh")
DEFINE_ARCH_MMIO(32, "lw", "sw")
DEFINE_ARCH_MMIO(64, "ld", "sd")

static inline unsigned long regs_pc(const struct pt_regs *regs)
{
	return regs->epc;
}

/* An interrupt's frame lies right below the interrupted stack pointer, so that is not saved. */
static inline unsigned long regs_sp(const struct pt_regs *regs)
{
	return regs->cause & SCAUSE_INTERRUPT ? (unsigned long)(regs + 1) : regs->sp;
}

#endif
