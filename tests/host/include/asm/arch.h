/*
 * The null port: the inline hooks of <kernel/arch.h> for a plain process of the host.
 *
 * A CPU is an OS thread that says so (host_set_cpu); its register is a thread-local pointer and
 * its interrupt flag a thread-local bool. Where a real CPU would take a pending interrupt at once,
 * which is when its flag goes up, host_take_irqs() does, if a model has raised a line (port/cpu.c).
 * MMIO goes to models by address (port/mmio.c), time is virtual (port/sched.c).
 */
#ifndef ASM_ARCH_H
#define ASM_ARCH_H

#include <asm/ptrace.h>

extern __thread struct cpu *host_cpu;
extern __thread bool host_irqs_on;
extern __thread unsigned long host_activity;	/* rises while the OS thread is in the kernel */
extern unsigned int host_visits;	/* CPUs that another OS thread visits just now */
extern bool host_has_lines;		/* a model may raise interrupt lines */

void host_take_irqs(void);
void host_come_back(void);
void host_idle_wait(void);
void host_relax(void);
u64 host_counter(void);
u64 host_read(const void *addr, unsigned int size);
void host_write(void *addr, u64 v, unsigned int size);

static inline struct cpu *this_cpu(void)
{
	return host_cpu;
}

static inline void arch_set_this_cpu(struct cpu *cpu)
{
	host_cpu = cpu;
}

static inline bool arch_irqs_disabled(void)
{
	return !host_irqs_on;
}

static inline void arch_local_irq_enable(void)
{
	host_irqs_on = true;
	if (__builtin_expect(host_has_lines, 0))
		host_take_irqs();
}

static inline void arch_local_irq_disable(void)
{
	host_irqs_on = false;
}

static inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags = host_irqs_on;

	/* Who has been away, in pthread_join(), say, may find its CPU visited. In this order, against
	 * that of host_borrow(): one of the two sees the other. */
	__atomic_add_fetch(&host_activity, 1, __ATOMIC_SEQ_CST);
	if (__builtin_expect(__atomic_load_n(&host_visits, __ATOMIC_SEQ_CST), 0))
		host_come_back();
	host_irqs_on = false;
	return flags;
}

static inline void arch_local_irq_restore(unsigned long flags)
{
	if (flags)
		arch_local_irq_enable();
}

static inline void arch_wait_for_interrupt(void)
{
	host_idle_wait();
}

static inline void cpu_relax(void)
{
	host_relax();
}

static inline u64 arch_counter(void)
{
	return host_counter();
}

static inline u64 arch_cycles(void)
{
	return host_counter();
}

/* Models run in threads of the host. A locked instruction is a full barrier that ThreadSanitizer
 * understands, too. */
extern u32 host_barrier;
static inline void host_mb(void) { __atomic_fetch_add(&host_barrier, 1, __ATOMIC_SEQ_CST); }
static inline void dma_mb(void) { host_mb(); }
static inline void dma_rmb(void) { host_mb(); }
static inline void dma_wmb(void) { host_mb(); }
static inline void io_wmb(void) { host_mb(); }
static inline void io_rmb(void) { host_mb(); }

#define DEFINE_ARCH_MMIO(bits)							\
static inline u##bits arch_read##bits(const void *addr)				\
{										\
	return host_read(addr, (bits) / 8);					\
}										\
static inline void arch_write##bits(u##bits v, void *addr)			\
{										\
	host_write(addr, v, (bits) / 8);					\
}

DEFINE_ARCH_MMIO(8)
DEFINE_ARCH_MMIO(16)
DEFINE_ARCH_MMIO(32)
DEFINE_ARCH_MMIO(64)

static inline unsigned long regs_pc(const struct pt_regs *regs)
{
	return regs->epc;
}

static inline unsigned long regs_sp(const struct pt_regs *regs)
{
	return regs->sp;
}

#endif
