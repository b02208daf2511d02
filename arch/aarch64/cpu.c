/*
 * A CPU's life: first steps, start and stop by the firmware, threads' first contexts.
 *
 *	arch_cpu_up(cpu) --PSCI CPU_ON(hwid, secondary_entry, cpu)--> kernel_secondary_main()
 *
 * A hardware id is the affinity part of MPIDR_EL1, as in the tree's cpu nodes and in PSCI.
 */
#include <asm/layout.h>
#include <asm/offsets.h>
#include <asm/psci.h>
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
_Static_assert(offsetof(struct thread, context) == 0, "arch_switch()");
_Static_assert(sizeof(((struct thread *)0)->context) >= 13 * 8, "arch_switch()");
_Static_assert(BOOT_STACK_SIZE == STACK_SIZE, "entry.S");
_Static_assert(KERNEL_BASE == RAM_BASE + KERNEL_OFFSET, "the flat image");
_Static_assert(sizeof(struct pt_regs) == 304 && 304 < STACK_ROOM, "PT_SIZE");
_Static_assert(offsetof(struct pt_regs, pstate) == 152, "PT_PSTATE");
_Static_assert(offsetof(struct pt_regs, lr) == 160, "PT_LR");
_Static_assert(offsetof(struct pt_regs, y) == 176, "PT_Y(19)");
_Static_assert(offsetof(struct pt_regs, sp) == 264, "PT_SP");
_Static_assert(offsetof(struct pt_regs, vector) == 288, "PT_VECTOR");

#define PMU_VERSION(dfr0)	((dfr0) >> 8 & 0xf)	/* 0 and 15: none of the architecture's */
#define PMCR_E			0x01
#define PMCR_LC			0x40			/* the cycle counter has 64 bits */
#define PMCNTEN_CYCLES		(1UL << 31)

extern char vectors[], secondary_entry[], thread_trampoline[], boot_stack[];

bool arm_has_cycles;

/* ---- CPUs ----------------------------------------------------------------------------------- */

/* Lets the PMU's cycle counter run, for arch_cycles(). [ARM PMCR_EL0] */
static void start_cycles(void)
{
	unsigned int version = PMU_VERSION(sysreg_read(id_aa64dfr0_el1));

	if (!version || version == 15)
		return;
	sysreg_write(pmccfiltr_el0, 0);
	sysreg_write(pmcntenset_el0, PMCNTEN_CYCLES);
	sysreg_write(pmcr_el0, PMCR_E | PMCR_LC);
	arm_has_cycles = true;
}

/* An asynchronous error is reported at once, wherever it comes. */
void arch_cpu_init(struct cpu *cpu)
{
	(void)cpu;
	sysreg_write(vbar_el1, vectors);
	isb();
	__asm__ volatile("msr daifclr, %0" : : "i"(DAIF_A) : "memory");
	start_cycles();
}

/* One that has asked to be off may still be on its way, and must not be started then. [PSCI 5.7] */
int arch_cpu_up(struct cpu *cpu)
{
	long err;

	if (psci_call(PSCI_AFFINITY_INFO, cpu->hwid, 0, 0) == PSCI_AFFINITY_ON)
		return -EBUSY;
	err = psci_call(PSCI_CPU_ON, cpu->hwid, (u64)secondary_entry, (u64)cpu);
	switch (err) {
	case PSCI_SUCCESS:
		return 0;
	case PSCI_INVALID_PARAMETERS:
	case PSCI_NOT_PRESENT:
		return -ENODEV;
	case PSCI_ALREADY_ON:
	case PSCI_ON_PENDING:
		return -EBUSY;
	case PSCI_NOT_SUPPORTED:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

void arch_cpu_down(void)
{
	psci_call(PSCI_CPU_OFF, 0, 0, 0);
	panic("cpu %u: the firmware did not stop this CPU", smp_processor_id());
}

/* Where firmware has not set CNTFRQ_EL0, the tree has the rate. [DT-ARM arm,arch_timer.yaml] */
u64 arch_counter_hz(void)
{
	struct device_node *timer = of_find_compatible_node(NULL, "arm,armv8-timer");
	u32 hz = sysreg_read(cntfrq_el0);

	if (!hz && timer)
		of_property_read_u32(timer, "clock-frequency", &hz);
	return hz;
}

/* ---- Threads -------------------------------------------------------------------------------- */

void arch_thread_init(struct thread *thread)
{
	thread->context[0] = (unsigned long)thread_trampoline;
	thread->context[1] = (unsigned long)thread->stack + STACK_SIZE;
	thread->context[12] = 0;		/* no frame record above the first one */
}

void *arch_boot_stack(void)
{
	return boot_stack;
}
