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
static void __attribute__((noinline)) gic_unmapped(u32 intid)
{
	unsigned long n = __atomic_add_fetch(&gic.unknown, 1, __ATOMIC_RELAXED);
	bool wire = intid < gic.nr_intids;

	if (wire)
		gic_quiet(intid);
	gic_eoi(intid);
	if (!(n & (n - 1)))
		pr_warn("gic: cpu %u took INTID %u, which nobody has mapped%s (%lu such so far)",
			smp_processor_id(), intid, wire ? ", and turned it off" : "", n);
}

/* The barrier makes the GIC see the acknowledge before the device sees the handler. */
static __always_inline u32 gic_acknowledge(void)
{
	u32 intid = sysreg_read(ICC_IAR1_EL1);

	dsb(sy);
	return intid;
}

/* 1020 to 1023 are answers, not lines: nothing is active, nothing must be ended. [GIC3 2.2.1] */
static __always_inline bool gic_is_special(u32 intid)
{
	return (intid & ~3U) == GIC_FIRST_SPECIAL;
}

static void gic_handle_irq(struct pt_regs *regs)
{
	u32 intid;

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

static int gic_bad_spec(const struct irq_domain *d, const struct irq_fwspec *fwspec,
			const char *what)
{
	pr_err("%s: interrupt <%u %u %u>: %s", d->fwnode->name, fwspec->param[0],
	       fwspec->param[1], fwspec->param[2], what);
	return -EINVAL;
}

static int gic_translate(struct irq_domain *d, struct irq_fwspec *fwspec, unsigned long *hwirq,
			 unsigned int *type)
{
	const u32 *cell = fwspec->param;

	if (fwspec->param_count == 1 && cell[0] < GIC_NR_SGIS) {	/* asked by gic_init() */
		*hwirq = cell[0];
		*type = IRQ_TYPE_EDGE_RISING;
		return 0;
	}
	if (fwspec->param_count < 3) {
		pr_err("%s: an interrupt specifier has %d cells, needs 3", d->fwnode->name,
		       fwspec->param_count);
		return -EINVAL;
	}
	*type = cell[2] & IRQ_TYPE_SENSE_MASK;
	switch (cell[0]) {
	case GIC_SPI:
		*hwirq = GIC_FIRST_SPI + (u64)cell[1];
		if (*hwirq >= gic.nr_intids)
			return gic_bad_spec(d, fwspec, "there is no such SPI");
		break;
	case GIC_PPI:
		*hwirq = GIC_NR_SGIS + (u64)cell[1];
		if (*hwirq >= GIC_FIRST_SPI)
			return gic_bad_spec(d, fwspec, "there is no such PPI");
		break;
	case GIC_LPI:
		*hwirq = cell[1];
		if (*hwirq < GIC_FIRST_LPI || *hwirq >= GIC_FIRST_LPI + (u64)NR_IRQS)
			return gic_bad_spec(d, fwspec, "there is no such LPI");
		return 0;
	default:	/* the extended ranges of GICv3.1 are known, but not used */
		return gic_bad_spec(d, fwspec, cell[0] > GIC_EPPI ? "its kind is unknown"
			: "extended SPIs and PPIs are not supported");
	}
	if (*type == IRQ_TYPE_NONE)
		pr_warn("%s: INTID %lu: the device tree does not tell its trigger type",
			d->fwnode->name, *hwirq);
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

static int gic_map(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	struct irq_data *data = irq_get_irq_data(virq);
	bool lpi = hwirq >= GIC_FIRST_LPI;
	int ret;

	if (lpi && !gic.nr_lpis)
		return -EPERM;
	irqd_set_handle_enforce_irqctx(data);	/* an end without a claim confuses the GIC */
	if (hwirq < GIC_FIRST_SPI) {
		ret = irq_set_percpu_devid(virq);
		if (!ret)
			irq_domain_set_info(d, virq, hwirq, &gic_chip, NULL,
					    handle_percpu_devid_irq, NULL, NULL);
		return ret;
	}
	irq_domain_set_info(d, virq, hwirq, lpi ? &gic_lpi_chip : &gic_chip, NULL,
			    handle_fasteoi_irq, NULL, "fasteoi");
	irqd_set_single_target(data);
	if (lpi)
		return 0;
	gic_route(hwirq, 0);
	irq_data_update_effective_affinity(data, cpumask_of(0));
	return 0;
}

static int gic_domain_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs,
			    void *arg)
{
	irq_hw_number_t hwirq;
	unsigned int type;
	int ret = gic_translate(d, arg, &hwirq, &type);

	for (unsigned int i = 0; !ret && i < nr_irqs; i++)
		ret = gic_map(d, virq + i, hwirq + i);
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
	unsigned int size = gic.nr_lpis ? GIC_FIRST_LPI + gic.nr_lpis : gic.nr_intids;

	gic.domain = irq_domain_create_hierarchy(NULL, 0, size, &node->fwnode, &gic_domain_ops,
						 NULL);
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
	/* ITLinesNumber. 1020 and above are never lines. [GIC3 GICD_TYPER] */
	gic.nr_intids = min(32 * ((readl(gic.dist + GICD_TYPER) & 0x1f) + 1),
			    (u32)GIC_FIRST_SPECIAL);
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
	cpu_on_startup("gic", gic_cpu_start);
	cpu_on_shutdown("gic", gic_cpu_stop);
	set_smp_ipi_range(first, GIC_NR_SGIS);
	return 0;

free_ipis:
	irq_domain_free_irqs(first, GIC_NR_SGIS);
remove_domain:
	irq_domain_remove(gic.domain);
	return ret;
}

IRQCHIP_DECLARE(gic_v3, "arm,gic-v3", gic_init);
