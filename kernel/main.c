/* The kernel from its first line of C to the shell: read the calls, then the files they are in. */
#include <kernel/arch.h>
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/mm.h>
#include <kernel/of.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <kernel/smp.h>
#include <kernel/trace.h>
#include <kernel/watchdog.h>

static void start(const char *name, int (*fn)(void *arg))
{
	if (!thread_create(name, fn, NULL, PRIO_NORMAL, 0))
		panic("no memory for the %s thread", name);
}

/* What no kernel can do without; its absence was explained by what looked for it. */
static void need(bool have, const char *what)
{
	if (!have)
		panic("there is no %s", what);
}

/* What may sleep: controllers, devices, CPUs, and at last the user. */
static int boot(void *unused)
{
	(void)unused;
	softirq_init();				/* work after interrupts */
	irq_init();				/* what the irq core leaves to it */
	boot_step("interrupt controllers");
	of_irq_init();				/* the controller tree, parents first */
	need(handle_arch_irq, "root interrupt controller");
	boot_step("console and clock");
	of_probe_drivers(PROBE_EARLY);		/* the devices the rest relies on */
	need(clock_present(), "clock device");
	watchdog_init();			/* from here on silence is noticed */
	boot_step("the other CPUs");
	smp_boot_cpus();			/* each enables its own interrupts */
	boot_step("devices");
	of_probe_drivers(PROBE_NORMAL);		/* PCI and what is on it */
	watchdog_boot_done();
	start("shell", shell_main);		/* demonstration, commands, prompt */
	return 0;
}

void kernel_main(const void *fdt)
{
	arch_cpu_init(this_cpu());		/* traps, firmware's console */
	of_early_init(fdt);			/* or else the one that the tree names */
	printk("Cascade\n");
	mm_early_init(fdt);			/* which memory there is */
	mm_map();				/* page tables: W^X, guard pages */
	mm_init();				/* pages and heap */
	if (of_init(fdt))			/* the device tree, as nodes */
		panic("without a device tree there is nothing to run on");
	of_probe_drivers(PROBE_FIRST);		/* how to end with a status */
	smp_init_cpus();			/* which CPUs there are */
	time_init();				/* what a second is */
	timers_init();				/* what to do when it is over */
	thread_init();				/* this flow becomes the idle thread */
	trace_init();				/* a ring of stations per CPU */
	start("boot", boot);			/* runs as soon as this flow idles */
	idle_loop();
}
