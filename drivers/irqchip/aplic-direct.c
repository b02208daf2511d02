/*
 * APLIC in direct delivery mode, one line: its source, and the target register that names the hart
 * to interrupt and a priority. Manual: RISC-V AIA, 4.5.16 and 4.7.
 *
 *   wire --> sourcecfg[n] senses --> pending[n] & enable[n] --> target[n] --> IDC of a hart
 *
 * Claiming acknowledges an edge. A level stays pending as long as the wire says so, and at the end
 * of it nothing is to be done.
 */
#include <drivers/irqchip/aplic.h>
#include <drivers/irqchip/riscv-intc.h>

#define PRIORITY		1	/* all alike; 0 is not allowed [AIA 4.5.16] */

struct aplic_idc aplic_idcs[NR_CPUS];

static void aplic_direct_mask(struct irq_data *d)
{
	struct aplic *aplic = d->chip_data;

	writel(d->hwirq, aplic->regs + CLRIENUM);
}

static void aplic_direct_unmask(struct irq_data *d)
{
	struct aplic *aplic = d->chip_data;

	writel(d->hwirq, aplic->regs + SETIENUM);
}

/* A level ends by itself. */
static void aplic_direct_eoi(struct irq_data *d)
{
	(void)d;
}

static struct aplic_idc *aplic_idc_of(struct irq_data *d)
{
	return &aplic_idcs[riscv_intc_cpu_of_line(d)];
}

u32 aplic_idc_target(struct irq_data *d)
{
	return aplic_idc_of(d)->hart << TARGET_HART_SHIFT | PRIORITY;
}

/* Read-only zero as long as the source is inactive: then it has to wait. [AIA 4.5.16] */
static void aplic_write_target(struct irq_data *d)
{
	struct aplic *aplic = d->chip_data;

	if (readl(aplic->regs + SOURCECFG(d->hwirq)) != SM_INACTIVE)
		writel(aplic_idc_target(d), aplic->regs + TARGET(d->hwirq));
}

/* One store: pending bit and enable bit stay with the source, so nothing is lost. */
static int aplic_direct_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force)
{
	const struct aplic *aplic = d->chip_data;
	int ret = riscv_intc_move_line(d, &aplic->cpus, dest);

	(void)force;
	if (ret)
		return ret;
	aplic_write_target(d);
	return IRQ_SET_MASK_OK_DONE;
}

/* The source may have been inactive until now. */
static int aplic_direct_set_type(struct irq_data *d, unsigned int type)
{
	int ret = aplic_set_source_mode(d->chip_data, d, type);

	if (ret)
		return ret;
	aplic_write_target(d);
	return IRQ_SET_MASK_OK;
}

/* Only an edge can be made pending by software. [AIA 4.7] */
static int aplic_direct_set_state(struct irq_data *d, enum irqchip_irq_state which, bool state)
{
	struct aplic *aplic = d->chip_data;

	if (which != IRQCHIP_STATE_PENDING || aplic_is_level(d))
		return -EINVAL;
	writel(d->hwirq, aplic->regs + (state ? SETIPNUM_LE : CLRIPNUM));
	return 0;
}

static int aplic_direct_retrigger(struct irq_data *d)
{
	return !aplic_direct_set_state(d, IRQCHIP_STATE_PENDING, true);
}

static int aplic_direct_get_state(struct irq_data *d, enum irqchip_irq_state which, bool *state)
{
	const struct aplic *aplic = d->chip_data;

	if (which == IRQCHIP_STATE_PENDING)
		*state = aplic_bit(aplic, SETIP(0), d->hwirq);
	else if (which == IRQCHIP_STATE_MASKED)
		*state = !aplic_bit(aplic, SETIE(0), d->hwirq);
	else if (which == IRQCHIP_STATE_LINE_LEVEL)
		*state = aplic_bit(aplic, IN_CLRIP(0), d->hwirq);
	else
		return -EINVAL;
	return 0;
}

static void aplic_direct_diagnose(struct irq_data *d, struct diagnosis *dx)
{
	const struct aplic_idc *idc = aplic_idc_of(d);

	dx->cpu = idc - aplic_idcs;
	aplic_diagnose_source(dx, d->chip_data, d);
	aplic_diagnose_idc(dx, idc, PRIORITY);
}

const struct irq_chip aplic_direct_chip = {
	.name = "APLIC-DIRECT",
	.irq_diagnose = aplic_direct_diagnose,
	.irq_mask = aplic_direct_mask,
	.irq_unmask = aplic_direct_unmask,
	.irq_eoi = aplic_direct_eoi,
	.irq_set_affinity = aplic_direct_set_affinity,
	.irq_set_type = aplic_direct_set_type,
	.irq_retrigger = aplic_direct_retrigger,
	.irq_get_irqchip_state = aplic_direct_get_state,
	.irq_set_irqchip_state = aplic_direct_set_state,
	.flags = IRQCHIP_SET_TYPE_MASKED | IRQCHIP_AFFINITY_PRE_STARTUP,
};

/* ---- The domain ----------------------------------------------------------------------------- */

static int aplic_direct_translate(struct irq_domain *d, struct irq_fwspec *fwspec,
				  unsigned long *hwirq, unsigned int *type)
{
	return aplic_translate(d->host_data, fwspec, hwirq, type);
}

static int aplic_direct_map(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	struct aplic *aplic = d->host_data;

	irq_domain_set_info(d, virq, hwirq, &aplic_direct_chip, aplic, handle_fasteoi_irq, NULL,
			    "fasteoi");
	riscv_intc_place_line(irq_get_irq_data(virq), &aplic->cpus);
	return 0;
}

static void aplic_direct_unmap(struct irq_domain *d, unsigned int virq)
{
	struct irq_data *data = irq_get_irq_data(virq);
	struct aplic *aplic = d->host_data;

	writel(SM_INACTIVE, aplic->regs + SOURCECFG(data->hwirq));
	riscv_intc_drop_line(data);
}

const struct irq_domain_ops aplic_direct_ops = {
	.translate = aplic_direct_translate,
	.map = aplic_direct_map,
	.unmap = aplic_direct_unmap,
};
