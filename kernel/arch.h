/*
 * The architecture boundary: everything portable code may ask of an instruction set.
 *
 * Each hook is declared here with its contract, then <asm/arch.h> of the ISA defines the inline
 * ones; the others live in arch/<isa>. tests/host is one more "ISA", made of a plain process,
 * and proves that this list is complete. Not here, because they are drivers: interrupt
 * controllers, IPIs, timers, PCI, consoles.
 *
 * "irqs" below means interrupts of the calling CPU.
 */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include <lib/types.h>

struct cpu;		/* <kernel/cpu.h>: this CPU's own data, found through one register */
struct pt_regs;		/* <asm/ptrace.h>: what the trap entry saved */
struct thread;		/* <kernel/thread.h> */

/* ---- Interrupts of this CPU. Any context. --------------------------------------------------- */

static inline void arch_local_irq_enable(void);
static inline void arch_local_irq_disable(void);
static inline bool arch_irqs_disabled(void);
/* Disables irqs and returns a cookie for arch_local_irq_restore(), which only undoes that. */
static inline unsigned long arch_local_irq_save(void);
static inline void arch_local_irq_restore(unsigned long flags);

/*
 * Waits until an interrupt is pending, with irqs off on entry and on return, so that nothing is
 * lost between the caller's last look at its condition and the wait. May return early.
 */
static inline void arch_wait_for_interrupt(void);

/* ---- This CPU ------------------------------------------------------------------------------- */

/* This CPU's struct cpu: one register read. Stable only with irqs off or in a pinned thread. */
static inline struct cpu *this_cpu(void);
/* Called once per CPU, first thing, by arch code; and by the host port to change identity. */
static inline void arch_set_this_cpu(struct cpu *cpu);

/* A hint inside a busy loop. */
static inline void cpu_relax(void);

/* ---- Time ----------------------------------------------------------------------------------- */

/* Free-running counter, equal on all CPUs. */
static inline u64 arch_counter(void);
/* Its steps a second; 0 if only the device tree can say ("timebase-frequency" [DT 3.8.1]). */
u64 arch_counter_hz(void);
/* The finest stamp the CPU has, for the trace ring; only differences on one CPU mean something. */
static inline u64 arch_cycles(void);

/* ---- Ordering towards devices. CPUs among themselves use __atomic builtins only. ------------ */

static inline void dma_mb(void);	/* RAM before <-> RAM after, as a device sees them */
static inline void dma_rmb(void);	/* reads of RAM that a device wrote */
static inline void dma_wmb(void);	/* writes of RAM that a device will read */
static inline void io_wmb(void);	/* all earlier RAM writes, then a later MMIO write */
static inline void io_rmb(void);	/* an earlier MMIO read, then all later RAM reads */

/* One MMIO access of exactly this width, no ordering: <kernel/io.h> adds it. */
static inline u8 arch_read8(const void *addr);
static inline u16 arch_read16(const void *addr);
static inline u32 arch_read32(const void *addr);
static inline u64 arch_read64(const void *addr);
static inline void arch_write8(u8 v, void *addr);
static inline void arch_write16(u16 v, void *addr);
static inline void arch_write32(u32 v, void *addr);
static inline void arch_write64(u64 v, void *addr);

/* ---- Traps ---------------------------------------------------------------------------------- */

static inline unsigned long regs_pc(const struct pt_regs *regs);	/* what was interrupted */
static inline unsigned long regs_sp(const struct pt_regs *regs);	/* its stack pointer */
/* Prints the registers, one line each group, through printk. For do_bad_trap(). */
void arch_show_regs(const struct pt_regs *regs);

/* One return address after the other, innermost first; stops when PUT returns false. */
typedef bool (*backtrace_fn)(void *arg, unsigned long pc, const char *note);
/* From REGS, or from the caller if NULL. Any context; touches only stack memory it has checked. */
void arch_backtrace(const struct pt_regs *regs, backtrace_fn put, void *arg);

/* Up-calls from arch code. All with irqs off, on the CPU concerned. */
void __noreturn kernel_main(const void *fdt);		/* boot CPU; MMU off until arch_mm_init() */
void __noreturn kernel_secondary_main(void);		/* every other CPU */
extern void (*handle_arch_irq)(struct pt_regs *regs);	/* an interrupt; see <kernel/irq.h> */
void __noreturn do_bad_trap(struct pt_regs *regs, const char *what);	/* an exception */

/* ---- CPUs ----------------------------------------------------------------------------------- */

/* Once on each CPU, before anything else of the kernel: trap vector; on the boot CPU also the
 * firmware's console, if it has one. this_cpu() is valid; on the others the MMU is on already. */
void arch_cpu_init(struct cpu *cpu);

/*
 * Starts the CPU with hardware id hwid (struct cpu field) so that it ends in
 * kernel_secondary_main() with this_cpu() == cpu, on the stack of cpu->idle.
 * Returns 0 when firmware has accepted, else a negative errno. Boot or hotplug thread.
 */
int arch_cpu_up(struct cpu *cpu);
/* Takes the calling CPU out of the kernel, irqs off; arch_cpu_up() brings it back. */
void __noreturn arch_cpu_down(void);

/* Ends the machine with that status (design section 2). Any context; never returns. */
void __noreturn arch_exit(int status);

/* ---- Memory --------------------------------------------------------------------------------- */

/*
 * Maps what is not mapped yet of [start, end), whose ends are page boundaries, to itself, so that
 * every CPU sees it, also those already up. 0, -ERANGE if it is out of a CPU's reach, -ENOMEM if
 * mm_table_page() has no page left. Boot CPU before arch_mm_init(), or locked.
 */
enum map_kind { MAP_TEXT, MAP_CONSTANTS, MAP_DATA, MAP_DEVICE };	/* r-x, r--, rw-, rw- */
int arch_map(u64 start, u64 end, enum map_kind kind);
/* Boot CPU: from here on that map counts. */
void arch_mm_init(void);

/*
 * Zeroes SIZE bytes of RAM at START by the cache block. SIZE is a power of two and at least a page,
 * START a multiple of it. False: this CPU has no instruction for that, or may not use it, and
 * nothing was done; the caller is to store zeros then. Any context after arch_mm_init().
 */
bool arch_clear(void *start, size_t size);

/* ---- Threads -------------------------------------------------------------------------------- */

/*
 * Saves the callee-saved state of the caller in PREV->context, resumes NEXT. Irqs off. Returns,
 * later, on PREV, with the thread that was left for it.
 */
struct thread *arch_switch(struct thread *prev, struct thread *next);
/* Prepares a new thread's context so that its first switch calls thread_entry() on its stack. */
void arch_thread_init(struct thread *thread);
void __noreturn thread_entry(struct thread *prev);	/* up-call */
/* The stack that kernel_main() was called on: lowest address, STACK_SIZE long, a guard below. */
void *arch_boot_stack(void);

#include <asm/arch.h>

#endif
