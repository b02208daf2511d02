/*
 * The clock of each hart: the supervisor timer interrupt, cause 5, when time >= a compare value.
 *
 *	Sstc	write CSR stimecmp; the interrupt is pending while time >= stimecmp [SSTC 2.1]
 *	else	the firmware's set_timer does the same [SBI 6.1]
 *
 * QEMU's tree has no node for it, only the harts' own: this driver binds to the first one and takes
 * hwirq 5 of its interrupt controller, one per-CPU irq for all harts.
 */
#include <asm/csr.h>
#include <asm/isa.h>
#include <asm/sbi.h>
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/irqdomain.h>
#include <kernel/printk.h>
#include <kernel/smp.h>

static unsigned int timer_irq;
static u8 cookie[NR_CPUS];

static void set_stimecmp(u64 counter)
{
	csr_write(CSR_STIMECMP, counter);
}

static void set_by_firmware(u64 counter)
{
	sbi_ecall(SBI_EXT_TIME, SBI_TIME_SET_TIMER, counter, 0, 0, 0);
}

static const struct clock_device sstc_clock = { .name = "sstc", .set = set_stimecmp };
static const struct clock_device sbi_clock = { .name = "sbi", .set = set_by_firmware };

static irqreturn_t timer_interrupt(int irq, void *dev_id)
{
	(void)irq;
	(void)dev_id;
	clock_tick();
	return IRQ_HANDLED;
}

static void enable_on_this_cpu(unsigned int cpu)
{
	(void)cpu;
	enable_percpu_irq(timer_irq, IRQ_TYPE_NONE);
}

static void disable_on_this_cpu(unsigned int cpu)
{
	(void)cpu;
	disable_percpu_irq(timer_irq);
}

static unsigned int map_timer_irq(struct device_node *hart)
{
	struct irq_fwspec spec = { .param_count = 1, .param = { IRQ_S_TIMER } };
	struct device_node *np;

	for_each_child_of_node(hart, np) {
		if (!of_device_is_compatible(np, "riscv,cpu-intc"))
			continue;
		spec.fwnode = of_fwnode_handle(np);
		return irq_create_fwspec_mapping(&spec);
	}
	return 0;
}

static int riscv_timer_probe(struct platform_device *pdev)
{
	const struct clock_device *clock = hart_has(pdev->node, "sstc") ? &sstc_clock : &sbi_clock;
	int err;

	if (timer_irq)
		return 0;			/* another hart's node: one line serves all */
	timer_irq = map_timer_irq(pdev->node);
	if (!timer_irq)
		return -ENXIO;
	clock->set(~0ULL);			/* nothing is pending from before */
	err = request_percpu_irq(timer_irq, timer_interrupt, "timer", cookie);
	if (err)
		return err;
	clock_register(clock);
	cpu_hooks("timer", enable_on_this_cpu, disable_on_this_cpu);
	return 0;
}

static const char *const compatible[] = { "riscv", NULL };
static const struct of_driver riscv_timer = {
	.name = "riscv-timer",
	.compatible = compatible,
	.stage = PROBE_EARLY,
	.probe = riscv_timer_probe,
};
OF_DRIVER(riscv_timer);
