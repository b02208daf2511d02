/* aarch64: the inline hooks of <kernel/arch.h>, which includes this file. */
#ifndef ASM_ARCH_H
#define ASM_ARCH_H

#include <asm/ptrace.h>
#include <asm/sysreg.h>

/* TPIDR_EL1 holds this CPU's struct cpu, always. Not volatile: one read serves a whole function,
 * as no thread changes its CPU. */
static __always_inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__("mrs %0, tpidr_el1" : "=r"(cpu));
	return cpu;
}

static __always_inline void arch_set_this_cpu(struct cpu *cpu)
{
	__asm__ volatile("msr tpidr_el1, %0" : : "r"(cpu) : "memory");
}

static __always_inline void arch_local_irq_enable(void)
{
	__asm__ volatile("msr daifclr, %0" : : "i"(DAIF_I) : "memory");
}

static __always_inline void arch_local_irq_disable(void)
{
	__asm__ volatile("msr daifset, %0" : : "i"(DAIF_I) : "memory");
}

static __always_inline bool arch_irqs_disabled(void)
{
	return sysreg_read(daif) & PSTATE_I;
}

static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags = sysreg_read(daif);

	arch_local_irq_disable();
	return flags;
}

static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	sysreg_write(daif, flags);
}

/* WFI also wakes for an interrupt that PSTATE.I holds back; DSB first, as what was written may be
 * what it waits for an answer to. [ARM WFI] */
static __always_inline void arch_wait_for_interrupt(void)
{
	dsb(sy);
	__asm__ volatile("wfi" : : : "memory");
}

static __always_inline void cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

/* ISB, or the counter might be read ahead of time. [ARM CNTVCT_EL0] */
static __always_inline u64 arch_counter(void)
{
	isb();
	return sysreg_read(cntvct_el0);
}

/* The cycle counter belongs to the PMU, which a CPU need not have. */
extern bool arm_has_cycles;

static __always_inline u64 arch_cycles(void)
{
	return arm_has_cycles ? sysreg_read(pmccntr_el0) : sysreg_read(cntvct_el0);
}

#define ARM_DMB(domain)		__asm__ volatile("dmb " #domain : : : "memory")

/* Devices are in the outer shareable domain; a load or store of one is ordered like RAM by DMB. */
static __always_inline void dma_mb(void) { ARM_DMB(osh); }
static __always_inline void dma_rmb(void) { ARM_DMB(oshld); }
static __always_inline void dma_wmb(void) { ARM_DMB(oshst); }
static __always_inline void io_wmb(void) { ARM_DMB(oshst); }
static __always_inline void io_rmb(void) { ARM_DMB(oshld); }

/* One instruction each, so that the compiler can neither split nor merge an access. */
#define DEFINE_ARCH_MMIO(bits, load, store, w)						\
static __always_inline u##bits arch_read##bits(const void *addr)			\
{											\
	u##bits v;									\
											\
	__asm__ volatile(load " %" w "0, %1" : "=r"(v) : "m"(*(const u##bits *)addr));	\
	return v;									\
}											\
static __always_inline void arch_write##bits(u##bits v, void *addr)			\
{											\
	__asm__ volatile(store " %" w "1, %0" : "=m"(*(u##bits *)addr) : "rZ"(v));	\
}

DEFINE_ARCH_MMIO(8, "ldrb", "strb", "w")
DEFINE_ARCH_MMIO(16, "ldrh", "strh", "w")
DEFINE_ARCH_MMIO(32, "ldr", "str", "w")
DEFINE_ARCH_MMIO(64, "ldr", "str", "x")

static inline unsigned long regs_pc(const struct pt_regs *regs)
{
	return regs->pc;
}

/* An interrupt's frame lies right below the interrupted stack pointer, so that is not saved. */
static inline unsigned long regs_sp(const struct pt_regs *regs)
{
	return regs->pstate & PSTATE_FULL ? regs->sp : (unsigned long)(regs + 1);
}

#endif
