/*
 * GICv2, the interrupt controller of an Arm machine with at most eight CPUs: the root of its
 * controller tree. Two blocks of registers: the distributor, which all CPUs share, and the CPU
 * interface, at one address for all, where each sees its own. Manual: Arm GIC Architecture
 * Specification, GICv2 (IHI 0048).
 *
 *   device --SPI--> distributor --ITARGETSR[n]: a bit a CPU--> CPU interface --> IRQ
 *   timer ---PPI------> registers for INTIDs 0 to 31              |   IAR: acknowledge, INTID
 *   CPU -----SGIR-----> exist once for each CPU                   '-> domain[INTID], EOIR: the end
 *
 * Used: one group, EOI mode 0 (one write drops the priority and makes the line inactive), all lines
 * of one priority. A v2m frame (gic-v2m.c) makes SPIs out of messages, and a level on top of this.
 */
#include <drivers/irqchip/gic-common.h>
#include <kernel/driver.h>
#include <kernel/ipi.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/trace.h>
#include <string.h>

#define  GICD_CTLR_Enable	BIT(0)
#define  GICD_TYPER_CPUNumber	(7U << 5)
#define GICD_ITARGETSR(n)	(0x0800 + (n))
#define GICD_SGIR		0x0f00
#define GICD_CPENDSGIR(n)	(0x0f10 + 4 * (n))
#define GICD_ICPIDR2		0x0fe8		/* bits 7:4 are the version */

#define GICC_CTLR		0x0000
#define  GICC_CTLR_Enable	BIT(0)
#define  GICC_CTLR_BypDis	(0xfU << 5)	/* what goes past it while it is off */
#define GICC_PMR		0x0004
#define GICC_BPR		0x0008
#define GICC_IAR		0x000c
#define  GICC_IAR_INTID		0x3ffU		/* bits 12:10: the CPU that sent the SGI */
#define GICC_EOIR		0x0010
#define GICC_APR(n)		(0x00d0 + 4 * (n))

static struct gic2 {
	struct irq_domain *domain;
	char *dist, *cpu;
	u8 target[NR_CPUS];		/* each CPU's bit in ITARGETSR and SGIR; 0: not started */
	u32 sgi[NR_CPUS];		/* what IAR said when it took its last SGI */
	unsigned long unknown;		/* claims of INTIDs that nobody has */
} gic2;

/* ---- The chip ------------------------------------------------------------------------------- */

/* The same SGI from two CPUs is active twice; the end must say which of them. [GIC2 GICC_EOIR] */
static void gic2_irq_eoi(struct irq_data *d)
{
	u32 iar = d->hwirq;

	if (iar < GIC_NR_SGIS)
		iar = gic2.sgi[smp_processor_id()];
	writel(iar, gic2.cpu + GICC_EOIR);
}

/* The write is ordered behind what the SGI is about, as every register write is. (S-102) */
static void gic2_send_sgi(struct irq_data *d, unsigned int cpu)
{
	if (!WARN_ON(d->hwirq >= GIC_NR_SGIS))
		writel((u32)gic2.target[cpu] << 16 | d->hwirq, gic2.dist + GICD_SGIR);
}

static const struct irq_chip gic2_chip = {
	.name = "GICv2",
	.irq_mask = gic_wire_mask,
	.irq_unmask = gic_wire_unmask,
	.irq_eoi = gic2_irq_eoi,
	.irq_set_type = gic_wire_set_type,
	.irq_set_affinity = gic_wire_set_affinity,
	.irq_retrigger = gic_wire_retrigger,
	.irq_get_irqchip_state = gic_wire_get_state,
	.irq_set_irqchip_state = gic_wire_set_state,
	.ipi_send_single = gic2_send_sgi,
	.irq_diagnose = gic_wire_diagnose,
	.flags = IRQCHIP_SET_TYPE_MASKED,
};

/* Of the calling CPU's own lines, too. */
static char *gic2_bank(u32 intid __maybe_unused) { return gic2.dist; }

/* One target, though there could be several. Single bytes of the registers may be written. */
static int gic2_route(u32 spi, unsigned int cpu)
{
	if (!gic2.target[cpu])
		return -EINVAL;
	writeb(gic2.target[cpu], gic2.dist + GICD_ITARGETSR(spi));
	return 0;
}

static void gic2_read_path(u32 intid, struct gic_path *path)
{
	path->ctlr = readl(gic2.dist + GICD_CTLR);
	path->distributor = path->ctlr & GICD_CTLR_Enable;
	path->interface = readl(gic2.cpu + GICC_CTLR) & GICC_CTLR_Enable;
	path->mask = readl(gic2.cpu + GICC_PMR);
	path->route = readb(gic2.dist + GICD_ITARGETSR(intid));
	path->routed = intid < GIC_NR_SGIS || path->route & gic2.target[smp_processor_id()];
}

static struct gic_wires gic2_wires = {
	.chip = &gic2_chip, .bank = gic2_bank, .route = gic2_route, .read_path = gic2_read_path,
};

/* ---- The interrupt -------------------------------------------------------------------------- */

/* Nobody is there to quiet the device, so its line is turned off; and nothing is left active. */
static void __attribute__((noinline)) gic2_unmapped(u32 iar)
{
	unsigned long n = __atomic_add_fetch(&gic2.unknown, 1, __ATOMIC_RELAXED);
	u32 intid = iar & GICC_IAR_INTID;

	gic_poke(gic2.dist, intid, GICD_ICENABLER);
	writel(iar, gic2.cpu + GICC_EOIR);
	if (!(n & (n - 1)))
		pr_warn("gic: cpu %u took INTID %u, which nobody has mapped, and turned it off "
			"(%lu such so far)", smp_processor_id(), intid, n);
}

/* 1020 to 1023 are answers, not lines: nothing is active, nothing must be ended. [GIC2 3.2.5] */
static void gic2_handle_irq(struct pt_regs *regs)
{
	u32 iar, intid;

	(void)regs;
	for (;;) {
		iar = readl(gic2.cpu + GICC_IAR);
		intid = iar & GICC_IAR_INTID;
		if (intid >= GIC_FIRST_SPECIAL)
			return;
		station(ST_ROOT, 0, &gic2_chip, intid, 0);
		if (intid < GIC_NR_SGIS)
			gic2.sgi[smp_processor_id()] = iar;
		if (unlikely(generic_handle_domain_irq(gic2.domain, intid)))
			gic2_unmapped(iar);
	}
}

/* ---- Each CPU ------------------------------------------------------------------------------- */

/* The calling CPU's number at the GIC, as a bit. No tree tells it, but the targets of its own lines
 * read as just that; where there is one interface only, they read as zero. [GIC2 GICD_ITARGETSR] */
static u8 gic2_own_target(void)
{
	if (!(readl(gic2.dist + GICD_TYPER) & GICD_TYPER_CPUNumber))
		return 1;
	for (u32 intid = 0; intid < GIC_FIRST_SPI; intid++) {
		u8 target = readb(gic2.dist + GICD_ITARGETSR(intid));

		if (target)
			return target;
	}
	return 0;
}

static int gic2_find_target(unsigned int cpu)
{
	u8 target = gic2_own_target();

	if (!target || target & (target - 1)) {
		pr_err("gic: cpu %u: its targets read %#x, which is not one CPU", cpu, target);
		return -ENODEV;
	}
	for (unsigned int other = 0; other < NR_CPUS; other++) {
		if (other != cpu && gic2.target[other] == target) {
			pr_err("gic: cpu %u has the same target %#x as cpu %u", cpu, target, other);
			return -EEXIST;
		}
	}
	gic2.target[cpu] = target;
	return 0;
}

/* The interface comes last: what it may hand over has been reset. Priorities that were active
 * when the kernel was entered would hold back everything. A CPU that no interrupt can reach cannot
 * be woken either, so it leaves. */
static void gic2_cpu_start(unsigned int cpu)
{
	u32 bypass = readl(gic2.cpu + GICC_CTLR) & GICC_CTLR_BypDis;

	if (gic2_find_target(cpu)) {
		if (cpu == 0)
			panic("gic: the boot CPU gets no interrupts");
		arch_cpu_down();
	}
	writel(bypass, gic2.cpu + GICC_CTLR);
	gic_reset_wires(gic2.dist, 0, GIC_FIRST_SPI);
	for (unsigned int i = 0; i < 4; i++) {
		writel(~0U, gic2.dist + GICD_CPENDSGIR(i));
		writel(0, gic2.cpu + GICC_APR(i));
	}
	writel(GIC_PRIORITY_ALL, gic2.cpu + GICC_PMR);
	writel(0, gic2.cpu + GICC_BPR);
	writel(bypass | GICC_CTLR_Enable, gic2.cpu + GICC_CTLR);
}

/* Its lines have gone to others, with what is pending. */
static void gic2_cpu_stop(unsigned int cpu __maybe_unused)
{
	writel(readl(gic2.cpu + GICC_CTLR) & ~GICC_CTLR_Enable, gic2.cpu + GICC_CTLR);
}

/* ---- Starting ------------------------------------------------------------------------------- */

static int gic2_map_registers(struct device_node *node)
{
	u32 cells = 0, version;

	of_property_read_u32(node, "#interrupt-cells", &cells);
	if (cells != 3) {
		pr_err("%s: #interrupt-cells is %u, not 3", node->fwnode.name, cells);
		return -EINVAL;
	}
	gic2.dist = of_iomap(node, 0);
	gic2.cpu = of_iomap(node, 1);
	if (!gic2.dist || !gic2.cpu)
		return -EINVAL;
	version = readl(gic2.dist + GICD_ICPIDR2) >> 4 & 0xf;
	if (version != 2) {
		pr_err("%s: no GICv2 distributor there, but version %u", node->fwnode.name,
		       version);
		return -ENODEV;
	}
	gic2_wires.nr_intids = gic_nr_intids(readl(gic2.dist + GICD_TYPER));
	return 0;
}

static int gic2_dist_start(void)
{
	int ret = gic2_find_target(0);

	if (ret)
		return ret;
	writel(0, gic2.dist + GICD_CTLR);
	gic_reset_wires(gic2.dist, GIC_FIRST_SPI, gic2_wires.nr_intids - GIC_FIRST_SPI);
	for (u32 intid = GIC_FIRST_SPI; intid < gic2_wires.nr_intids; intid++)
		gic2_route(intid, 0);
	writel(GICD_CTLR_Enable, gic2.dist + GICD_CTLR);
	return 0;
}

static const struct irq_domain_ops gic2_domain_ops = {
	.translate = gic_wire_translate,
	.alloc = gic_wire_alloc,
	.free = irq_domain_free_irqs_common,
};

/* The domain with the SGIs in it: the first of them, or an errno. */
static int gic2_create_domain(struct device_node *node)
{
	struct irq_fwspec sgi = { .fwnode = &node->fwnode, .param_count = 1 };
	int first;

	gic2.domain = irq_domain_create_hierarchy(NULL, 0, gic2_wires.nr_intids,
						  &node->fwnode, &gic2_domain_ops, &gic2_wires);
	if (!gic2.domain)
		return -ENOMEM;
	irq_domain_set_name(gic2.domain, "gic");
	irq_domain_update_bus_token(gic2.domain, DOMAIN_BUS_WIRED);
	first = irq_domain_alloc_irqs(gic2.domain, GIC_NR_SGIS, -1, &sgi);
	if (first < 0)
		irq_domain_remove(gic2.domain);
	return first;
}

static int gic2_init(struct device_node *node, struct device_node *parent)
{
	int ret, first;

	(void)parent;
	for (struct irq_domain *d = irq_domain_next(NULL); d; d = irq_domain_next(d))
		if (d->ops == &gic2_domain_ops)
			return -EBUSY;	/* a CPU has one CPU interface */
	memset(&gic2, 0, sizeof(gic2));
	ret = gic2_map_registers(node);
	if (ret)
		return ret;
	ret = gic2_dist_start();
	if (ret)
		return ret;
	first = gic2_create_domain(node);
	if (first < 0)
		return first;
	ret = set_handle_irq(gic2_handle_irq);
	if (ret) {
		irq_domain_free_irqs(first, GIC_NR_SGIS);
		irq_domain_remove(gic2.domain);
		return ret;
	}
	cpu_hooks("gic", gic2_cpu_start, gic2_cpu_stop);
	set_smp_ipi_range(first, GIC_NR_SGIS);
	return 0;
}

IRQCHIP_DECLARE(gic_a15, "arm,cortex-a15-gic", gic2_init);
IRQCHIP_DECLARE(gic_400, "arm,gic-400", gic2_init);
