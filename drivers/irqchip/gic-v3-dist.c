/*
 * GICv3, the lines that are wires or software (SGIs, PPIs, SPIs): what version 3 does its own way.
 * Manual: GICv3 architecture.
 *
 *   SPI: registers in the distributor; IROUTER[n] names one CPU by its affinity
 *   SGI, PPI: the same registers in each CPU's redistributor; the calling CPU's are meant
 *
 * A line's life, from wire to end, is gic-common.c's.
 */
#include <drivers/irqchip/gic-v3.h>
#include <kernel/printk.h>

#define WAIT_US		1000000

static char *gic_bank(u32 intid)
{
	if (intid < GIC_FIRST_SPI)
		return gic.redist[smp_processor_id()].base + GICR_SGI_FRAME;
	return gic.dist;
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
	gic_poke(gic_bank(intid), intid, GICD_ICENABLER);
	gic_wait_for_writes(intid);
}

/* As in MPIDR and in the tree: Aff3 apart from the other three. */
static int gic_route(u32 spi, unsigned int cpu)
{
	writeq(cpus[cpu].hwid & 0xff00ffffffUL, gic.dist + GICD_IROUTER(spi));
	return 0;
}

static void gic_irq_eoi(struct irq_data *d)
{
	gic_eoi(d->hwirq);
}

const struct irq_chip gic_chip = {
	.name = "GICv3",
	.irq_mask = gic_wire_mask,
	.irq_unmask = gic_wire_unmask,
	.irq_eoi = gic_irq_eoi,
	.irq_set_type = gic_wire_set_type,
	.irq_set_affinity = gic_wire_set_affinity,
	.irq_retrigger = gic_wire_retrigger,
	.irq_get_irqchip_state = gic_wire_get_state,
	.irq_set_irqchip_state = gic_wire_set_state,
	.ipi_send_single = gic_send_sgi,
	.irq_diagnose = gic_wire_diagnose,
	.flags = IRQCHIP_SET_TYPE_MASKED,
};

struct gic_wires gic_wires = {
	.chip = &gic_chip, .bank = gic_bank, .settle = gic_wait_for_writes, .route = gic_route,
	.read_path = gic_read_path_v3,
};

/* ---- Starting ------------------------------------------------------------------------------- */

/* Affinity routing first and alone: it must not change while a group is enabled, once on it stays,
 * and without it the routes do not exist. [GIC3 GICD_CTLR, GICD_IROUTER<n>] */
int gic_dist_start(void)
{
	writel(readl(gic.dist + GICD_CTLR) & GICD_CTLR_ARE, gic.dist + GICD_CTLR);
	if (gic_wait_for_writes(GIC_FIRST_SPI))
		return -ETIMEDOUT;
	writel(GICD_CTLR_ARE, gic.dist + GICD_CTLR);
	if (gic_wait_for_writes(GIC_FIRST_SPI))
		return -ETIMEDOUT;
	gic_reset_wires(gic.dist, GIC_FIRST_SPI, gic_wires.nr_intids - GIC_FIRST_SPI);
	if (gic_wait_for_writes(GIC_FIRST_SPI))
		return -ETIMEDOUT;
	for (u32 intid = GIC_FIRST_SPI; intid < gic_wires.nr_intids; intid += 32)
		writel(~0U, gic_word(gic.dist, intid, GICD_IGROUPR));
	for (u32 intid = GIC_FIRST_SPI; intid < gic_wires.nr_intids; intid++)
		gic_route(intid, 0);
	writel(GICD_CTLR_ARE | GICD_CTLR_EnableGrp1, gic.dist + GICD_CTLR);
	return gic_wait_for_writes(GIC_FIRST_SPI);
}
