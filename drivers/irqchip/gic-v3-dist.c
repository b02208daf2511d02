/*
 * GICv3, the lines that are wires or software: SGIs, PPIs and SPIs as the core's irq_chip.
 * Manual: GICv3 architecture.
 *
 *   line --> ICFGR senses --> pending --> enabled? --> by IROUTER to a CPU --> active --> inactive
 *            level or edge    ISPENDR     ISENABLER    SPIs only              IAR read   EOI
 *
 * SPIs are the distributor's. SGIs and PPIs have the same registers in each CPU's redistributor,
 * so one helper finds a line's bank, and every other function is the same for all of them; for
 * these the calling CPU's bank is meant.
 */
#include <drivers/irqchip/gic-v3.h>
#include <kernel/io.h>
#include <kernel/printk.h>

#define WAIT_US		1000000

/* ---- Banks and bits ------------------------------------------------------------------------- */

static char *gic_bank(u32 intid)
{
	if (intid < GIC_FIRST_SPI)
		return gic.redist[smp_processor_id()].base + GICR_SGI_FRAME;
	return gic.dist;
}

/* The word of a register with one bit a line. Writing a one sets or clears; zeros do nothing. */
static char *gic_word(u32 intid, u32 reg)
{
	return gic_bank(intid) + reg + intid / 32 * 4;
}

static void gic_poke(u32 intid, u32 reg)
{
	writel(BIT(intid % 32), gic_word(intid, reg));
}

static bool gic_peek(u32 intid, u32 reg)
{
	return readl(gic_word(intid, reg)) & BIT(intid % 32);
}

/* Disabling takes its time on its way to the CPUs. [GIC3 GICD_CTLR, GICR_CTLR: RWP] */
static int gic_wait_for_writes(u32 intid)
{
	bool own = intid < GIC_FIRST_SPI;
	char *ctlr = own ? gic.redist[smp_processor_id()].base + GICR_CTLR : gic.dist + GICD_CTLR;
	u32 rwp = own ? GICR_CTLR_RWP : GICD_CTLR_RWP;

	if (!poll_timeout(!(readl(ctlr) & rwp), WAIT_US))
		return 0;
	pr_err("gic: INTID %u: its registers are busy for a second", intid);
	return -ETIMEDOUT;
}

void gic_quiet(u32 intid)
{
	gic_poke(intid, GICD_ICENABLER);
	gic_wait_for_writes(intid);
}

/* As in MPIDR and in the tree: Aff3 apart from the other three. */
static u64 gic_affinity(unsigned int cpu)
{
	return cpus[cpu].hwid & 0xff00ffffffUL;
}

void gic_route(u32 spi, unsigned int cpu)
{
	writeq(gic_affinity(cpu), gic.dist + GICD_IROUTER(spi));
}

/* ---- The chip ------------------------------------------------------------------------------- */

static void gic_irq_mask(struct irq_data *d)
{
	gic_quiet(d->hwirq);
}

static void gic_irq_unmask(struct irq_data *d)
{
	gic_poke(d->hwirq, GICD_ISENABLER);
}

static void gic_irq_eoi(struct irq_data *d)
{
	gic_eoi(d->hwirq);
}

/* Two bits a line, of which the upper one is ours. Only to be changed while disabled, which the
 * core sees to. [GIC3 GICD_ICFGR<n>] */
static bool gic_configure(u32 intid, bool edge)
{
	char *reg = gic_bank(intid) + GICD_ICFGR + intid / 16 * 4;
	u32 bit = 2U << intid % 16 * 2, val;
	unsigned long flags = spin_lock_irqsave(&gic.lock);

	val = readl(reg);
	writel(edge ? val | bit : val & ~bit, reg);
	val = readl(reg);
	spin_unlock_irqrestore(&gic.lock, flags);
	return !(val & bit) == !edge;
}

/* A PPI's trigger may be wired in: then it works as it is. (S-159) */
static int gic_irq_set_type(struct irq_data *d, unsigned int type)
{
	if (d->hwirq < GIC_NR_SGIS)
		return type == IRQ_TYPE_EDGE_RISING ? IRQ_SET_MASK_OK : -EINVAL;
	if (d->hwirq >= GIC_FIRST_SPI && type != IRQ_TYPE_LEVEL_HIGH &&
	    type != IRQ_TYPE_EDGE_RISING)
		return -EINVAL;
	if (gic_configure(d->hwirq, type & IRQ_TYPE_EDGE_BOTH))
		return IRQ_SET_MASK_OK;
	if (d->hwirq >= GIC_FIRST_SPI)
		return -EINVAL;
	pr_warn_once("gic: PPI %lu cannot be made %s; it stays as it is",
		     d->hwirq - GIC_NR_SGIS, irq_type_name(type));
	return IRQ_SET_MASK_OK;
}

/* Off while its route changes, so that it goes to one CPU or to the other. (S-161) */
static int gic_irq_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force)
{
	const struct cpumask *now = irq_data_get_effective_affinity_mask(d);
	unsigned int cpu = cpumask_first(dest);
	bool enabled;

	if (d->hwirq < GIC_FIRST_SPI)
		return -EINVAL;
	if (!force && cpumask_intersects(now, dest))
		return IRQ_SET_MASK_OK_DONE;
	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	enabled = gic_peek(d->hwirq, GICD_ISENABLER);
	if (enabled)
		gic_irq_mask(d);
	gic_route(d->hwirq, cpu);
	if (enabled)
		gic_irq_unmask(d);
	irq_data_update_effective_affinity(d, cpumask_of(cpu));
	return IRQ_SET_MASK_OK_DONE;
}

static int gic_irq_retrigger(struct irq_data *d)
{
	gic_poke(d->hwirq, GICD_ISPENDR);
	return 1;
}

static int gic_irq_get_irqchip_state(struct irq_data *d, enum irqchip_irq_state which,
				     bool *state)
{
	switch (which) {
	case IRQCHIP_STATE_PENDING:
		*state = gic_peek(d->hwirq, GICD_ISPENDR);
		return 0;
	case IRQCHIP_STATE_ACTIVE:
		*state = gic_peek(d->hwirq, GICD_ISACTIVER);
		return 0;
	case IRQCHIP_STATE_MASKED:
		*state = !gic_peek(d->hwirq, GICD_ISENABLER);
		return 0;
	default:
		return -EINVAL;
	}
}

static int gic_irq_set_irqchip_state(struct irq_data *d, enum irqchip_irq_state which, bool state)
{
	switch (which) {
	case IRQCHIP_STATE_PENDING:
		gic_poke(d->hwirq, state ? GICD_ISPENDR : GICD_ICPENDR);
		return 0;
	case IRQCHIP_STATE_ACTIVE:
		gic_poke(d->hwirq, state ? GICD_ISACTIVER : GICD_ICACTIVER);
		return 0;
	case IRQCHIP_STATE_MASKED:
		gic_poke(d->hwirq, state ? GICD_ICENABLER : GICD_ISENABLER);
		return state ? gic_wait_for_writes(d->hwirq) : 0;
	default:
		return -EINVAL;
	}
}

const struct irq_chip gic_chip = {
	.name = "GICv3",
	.irq_mask = gic_irq_mask,
	.irq_unmask = gic_irq_unmask,
	.irq_eoi = gic_irq_eoi,
	.irq_set_type = gic_irq_set_type,
	.irq_set_affinity = gic_irq_set_affinity,
	.irq_retrigger = gic_irq_retrigger,
	.irq_get_irqchip_state = gic_irq_get_irqchip_state,
	.irq_set_irqchip_state = gic_irq_set_irqchip_state,
	.ipi_send_single = gic_send_sgi,
	.flags = IRQCHIP_SET_TYPE_MASKED,
};

/* ---- Starting ------------------------------------------------------------------------------- */

/* Affinity routing first and alone: it must not change while a group is enabled, and without it
 * the routes do not exist. [GIC3 GICD_CTLR, GICD_IROUTER<n>] */
int gic_dist_start(void)
{
	writel(0, gic.dist + GICD_CTLR);
	if (gic_wait_for_writes(GIC_FIRST_SPI))
		return -ETIMEDOUT;
	writel(GICD_CTLR_ARE, gic.dist + GICD_CTLR);
	if (gic_wait_for_writes(GIC_FIRST_SPI))
		return -ETIMEDOUT;
	for (u32 intid = GIC_FIRST_SPI; intid < gic.nr_intids; intid += 32) {
		writel(~0U, gic_word(intid, GICD_ICENABLER));
		writel(~0U, gic_word(intid, GICD_ICPENDR));
		writel(~0U, gic_word(intid, GICD_ICACTIVER));
		writel(~0U, gic_word(intid, GICD_IGROUPR));
	}
	for (u32 intid = GIC_FIRST_SPI; intid < gic.nr_intids; intid += 4)
		writel(GIC_PRIORITY * 0x01010101U, gic.dist + GICD_IPRIORITYR + intid);
	for (u32 intid = GIC_FIRST_SPI; intid < gic.nr_intids; intid++)
		gic_route(intid, 0);
	if (gic_wait_for_writes(GIC_FIRST_SPI))
		return -ETIMEDOUT;
	writel(GICD_CTLR_ARE | GICD_CTLR_EnableGrp1, gic.dist + GICD_CTLR);
	return gic_wait_for_writes(GIC_FIRST_SPI);
}
