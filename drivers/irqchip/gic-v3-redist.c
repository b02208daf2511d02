/*
 * GICv3, the part of each CPU: a redistributor (a pair of 64 KiB frames), which keeps its SGIs,
 * PPIs and LPIs, and a CPU interface, made of system registers. Manual: GICv3 architecture.
 *
 *   region: | RD_base CPU a | SGI_base | RD_base CPU b | SGI_base | …  GICR_TYPER.Last ends it
 *                 |             '- SGIs and PPIs: the distributor's registers, for 32 INTIDs
 *                 '- control, wake-up, LPI tables
 *
 * Which frame belongs to which CPU only the frame itself can tell, by the affinity in GICR_TYPER.
 */
#include <drivers/irqchip/gic-v3.h>
#include <kernel/io.h>
#include <kernel/of.h>
#include <kernel/printk.h>
#include <kernel/smp.h>

#define FRAME			0x10000
#define WAIT_US			1000000

#define ICC_CTLR_CBPR		BIT(0)
#define ICC_CTLR_EOImode	BIT(1)
#define ICC_CTLR_RSS		BIT(18)

/* ---- Finding the frames --------------------------------------------------------------------- */

/* GICR_TYPER packs the four affinity fields, MPIDR has a gap below the highest. */
static int gic_cpu_of_frame(u64 typer)
{
	u64 affinity = typer >> 32;

	return cpu_by_hwid((affinity & 0xffffff) | (affinity >> 24) << 32);
}

static u64 gic_frame_step(u64 typer, u32 stride)
{
	if (stride)
		return stride;
	return typer & GICR_TYPER_VLPIS ? 4 * FRAME : 2 * FRAME;	/* GICv4 has two more */
}

static int gic_walk_region(struct device_node *node, unsigned int index, u32 stride)
{
	struct resource res;
	u64 typer, at = 0;
	char *base;

	if (of_address_to_resource(node, 1 + index, &res)) {
		pr_err("%s: reg lacks redistributor region %u", node->fwnode.name, index);
		return -EINVAL;
	}
	base = ioremap(res.start, res.size);
	if (!base)
		return -EINVAL;
	do {
		u32 version;
		int cpu;

		if (at + 2 * FRAME > res.size)
			return 0;
		version = readl(base + at + GIC_PIDR2) >> 4 & 0xf;
		if (version != 3 && version != 4) {
			pr_err("%s: no redistributor at %#llx, but version %u", node->fwnode.name,
			       (unsigned long long)(res.start + at), version);
			return -ENODEV;
		}
		typer = readq(base + at + GICR_TYPER);
		cpu = gic_cpu_of_frame(typer);
		if (cpu >= 0)
			gic.redist[cpu] = (struct gic_redist){
				.base = base + at, .phys = res.start + at, .number = typer >> 8,
			};
		at += gic_frame_step(typer, stride);
	} while (!(typer & GICR_TYPER_Last));
	return 0;
}

int gic_find_redists(struct device_node *node)
{
	u32 regions = 1, stride = 0;
	int ret = 0;

	of_property_read_u32(node, "#redistributor-regions", &regions);
	of_property_read_u32_index(node, "redistributor-stride", 1, &stride);
	if (!stride)	/* two cells, or one */
		of_property_read_u32(node, "redistributor-stride", &stride);
	if (stride % FRAME) {
		pr_err("%s: redistributor-stride %#x is not made of frames", node->fwnode.name,
		       stride);
		return -EINVAL;
	}
	for (unsigned int i = 0; !ret && i < regions; i++)
		ret = gic_walk_region(node, i, stride);
	if (!ret && !gic.redist[smp_processor_id()].base) {
		pr_err("%s: no redistributor is the boot CPU's", node->fwnode.name);
		ret = -ENODEV;
	}
	return ret;
}

/* ---- The redistributor ---------------------------------------------------------------------- */

/* Asleep it hands nothing to its CPU. [GIC3 GICR_WAKER] */
static int gic_redist_wake(char *base)
{
	writel(readl(base + GICR_WAKER) & ~GICR_WAKER_ProcessorSleep, base + GICR_WAKER);
	return poll_timeout(!(readl(base + GICR_WAKER) & GICR_WAKER_ChildrenAsleep), WAIT_US);
}

/* Nothing enabled, active or pending, whatever firmware left; all of group 1. */
static int gic_redist_start(unsigned int cpu)
{
	char *base = gic.redist[cpu].base, *sgi = base + GICR_SGI_FRAME;

	if (gic_redist_wake(base)) {
		pr_err("gic: cpu %u: its redistributor has not woken up for a second", cpu);
		return -ETIMEDOUT;
	}
	writel(~0U, sgi + GICD_ICENABLER);
	if (poll_timeout(!(readl(base + GICR_CTLR) & GICR_CTLR_RWP), WAIT_US)) {
		pr_err("gic: cpu %u: its redistributor is busy for a second", cpu);
		return -ETIMEDOUT;
	}
	writel(~0U, sgi + GICD_ICPENDR);
	writel(~0U, sgi + GICD_ICACTIVER);
	writel(~0U, sgi + GICD_IGROUPR);
	for (unsigned int intid = 0; intid < GIC_FIRST_SPI; intid += 4)
		writel(GIC_PRIORITY * 0x01010101U, sgi + GICD_IPRIORITYR + intid);
	return 0;
}

/* ---- The CPU interface ---------------------------------------------------------------------- */

/* What was active when the kernel was entered would hold back everything of its priority. There
 * are as many of these registers as the priority bits need; others are undefined. */
static void gic_clear_active_priorities(void)
{
	unsigned int bits = (sysreg_read(ICC_CTLR_EL1) >> 8 & 7) + 1;

	sysreg_write(ICC_AP1R0_EL1, 0);
	if (bits >= 6)
		sysreg_write(ICC_AP1R1_EL1, 0);
	if (bits >= 7) {
		sysreg_write(ICC_AP1R2_EL1, 0);
		sysreg_write(ICC_AP1R3_EL1, 0);
	}
	isb();
}

static int gic_cpu_interface_start(unsigned int cpu)
{
	u64 ctlr;

	sysreg_write(ICC_SRE_EL1, sysreg_read(ICC_SRE_EL1) | ICC_SRE_SRE);
	isb();	/* the other registers exist only from here on [GIC3 ICC_SRE_EL1] */
	if (!(sysreg_read(ICC_SRE_EL1) & ICC_SRE_SRE)) {
		pr_err("gic: cpu %u: firmware keeps the ICC_* registers off", cpu);
		return -EPERM;
	}
	sysreg_write(ICC_PMR_EL1, GIC_PRIORITY_ALL);
	sysreg_write(ICC_BPR1_EL1, 0);
	ctlr = sysreg_read(ICC_CTLR_EL1) & ~(ICC_CTLR_EOImode | ICC_CTLR_CBPR);
	sysreg_write(ICC_CTLR_EL1, ctlr | (gic.eoimode1 ? ICC_CTLR_EOImode : 0));
	isb();
	gic_clear_active_priorities();
	if ((cpus[cpu].hwid & 0xff) >= 16 && !(ctlr & ICC_CTLR_RSS))
		pr_err("gic: cpu %u: its Aff0 is above 15, so no IPI can reach it", cpu);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	return 0;
}

/* The CPU interface comes last: what it may be handed has been reset. A CPU that no interrupt can
 * reach cannot be woken either, so it leaves, and the boot CPU goes on without it. */
void gic_cpu_start(unsigned int cpu)
{
	int ret = -ENODEV;

	if (!gic.redist[cpu].base)
		pr_err("gic: no redistributor is cpu %u's", cpu);
	else
		ret = gic_redist_start(cpu);
	if (!ret)
		ret = gic_cpu_interface_start(cpu);
	if (!ret)
		return;
	if (cpu == 0)
		panic("gic: the boot CPU gets no interrupts");
	arch_cpu_down();
}

/*
 * Lines that move take along what is pending, SPIs by the distributor, LPIs by MOVI. What the CPU
 * interface was already handed it gives back now. LPIs stay on, and the ITS keeps the collection:
 * turning them off may be impossible, and nothing maps to them any more. [GIC3 4.8.2]
 */
void gic_cpu_stop(unsigned int cpu)
{
	(void)cpu;
	sysreg_write(ICC_IGRPEN1_EL1, 0);
	isb();
}

/*
 * An SGI names a group of 16 CPUs by Aff3, Aff2, Aff1 and the upper half of Aff0, and one bit for
 * each of them. Without the barrier it might overtake what it is about. (S-102)
 * [GIC3 ICC_SGI1R_EL1]
 */
void gic_send_sgi(struct irq_data *d, unsigned int cpu)
{
	u64 hwid = cpus[cpu].hwid;
	u64 aff3 = hwid >> 32 & 0xff, aff2 = hwid >> 16 & 0xff, aff1 = hwid >> 8 & 0xff;

	if (WARN_ON(d->hwirq >= GIC_NR_SGIS))
		return;
	dsb(ishst);
	sysreg_write(ICC_SGI1R_EL1, aff3 << 48 | (hwid >> 4 & 0xf) << 44 | aff2 << 32 |
				    d->hwirq << 24 | aff1 << 16 | BIT(hwid & 0xf));
	isb();
}
