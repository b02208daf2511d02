/*
 * APLIC in direct delivery mode, the harts: each has an IDC (interrupt delivery control structure),
 * which signals the external interrupt while something enabled is pending for the hart, and tells
 * what by a read of claimi. Manual: RISC-V AIA, 4.7 (pending bits) and 4.8.
 *
 *   pending[n] & enable[n] --> target[n]: hart, priority --> IDC of that hart --> cause 9
 *                                                             claimi: source <--- claim loop
 *
 * A level remains pending while the wire says so. QEMU forgets to take the bit back when the wire
 * falls, and offers every level a second time; so the wire itself is asked: see aplic_is_stale().
 */
#include <drivers/irqchip/aplic.h>
#include <drivers/irqchip/riscv-intc.h>
#include <kernel/interrupt.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/trace.h>

#define IDC(hart)		(0x4000 + 32UL * (hart))
#define IDC_SIZE		32
#define  IDELIVERY		0x00
#define  IFORCE			0x04
#define  ITHRESHOLD		0x08
#define  CLAIMI			0x1c
#define  CLAIMI_SOURCE_SHIFT	16

static unsigned int parent_irq;

/* ---- The interrupt -------------------------------------------------------------------------- */

/* The signal was on its way when the line moved or fell. [AIA 4.8.2] */
static void __attribute__((noinline)) aplic_spurious(struct aplic *aplic)
{
	if (!__atomic_fetch_add(&aplic->spurious, 1, __ATOMIC_RELAXED))
		pr_info("%s: cpu %u was interrupted and found nothing to claim (told once)",
			aplic->domain->name, smp_processor_id());
}

static void __attribute__((noinline)) aplic_unmapped(struct aplic *aplic, u32 source)
{
	writel(source, aplic->regs + CLRIENUM);
	if (!__atomic_fetch_add(&aplic->unmapped, 1, __ATOMIC_RELAXED))
		pr_warn("%s: cpu %u turned off source %u, which no driver has mapped (told once)",
			aplic->domain->name, smp_processor_id(), source);
}

/* The second offer of a level that was claimed while its wire was high. Not so a claim without such
 * a one before it: that was a pulse, and what it meant the driver must find out. */
static bool aplic_is_stale(struct aplic *aplic, u32 source)
{
	const struct irq_data *d = irq_domain_lookup(aplic->domain, source);
	bool high, was_high;

	if (!d || !aplic_is_level(d))
		return false;
	high = aplic_bit(aplic, IN_CLRIP(0), source);
	was_high = __atomic_load_n(&aplic->claimed_high[source], __ATOMIC_RELAXED);
	__atomic_store_n(&aplic->claimed_high[source], high, __ATOMIC_RELAXED);
	return !high && was_high;
}

static void aplic_handle_irq(struct irq_desc *desc)
{
	const struct aplic_idc *idc = &aplic_idcs[smp_processor_id()];
	const struct irq_chip *chip = irq_desc_get_chip(desc);
	struct aplic *aplic = idc->aplic;
	unsigned int claims = 0;
	u32 source;

	chained_irq_enter(chip, desc);
	for (; (source = readl(idc->regs + CLAIMI) >> CLAIMI_SOURCE_SHIFT); claims++) {
		if (aplic_is_stale(aplic, source))
			continue;
		station(ST_CLAIM, 0, &aplic_direct_chip, source, 0);
		if (unlikely(generic_handle_domain_irq(aplic->domain, source)))
			aplic_unmapped(aplic, source);
	}
	station(ST_CLAIM, 0, &aplic_direct_chip, 0, 0);
	if (unlikely(!claims))
		aplic_spurious(aplic);
	chained_irq_exit(chip, desc);
}

void aplic_diagnose_idc(struct diagnosis *dx, const struct aplic_idc *idc, u32 priority)
{
	u32 threshold = readl(idc->regs + ITHRESHOLD), delivery = readl(idc->regs + IDELIVERY);

	diagnose(dx, !threshold || priority < threshold, "threshold",
		 "ithreshold of cpu %u is %u, the source's priority %u", dx->cpu, threshold,
		 priority);
	diagnose(dx, delivery == 1, "delivery", "idelivery of cpu %u is %u", dx->cpu, delivery);
}

/* ---- Starting ------------------------------------------------------------------------------- */

/* The hart of entry n of interrupts-extended has index n, if the tree does not tell another. */
static int aplic_find_idcs(struct aplic *aplic, struct device_node *node)
{
	unsigned int found = 0;
	int cpu;

	for (u32 i = 0; (cpu = riscv_intc_cpu_of_output(node, i)) != -ENOENT; i++) {
		u32 hart = i;

		if (cpu == -EINVAL)
			return cpu;
		if (cpu < 0)
			continue;
		of_property_read_u32_index(node, "riscv,hart-indexes", i, &hart);
		if (IDC(hart) + IDC_SIZE > aplic->size || aplic_idcs[cpu].aplic) {
			pr_err("%s: hart index %u, of cpu %u, %s", node->fwnode.name, hart, cpu,
			       aplic_idcs[cpu].aplic ? "is not its first one" :
			       "lies behind the end of reg");
			return -EINVAL;
		}
		cpumask_set_cpu(cpu, &aplic->cpus);
		aplic_idcs[cpu].aplic = aplic;
		aplic_idcs[cpu].regs = aplic->regs + IDC(hart);
		aplic_idcs[cpu].hart = hart;
		found++;
	}
	if (!found)
		pr_err("%s: it interrupts no CPU in S-mode", node->fwnode.name);
	return found ? 0 : -ENODEV;
}

/* Firmware has left it off on every CPU but the one it booted on. */
static void aplic_cpu_up(unsigned int cpu)
{
	if (!aplic_idcs[cpu].aplic)
		return;
	writel(0, aplic_idcs[cpu].regs + IFORCE);
	writel(0, aplic_idcs[cpu].regs + ITHRESHOLD);		/* lets all through */
	writel(1, aplic_idcs[cpu].regs + IDELIVERY);
	enable_percpu_irq(parent_irq, IRQ_TYPE_NONE);
}

static void aplic_cpu_down(unsigned int cpu)
{
	if (!aplic_idcs[cpu].aplic)
		return;
	disable_percpu_irq(parent_irq);
	writel(0, aplic_idcs[cpu].regs + IDELIVERY);
}

/* Only the first APLIC takes the external interrupt: the handler finds each CPU's own. */
static int aplic_connect(struct device_node *parent)
{
	unsigned long flags;
	int irq;

	if (parent_irq) {
		flags = arch_local_irq_save();
		aplic_cpu_up(smp_processor_id());
		arch_local_irq_restore(flags);
		return 0;
	}
	irq = riscv_intc_chain_external(parent, aplic_handle_irq);
	if (irq < 0)
		return irq;
	parent_irq = irq;
	cpu_hooks("aplic", aplic_cpu_up, aplic_cpu_down);
	return 0;
}

int aplic_direct_setup(struct aplic *aplic, struct device_node *node, struct device_node *parent)
{
	int ret;

	if (readl(aplic->regs + DOMAINCFG) & DOMAINCFG_DM) {
		pr_err("%s: can only send messages, but has no msi-parent", aplic->dev.name);
		return -ENODEV;
	}
	ret = aplic_find_idcs(aplic, node);
	if (ret)
		goto forget_idcs;
	aplic->domain = irq_domain_create_linear(&node->fwnode, aplic->nr_sources + 1,
						 &aplic_direct_ops, aplic);
	ret = -ENOMEM;
	if (!aplic->domain)
		goto forget_idcs;
	irq_domain_set_name(aplic->domain, "aplic");
	aplic->target = aplic_idc_target;
	ret = aplic_connect(parent);
	if (ret)
		goto remove_domain;
	irq_domain_set_chained_on(aplic->domain, parent_irq);
	return 0;

remove_domain:
	irq_domain_remove(aplic->domain);
forget_idcs:
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		if (aplic_idcs[cpu].aplic == aplic)
			aplic_idcs[cpu].aplic = NULL;
	return ret;
}
