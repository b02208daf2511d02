/*
 * GICv3, the interrupt controller of an arm64 machine: the root of its controller tree. Every
 * interrupt has a number, the INTID, which the CPU reads to acknowledge and writes to finish.
 * Manual: Arm GIC Architecture Specification, GICv3 (IHI 0069).
 *
 *   device --SPI--> distributor --IROUTER--+
 *   timer ---PPI-----> redistributor of --+--> CPU interface --> IRQ, ICC_IAR1 --> domain[INTID]
 *   CPU -----SGI-----> one CPU            |
 *   message -LPI-> ITS --collection-------+
 *
 * Here: the claim loop, and the domain, linear, so that a claimed INTID finds its line by one load.
 * An LPI too is in this domain; its device, event and mask are the ITS's, one level further out.
 *
 * Boot arguments: gic.eoimode=1 splits priority drop from deactivation; gic.lpis=N caps the LPIs.
 */
#include <asm/ptrace.h>
#include <drivers/irqchip/gic-v3.h>
#include <kernel/driver.h>
#include <kernel/io.h>
#include <kernel/ipi.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/trace.h>
#include <string.h>

struct gic gic;

/* ---- The interrupt -------------------------------------------------------------------------- */

/* Nobody is there to quiet the device, so a wire is turned off; and nothing is left active. */
static void __attribute__((noinline)) gic_unmapped(unsigned long intid)
{
	unsigned long n = __atomic_add_fetch(&gic.unknown, 1, __ATOMIC_RELAXED);
	bool wire = intid < gic_wires.nr_intids;

	if (wire)
		gic_quiet(intid);
	gic_eoi(intid);
	if (!(n & (n - 1)))
		pr_warn("gic: cpu %u took INTID %lu, which nobody has mapped%s (%lu such so far)",
			smp_processor_id(), intid, wire ? ", and turned it off" : "", n);
}

/* The barrier makes the GIC see the acknowledge before the device sees the handler. */
static __always_inline unsigned long gic_acknowledge(void)
{
	unsigned long intid = sysreg_read(ICC_IAR1_EL1);

	dsb(sy);
	return intid;
}

/* 1020 to 1023 are answers, not lines: nothing is active, nothing must be ended. [GIC3 2.2.1] */
static __always_inline bool gic_is_special(unsigned long intid)
{
	return (intid & ~3UL) == GIC_FIRST_SPECIAL;
}

static void gic_handle_irq(struct pt_regs *regs)
{
	unsigned long intid;

	(void)regs;
	while (!gic_is_special(intid = gic_acknowledge())) {
		station(ST_ROOT, 0, &gic_chip, intid, 0);
		if (unlikely(gic.eoimode1)) {
			sysreg_write(ICC_EOIR1_EL1, intid);
			isb();
		}
		if (unlikely(generic_handle_domain_irq(gic.domain, intid)))
			gic_unmapped(intid);
	}
}

/* ---- The domain ----------------------------------------------------------------------------- */

static bool gic_is_lpi_spec(const struct irq_fwspec *fwspec)
{
	return fwspec->param_count == 3 && fwspec->param[0] == GIC_LPI;
}

static int gic_translate(struct irq_domain *d, struct irq_fwspec *fwspec, unsigned long *hwirq,
			 unsigned int *type)
{
	u32 lpi = fwspec->param[1];

	if (!gic_is_lpi_spec(fwspec))
		return gic_wire_translate(d, fwspec, hwirq, type);
	if (lpi < GIC_FIRST_LPI || lpi >= GIC_FIRST_LPI + (u64)NR_IRQS) {
		pr_err("%s: there is no LPI %u", d->fwnode->name, lpi);
		return -EINVAL;
	}
	*hwirq = lpi;
	*type = fwspec->param[2] & IRQ_TYPE_SENSE_MASK;
	return 0;
}

/* Only the end of an LPI is this level's; the ITS masks it, moves it, and makes it pending. */
static void gic_lpi_eoi(struct irq_data *d)
{
	gic_eoi(d->hwirq);
}

static const struct irq_chip gic_lpi_chip = {
	.name = "GICv3-LPI",
	.irq_eoi = gic_lpi_eoi,
};

static int gic_domain_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs,
			    void *arg)
{
	unsigned long lpi;
	unsigned int type;
	int ret;

	if (!gic_is_lpi_spec(arg))
		return gic_wire_alloc(d, virq, nr_irqs, arg);
	if (!gic.nr_lpis)
		return -EPERM;
	ret = gic_translate(d, arg, &lpi, &type);
	for (unsigned int i = 0; !ret && i < nr_irqs; i++) {
		struct irq_data *data = irq_domain_get_irq_data(d, virq + i);

		irq_data_set_chip(data, lpi + i, &gic_lpi_chip, NULL);
		irq_data_set_flow(data, handle_fasteoi_irq, "fasteoi");
		irqd_set(data, IRQD_HANDLE_ENFORCE_IRQCTX | IRQD_SINGLE_TARGET);
	}
	return ret;
}

static const struct irq_domain_ops gic_domain_ops = {
	.translate = gic_translate,
	.alloc = gic_domain_alloc,
	.free = irq_domain_free_irqs_common,
};

/* ---- Starting ------------------------------------------------------------------------------- */

static int gic_create_ipis(void)
{
	struct irq_fwspec sgi = { .fwnode = gic.domain->fwnode, .param_count = 1 };

	return irq_domain_alloc_irqs(gic.domain, GIC_NR_SGIS, -1, &sgi);
}

static int gic_create_domain(struct device_node *node)
{
	unsigned int size = gic.nr_lpis ? GIC_FIRST_LPI + gic.nr_lpis : gic_wires.nr_intids;

	gic.domain = irq_domain_create_hierarchy(NULL, 0, size, &node->fwnode, &gic_domain_ops,
						 &gic_wires);
	if (!gic.domain)
		return -ENOMEM;
	irq_domain_set_name(gic.domain, "gic");
	irq_domain_update_bus_token(gic.domain, DOMAIN_BUS_WIRED);
	return 0;
}

static int gic_map_dist(struct device_node *node)
{
	u32 cells = 0, version;

	of_property_read_u32(node, "#interrupt-cells", &cells);
	if (cells < 3) {
		pr_err("%s: #interrupt-cells is %u, not 3", node->fwnode.name, cells);
		return -EINVAL;
	}
	gic.dist = of_iomap(node, 0);
	if (!gic.dist)
		return -EINVAL;
	version = readl(gic.dist + GIC_PIDR2) >> 4 & 0xf;
	if (version != 3 && version != 4) {
		pr_err("%s: no GICv3 distributor there, but version %u", node->fwnode.name,
		       version);
		return -ENODEV;
	}
	gic_wires.nr_intids = gic_nr_intids(readl(gic.dist + GICD_TYPER));
	return 0;
}

static int gic_init(struct device_node *node, struct device_node *parent)
{
	int ret, first;

	(void)parent;
	for (struct irq_domain *d = irq_domain_next(NULL); d; d = irq_domain_next(d))
		if (d->ops == &gic_domain_ops)
			return -EBUSY;	/* a CPU has one CPU interface */
	memset(&gic, 0, sizeof(gic));
	gic.eoimode1 = boot_arg_u64("gic.eoimode", 0) == 1;
	ret = gic_map_dist(node);
	if (ret)
		return ret;
	ret = gic_find_redists(node);
	if (ret)
		return ret;
	ret = gic_dist_start();
	if (ret)
		return ret;
	gic_count_lpis(node);
	ret = gic_create_domain(node);
	if (ret)
		return ret;
	first = ret = gic_create_ipis();
	if (first < 0)
		goto remove_domain;
	ret = set_handle_irq(gic_handle_irq);
	if (ret)
		goto free_ipis;
	cpu_hooks("gic", gic_cpu_start, gic_cpu_stop);
	set_smp_ipi_range(first, GIC_NR_SGIS);
	return 0;

free_ipis:
	irq_domain_free_irqs(first, GIC_NR_SGIS);
remove_domain:
	irq_domain_remove(gic.domain);
	return ret;
}

IRQCHIP_DECLARE(gic_v3, "arm,gic-v3", gic_init);
