/*
 * What GICv2 and GICv3 do alike: lines that are wires or software (SGIs, PPIs, SPIs), and their
 * names in the device tree.
 *
 *   line --> ICFGR senses --> pending --> enabled? --> at some CPU --> active --> inactive
 *            level or edge    ISPENDR     ISENABLER                    IAR read   EOI
 *
 * An SPI's registers are the distributor's. SGIs and PPIs have the same ones once for each CPU: in
 * version 2 behind the same addresses, in version 3 in the CPU's redistributor. So each driver has
 * a function that finds a line's bank, and the rest is here, once. Manuals: [GIC2 4.3] [GIC3 12.9].
 */
#include <drivers/irqchip/gic-common.h>
#include <kernel/printk.h>

/* ---- The chip. Locked, so that one line is not changed twice at a time. --------------------- */

static char *bank_of(const struct irq_data *d)
{
	const struct gic_wires *wires = d->chip_data;

	return wires->bank(d->hwirq);
}

static int disable(const struct irq_data *d)
{
	const struct gic_wires *wires = d->chip_data;

	gic_poke(bank_of(d), d->hwirq, GICD_ICENABLER);
	return wires->settle ? wires->settle(d->hwirq) : 0;
}

void gic_wire_mask(struct irq_data *d)
{
	disable(d);
}

void gic_wire_unmask(struct irq_data *d)
{
	gic_poke(bank_of(d), d->hwirq, GICD_ISENABLER);
}

/* Two bits a line, of which the upper one is ours; other lines share the word. Only to be changed
 * while disabled, which the core sees to. [GIC2 GICD_ICFGR<n>] */
static bool configure(const struct irq_data *d, bool edge)
{
	struct gic_wires *wires = d->chip_data;
	char *reg = bank_of(d) + GICD_ICFGR + d->hwirq / 16 * 4;
	u32 bit = 2U << d->hwirq % 16 * 2, val;
	unsigned long flags = spin_lock_irqsave(&wires->lock);

	val = readl(reg);
	writel(edge ? val | bit : val & ~bit, reg);
	val = readl(reg);
	spin_unlock_irqrestore(&wires->lock, flags);
	return !(val & bit) == !edge;
}

/* A PPI's trigger may be wired in: then it works as it is. (S-159) */
int gic_wire_set_type(struct irq_data *d, unsigned int type)
{
	if (d->hwirq < GIC_NR_SGIS)
		return type == IRQ_TYPE_EDGE_RISING ? IRQ_SET_MASK_OK : -EINVAL;
	if (d->hwirq >= GIC_FIRST_SPI && type != IRQ_TYPE_LEVEL_HIGH &&
	    type != IRQ_TYPE_EDGE_RISING)
		return -EINVAL;
	if (configure(d, type & IRQ_TYPE_EDGE_BOTH))
		return IRQ_SET_MASK_OK;
	if (d->hwirq >= GIC_FIRST_SPI)
		return -EINVAL;
	pr_warn_once("gic: PPI %lu cannot be made %s; it stays as it is",
		     d->hwirq - GIC_NR_SGIS, irq_type_name(type));
	return IRQ_SET_MASK_OK;
}

/* Off while its route changes, so that it goes to one CPU or to the other. (S-161) */
int gic_wire_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force)
{
	const struct gic_wires *wires = d->chip_data;
	const struct cpumask *now = irq_data_get_effective_affinity_mask(d);
	unsigned int cpu = cpumask_first(dest);
	bool enabled;
	int ret;

	if (d->hwirq < GIC_FIRST_SPI)
		return -EINVAL;
	if (!force && cpumask_intersects(now, dest))
		return IRQ_SET_MASK_OK_DONE;
	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	enabled = gic_peek(bank_of(d), d->hwirq, GICD_ISENABLER);
	if (enabled)
		disable(d);
	ret = wires->route(d->hwirq, cpu);
	if (enabled)
		gic_wire_unmask(d);
	if (ret)
		return ret;
	irq_data_update_effective_affinity(d, cpumask_of(cpu));
	return IRQ_SET_MASK_OK_DONE;
}

int gic_wire_retrigger(struct irq_data *d)
{
	gic_poke(bank_of(d), d->hwirq, GICD_ISPENDR);
	return 1;
}

int gic_wire_get_state(struct irq_data *d, enum irqchip_irq_state which, bool *state)
{
	switch (which) {
	case IRQCHIP_STATE_PENDING:
		*state = gic_peek(bank_of(d), d->hwirq, GICD_ISPENDR);
		return 0;
	case IRQCHIP_STATE_ACTIVE:
		*state = gic_peek(bank_of(d), d->hwirq, GICD_ISACTIVER);
		return 0;
	case IRQCHIP_STATE_MASKED:
		*state = !gic_peek(bank_of(d), d->hwirq, GICD_ISENABLER);
		return 0;
	default:
		return -EINVAL;
	}
}

int gic_wire_set_state(struct irq_data *d, enum irqchip_irq_state which, bool state)
{
	switch (which) {
	case IRQCHIP_STATE_PENDING:
		gic_poke(bank_of(d), d->hwirq, state ? GICD_ISPENDR : GICD_ICPENDR);
		return 0;
	case IRQCHIP_STATE_ACTIVE:
		gic_poke(bank_of(d), d->hwirq, state ? GICD_ISACTIVER : GICD_ICACTIVER);
		return 0;
	case IRQCHIP_STATE_MASKED:
		if (state)
			return disable(d);
		gic_wire_unmask(d);
		return 0;
	default:
		return -EINVAL;
	}
}

void gic_reset_wires(char *bank, u32 first, u32 nr)
{
	for (u32 intid = first; intid < first + nr; intid += 32) {
		writel(~0U, gic_word(bank, intid, GICD_ICENABLER));
		writel(~0U, gic_word(bank, intid, GICD_ICPENDR));
		writel(~0U, gic_word(bank, intid, GICD_ICACTIVER));
	}
	for (u32 intid = first; intid < first + nr; intid += 4)
		writel(GIC_PRIORITY * 0x01010101U, bank + GICD_IPRIORITYR + intid);
}

/* ---- The domain ----------------------------------------------------------------------------- */

static int bad_spec(const struct irq_domain *d, const struct irq_fwspec *fwspec, const char *what)
{
	pr_err("%s: interrupt <%u %u %u>: %s", d->fwnode->name, fwspec->param[0],
	       fwspec->param[1], fwspec->param[2], what);
	return -EINVAL;
}

int gic_wire_translate(struct irq_domain *d, struct irq_fwspec *fwspec, unsigned long *hwirq,
		       unsigned int *type)
{
	const struct gic_wires *wires = d->host_data;
	const u32 *cell = fwspec->param;

	if (fwspec->param_count == 1 && cell[0] < GIC_NR_SGIS) {	/* asked by the driver */
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
		if (*hwirq >= wires->nr_intids)
			return bad_spec(d, fwspec, "there is no such SPI");
		break;
	case GIC_PPI:
		*hwirq = GIC_NR_SGIS + (u64)cell[1];
		if (*hwirq >= GIC_FIRST_SPI)
			return bad_spec(d, fwspec, "there is no such PPI");
		break;
	default:	/* the extended ranges of GICv3.1 are known, but not used */
		return bad_spec(d, fwspec, cell[0] > GIC_EPPI ? "its kind is unknown"
			: "extended SPIs and PPIs are not supported");
	}
	if (*type == IRQ_TYPE_NONE)
		pr_warn("%s: INTID %lu: the device tree does not tell its trigger type",
			d->fwnode->name, *hwirq);
	return 0;
}

static int map_wire(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	struct gic_wires *wires = d->host_data;
	struct irq_data *data = irq_domain_get_irq_data(d, virq);
	int ret;

	irqd_set_handle_enforce_irqctx(data);	/* an end without a claim confuses the GIC */
	if (hwirq < GIC_FIRST_SPI) {
		ret = irq_set_percpu_devid(virq);
		if (!ret)
			irq_domain_set_info(d, virq, hwirq, wires->chip, wires,
					    handle_percpu_devid_irq, NULL, NULL);
		return ret;
	}
	ret = wires->route(hwirq, 0);
	if (ret)
		return ret;
	irq_domain_set_info(d, virq, hwirq, wires->chip, wires, handle_fasteoi_irq, NULL,
			    "fasteoi");
	irqd_set_single_target(data);
	/* An active SPI goes nowhere else [GIC2 3.2.4], but in QEMU's GICv2 it is active at one
	 * CPU: an edge just moved comes to the new one while the old is busy with the last. */
	irqd_set_resend_when_in_progress(data);
	irq_data_update_effective_affinity(data, cpumask_of(0));
	return 0;
}

int gic_wire_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs, void *arg)
{
	unsigned long hwirq;
	unsigned int type;
	int ret = gic_wire_translate(d, arg, &hwirq, &type);

	for (unsigned int i = 0; !ret && i < nr_irqs; i++)
		ret = map_wire(d, virq + i, hwirq + i);
	return ret;
}
