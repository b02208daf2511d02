/*
 * host_boot(): a machine starts as on hardware, from a device tree, with models behind its
 * registers. Other CPUs are started by the kernel: arch_cpu_up() runs kernel_secondary_main() as
 * that CPU, on its idle thread's stack, until it is idle for the first time; then the CPU is one
 * that nobody acts as, like any other.
 */
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/mm.h>
#include <kernel/of.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/softirq.h>
#include <kernel/trace.h>
#include "flow.h"

static __thread struct thread starter;		/* waits in arch_cpu_up() */
static __thread struct host_context starter_context;
static __thread bool starting;

static int secondary_main(void *unused)
{
	(void)unused;
	arch_local_irq_disable();
	kernel_secondary_main();
}

static int idle_main(void *unused)
{
	(void)unused;
	idle_loop();
}

/* What the CPU has on its stack when it is idle is given up: the next switch to its idle thread
 * shall find it as a new one, which ends that switch properly. */
int arch_cpu_up(struct cpu *cpu)
{
	struct cpu *back = this_cpu();
	unsigned long flags = arch_local_irq_save();

	cpu->idle->fn = secondary_main;
	starter.arch_private = &starter_context;
	starter.state = THREAD_RUNNABLE;
	starting = true;
	arch_set_this_cpu(cpu);
	arch_switch(&starter, cpu->idle);
	cpu->idle->fn = idle_main;
	arch_thread_init(cpu->idle);
	arch_set_this_cpu(back);
	arch_local_irq_restore(flags);
	return 0;
}

void host_cpu_is_up(void)
{
	if (!starting)
		return;
	starting = false;
	arch_switch(this_cpu()->idle, &starter);
}

void host_boot(const void *fdt, u64 boot_hwid, void (*models)(void))
{
	host_forget();
	models();
	cpus[0].hwid = boot_hwid;
	if (of_init(fdt))
		host_die("host_boot(): no usable device tree");
	smp_init_cpus();
	host_ncpus = nr_cpu_ids;
	time_init();
	timers_init();
	thread_init();
	cpus[0].idle->fn = idle_main;
	trace_init();
	host_clock_start();
	host_set_cpu(0);
	softirq_init();
	irq_init();
	of_irq_init();
	of_probe_drivers(PROBE_EARLY);
	smp_boot_cpus();
	of_probe_drivers(PROBE_NORMAL);
}
