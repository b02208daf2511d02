/*
 * The generic timer: one counter for all CPUs and, in each CPU, a comparator that interrupts
 * through a private interrupt (PPI) while the counter is at or above it. [ARM CNTV_CTL_EL0]
 *
 *	CNTVCT_EL0  >=  CNTV_CVAL_EL0  and  CNTV_CTL_EL0: ENABLE, not IMASK   ->  level on the PPI
 *
 * Used: the virtual timer, which an EL1 kernel has under every hypervisor and without one. The
 * tree lists the timers' PPIs in a fixed order, virtual third. [DT-ARM arm,arch_timer.yaml]
 */
#include <asm/sysreg.h>
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/printk.h>
#include <kernel/smp.h>

#define TIMER_VIRTUAL		2	/* index in "interrupts" */

#define CNTV_CTL_ENABLE		1
#define CNTV_CTL_IMASK		2

static unsigned int timer_irq;
static u8 cookie[NR_CPUS];

/* Far ahead is also masked: the comparator could be reached while it is being changed. */
static void set_compare(u64 counter)
{
	sysreg_write(cntv_cval_el0, counter);
	sysreg_write(cntv_ctl_el0,
		     counter == ~0ULL ? CNTV_CTL_ENABLE | CNTV_CTL_IMASK : CNTV_CTL_ENABLE);
	isb();				/* the line is down before the interrupt is ended */
}

static const struct clock_device virtual_clock = { .name = "cntv", .set = set_compare };

static irqreturn_t timer_interrupt(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	clock_tick();
	return IRQ_HANDLED;
}

static void enable_on_this_cpu(unsigned int cpu)
{
	(void)cpu;
	set_compare(~0ULL);		/* firmware may have left it running */
	enable_percpu_irq(timer_irq, IRQ_TYPE_NONE);
}

static void disable_on_this_cpu(unsigned int cpu)
{
	(void)cpu;
	disable_percpu_irq(timer_irq);
}

static int arm_timer_probe(struct platform_device *pdev)
{
	int err, irq = platform_get_irq(pdev, TIMER_VIRTUAL);

	if (irq < 0)
		return irq;
	err = request_percpu_irq(irq, timer_interrupt, "timer", cookie);
	if (err)
		return err;
	timer_irq = irq;
	cpu_hooks("timer", enable_on_this_cpu, disable_on_this_cpu);
	clock_register(&virtual_clock);
	return 0;
}

static const struct of_driver arm_timer = {
	.name = "arm-arch-timer",
	.compatible = (const char *const[]){ "arm,armv8-timer", NULL },
	.stage = PROBE_EARLY,
	.probe = arm_timer_probe,
};
OF_DRIVER(arm_timer);
