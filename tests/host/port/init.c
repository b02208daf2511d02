/* host_init(), interrupts as the program makes them, and the hooks that mean nothing here. */
#include <kernel/interrupt.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/softirq.h>
#include <kernel/trace.h>
#include "flow.h"

unsigned int host_ncpus;

void host_forget(void)
{
	host_mem_reset();
	host_snapshot();
	host_mmio_reset();
	host_csr_reset();
	host_time_reset();
	host_console_reset();
	host_idle_reset();
	host_flow_reset();
	arch_set_this_cpu(&cpus[0]);
	host_console_start();
}

static int idle_main(void *unused)
{
	(void)unused;
	idle_loop();
}

static void make_cpu(unsigned int id)
{
	struct cpu *cpu = &cpus[id];

	cpu->id = id;
	cpu->hwid = id;
	cpu->online = true;
	cpumask_set_cpu(id, &cpu_possible_mask_);
	cpumask_set_cpu(id, &cpu_online_mask_);
}

void host_init(unsigned int ncpus)
{
	if (!ncpus || ncpus > NR_CPUS)
		host_die("host_init(%u): 1 to %u CPUs", ncpus, NR_CPUS);
	host_forget();
	host_ncpus = nr_cpu_ids = ncpus;
	for (unsigned int i = 0; i < ncpus; i++)
		make_cpu(i);
	time_init();
	timers_init();
	thread_init();
	cpus[0].idle->fn = idle_main;
	host_set_cpu(0);		/* before there are threads that would run instead of it */
	for (unsigned int i = 0; i < ncpus; i++) {
		if (i && thread_init_cpu(&cpus[i]))
			host_die("no memory for CPU %u", i);
		cpus[i].idle->fn = idle_main;
		if (softirq_init_cpu(&cpus[i]))
			host_die("no memory for CPU %u", i);
	}
	trace_init();
	host_clock_start();
	irq_init();
	host_run_deferred();
}

void host_take_irqs(void)
{
	struct pt_regs regs = { 0 };
	int cause;

	for (unsigned int n = 0; (cause = host_pending_cause(smp_processor_id())) >= 0; n++) {
		if (!handle_arch_irq || n == 1000000)
			host_die("CPU %u: cause %d %s", smp_processor_id(), cause,
				 n ? "never stops" : "and no root chip");
		host_irqs_on = false;
		regs.cause = 1UL << 63 | cause;
		irq_enter();
		handle_arch_irq(&regs);
		irq_exit();
		host_irqs_on = true;
	}
}

void host_irq_enter(void)
{
	if (flow.irq_nesting == ARRAY_SIZE(flow.irq_flags))
		host_die("host_irq_enter(): nested too deep");
	flow.irq_flags[flow.irq_nesting++] = arch_local_irq_save();
	irq_enter();
}

void host_irq_exit(void)
{
	if (!flow.irq_nesting)
		host_die("host_irq_exit() without host_irq_enter()");
	irq_exit();
	arch_local_irq_restore(flow.irq_flags[--flow.irq_nesting]);
}

/* ---- Hooks that a process cannot or need not do ------------------------------------------------- */

void arch_cpu_init(struct cpu *cpu)
{
	arch_set_this_cpu(cpu);
}

void arch_cpu_down(void)
{
	host_die("CPU %u went down", smp_processor_id());
}

void mm_map(void)
{
}

void *arch_boot_stack(void)
{
	return stack_alloc();
}

void arch_show_regs(const struct pt_regs *regs)
{
	printk("cause %lx\n", regs->cause);
}

void arch_backtrace(const struct pt_regs *regs, backtrace_fn put, void *arg)
{
	if (regs)
		put(arg, regs->epc, NULL);
}

/* The table of names that the kernel's second link fills. */
int fdt_appendprop(void *fdt, int node, const char *name, const void *value, int len);
extern const u32 ksyms_count, ksyms_offset[], ksyms_name[];
extern const char ksyms_strings[];
const u32 ksyms_count, ksyms_offset[1], ksyms_name[1];
const char ksyms_strings[1];
char __text_start[1], __text_end[1], __image_end[1];

/* libfdt's one file that reads addresses can also write them. */
int __attribute__((weak)) fdt_appendprop(void *fdt, int node, const char *name, const void *value,
					 int len)
{
	(void)fdt, (void)node, (void)name, (void)value, (void)len;
	return -1;
}
