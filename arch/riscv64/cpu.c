/*
 * A hart's life: first steps, start and stop by the firmware's hart state management, the early
 * console, the end of the machine.
 *
 *	arch_cpu_up(cpu) --SBI HSM hart_start(hwid, secondary_entry, cpu)--> kernel_secondary_main()
 *
 * SBI is an ecall into M-mode: extension in a7, function in a6, error back in a0. [SBI 3]
 */
#include <asm/layout.h>
#include <asm/offsets.h>
#include <asm/sbi.h>
#include <kernel/driver.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/thread.h>
#include <lib/errno.h>

_Static_assert(offsetof(struct cpu, stack_limit) == CPU_STACK_LIMIT, "entry.S");
_Static_assert(offsetof(struct cpu, emergency_sp) == CPU_EMERGENCY_SP, "entry.S");
_Static_assert(offsetof(struct cpu, hwid) == CPU_HWID, "entry.S");
_Static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "entry.S");
_Static_assert(offsetof(struct thread, context) + 8 == THREAD_SP, "entry.S");
_Static_assert(sizeof(((struct thread *)0)->context) >= 14 * 8, "arch_switch()");
_Static_assert(BOOT_STACK_SIZE == STACK_SIZE, "entry.S");
_Static_assert(sizeof(struct pt_regs) == 288, "PT_SIZE");
_Static_assert(offsetof(struct pt_regs, ra) == 32, "PT_X(1)");
_Static_assert(offsetof(struct pt_regs, t6) == 32 + 30 * 8, "PT_X(31)");

extern char trap_entry[], secondary_entry[], thread_trampoline[], boot_stack[];

/* ---- Console -------------------------------------------------------------------------------- */

static bool have_dbcn;

static void sbi_putc(char c)
{
	if (have_dbcn)
		sbi_ecall(SBI_EXT_DBCN, SBI_DBCN_WRITE_BYTE, (u8)c, 0, 0, 0);
	else
		sbi_ecall(SBI_EXT_LEGACY_PUTCHAR, 0, (u8)c, 0, 0, 0);
}

static const struct console sbi_console = { .name = "sbi", .putc_polled = sbi_putc };

static void sbi_console_init(void)
{
	have_dbcn = sbi_ecall(SBI_EXT_BASE, SBI_BASE_PROBE, SBI_EXT_DBCN, 0, 0, 0).value > 0;
	console_register(&sbi_console);
}

/* ---- CPUs ----------------------------------------------------------------------------------- */

void arch_cpu_init(struct cpu *cpu)
{
	csr_write(CSR_STVEC, trap_entry);
	if (cpu == &cpus[0])
		sbi_console_init();
}

int arch_cpu_up(struct cpu *cpu)
{
	long err = sbi_ecall(SBI_EXT_HSM, SBI_HSM_HART_START, cpu->hwid,
			     (unsigned long)secondary_entry, (unsigned long)cpu, 0).error;

	switch (err) {
	case SBI_SUCCESS:
		return 0;
	case SBI_ERR_INVALID_PARAM:
		return -ENODEV;
	case SBI_ERR_ALREADY_AVAILABLE:
		return -EBUSY;
	case SBI_ERR_NOT_SUPPORTED:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

void arch_cpu_down(void)
{
	sbi_ecall(SBI_EXT_HSM, SBI_HSM_HART_STOP, 0, 0, 0, 0);
	panic("cpu %u: the firmware did not stop this hart", smp_processor_id());
}

void arch_exit(int status)
{
	arch_local_irq_disable();
	machine_exit(status);
	sbi_ecall(SBI_EXT_SRST, SBI_SRST_RESET, SBI_SRST_SHUTDOWN,
		  status ? SBI_SRST_SYSTEM_FAILURE : SBI_SRST_NO_REASON, 0, 0);
	for (;;)
		arch_wait_for_interrupt();
}

/* The tree has the rate: "timebase-frequency". */
u64 arch_counter_hz(void)
{
	return 0;
}

/* ---- Threads -------------------------------------------------------------------------------- */

void arch_thread_init(struct thread *thread)
{
	thread->context[0] = (unsigned long)thread_trampoline;
	thread->context[1] = (unsigned long)thread->stack + STACK_SIZE;
}

void *arch_boot_stack(void)
{
	return boot_stack;
}
