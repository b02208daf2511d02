/*
 * ITS, the GIC's Interrupt Translation Service: makes an LPI at some CPU out of a device's message.
 * Manual: GICv3 architecture, chapter 5.
 *
 *   PCI function            ITS                                                 redistributor
 *   EventID --store--> GITS_TRANSLATER
 *   with its DeviceID --> device table --> ITT --[event]--> LPI, collection --> CPU's pending table
 *                                                              |                      |
 *   lines:  PCI-MSIX domain  -->  its domain  -->  gic domain  |   claimed as INTID <-+
 *           hwirq = row           hwirq = LPI      hwirq = LPI '-- MOVI gives it another one
 *
 * All tables change by commands only (gic-v3-its-cmd.c). What a device sends never changes: moving
 * a line is a new collection for its event. A line is masked by a bit in the LPI's property byte
 * (gic-v3-lpi.c). An ITS is found by its node, a child of the GIC's; feature bits promise nothing.
 */
#include <drivers/irqchip/gic-v3.h>
#include <drivers/irqchip/gic-v3-its.h>
#include <kernel/driver.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/msi.h>
#include <kernel/printk.h>
#include <kernel/smp.h>

#define WAIT_US		1000000

/* ---- The chip ------------------------------------------------------------------------------- */

static void its_irq_mask(struct irq_data *d)
{
	gic_lpi_enable(d->hwirq, false);
	its_send_inv(d->chip_data, its_event(d));
}

static void its_irq_unmask(struct irq_data *d)
{
	gic_lpi_enable(d->hwirq, true);
	its_send_inv(d->chip_data, its_event(d));
}

/* The CPU of MASK with the fewest lines. */
static unsigned int its_pick_cpu(const struct its *its, const struct cpumask *mask)
{
	unsigned int best = NR_CPUS;
	u32 fewest = ~0U;
	const u32 *lines = its->lines;

	for (unsigned long rest = mask->bits & its->mapped.bits; rest; rest >>= 1, lines++) {
		if (!(rest & 1) || *lines >= fewest)
			continue;
		fewest = *lines;
		best = lines - its->lines;
	}
	return best;
}

static int __attribute__((noinline)) its_move(struct irq_data *d, const struct cpumask *dest)
{
	struct its_device *dev = d->chip_data;
	unsigned int event = its_event(d), old = dev->event[event].cpu;
	unsigned int cpu = its_pick_cpu(dev->its, dest);
	int ret;

	if (cpu == NR_CPUS)
		return -EINVAL;
	ret = its_send_movi(dev, event, cpu);
	if (ret == -EBUSY)
		return ret;
	spin_lock(&dev->its->lock);
	cpumask_set_cpu(old, &dev->former);
	spin_unlock(&dev->its->lock);
	__atomic_fetch_sub(&dev->its->lines[old], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&dev->its->lines[cpu], 1, __ATOMIC_RELAXED);
	irq_data_update_effective_affinity(d, cpumask_of(cpu));
	return ret ?: IRQ_SET_MASK_OK_DONE;
}

/* A line that starts is nearly always there already. */
static int its_irq_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force)
{
	const struct its_device *dev = d->chip_data;

	(void)force;
	return cpumask_test_cpu(dev->event[its_event(d)].cpu, dest) ? IRQ_SET_MASK_OK_DONE
								    : its_move(d, dest);
}

static void its_irq_compose_msi_msg(struct irq_data *d, struct msi_msg *msg)
{
	const struct its_device *dev = d->chip_data;

	msg->address_lo = (u32)dev->its->translater;
	msg->address_hi = dev->its->translater >> 32;
	msg->data = its_event(d);
}

static int its_irq_retrigger(struct irq_data *d)
{
	return !its_send_int(d->chip_data, its_event(d));
}

/*
 * The hardware forgets an LPI when it is claimed; that a CPU has claimed it but not got so far that
 * its line is in progress shows only by its being in an interrupt. So this says whether one may:
 * whoever frees a masked line waits for it, as for a wire's active state. (S-060)
 */
static int its_irq_get_irqchip_state(struct irq_data *d, enum irqchip_irq_state which, bool *state)
{
	struct its_device *dev = d->chip_data;
	struct cpumask *former = &dev->former;
	unsigned int cpu;

	if (which != IRQCHIP_STATE_ACTIVE || !irqd_is_activated(d))
		return -EINVAL;
	spin_lock(&dev->its->lock);
	cpumask_set_cpu(dev->event[its_event(d)].cpu, former);
	for_each_cpu(cpu, former)
		if (cpu == smp_processor_id() ||
		    !__atomic_load_n(&cpus[cpu].irq_depth, __ATOMIC_ACQUIRE))
			cpumask_clear_cpu(cpu, former);
	*state = !cpumask_empty(former);
	spin_unlock(&dev->its->lock);
	return 0;
}

/* An LPI has no other state that anybody could set. (S-170) */
static int its_irq_set_irqchip_state(struct irq_data *d, enum irqchip_irq_state which, bool state)
{
	if (which != IRQCHIP_STATE_PENDING || !irqd_is_activated(d))
		return -EINVAL;
	return state ? its_send_int(d->chip_data, its_event(d))
		     : its_send_clear(d->chip_data, its_event(d));
}

const struct irq_chip its_chip = {
	.name = "ITS",
	.irq_mask = its_irq_mask,
	.irq_unmask = its_irq_unmask,
	.irq_eoi = irq_chip_eoi_parent,
	.irq_set_affinity = its_irq_set_affinity,
	.irq_retrigger = its_irq_retrigger,
	.irq_compose_msi_msg = its_irq_compose_msi_msg,
	.irq_get_irqchip_state = its_irq_get_irqchip_state,
	.irq_set_irqchip_state = its_irq_set_irqchip_state,
	.irq_diagnose = its_diagnose,
};

/* ---- The domain ----------------------------------------------------------------------------- */

static void its_init_lines(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs,
			   struct its_device *dev, unsigned int lpi)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_data *data = irq_domain_get_irq_data(d, virq + i);

		irq_data_set_chip(data, lpi + i, &its_chip, dev);
		/* The last, as MOVI does not wait for a handler. */
		irqd_set(data, IRQD_SINGLE_TARGET | IRQD_AFFINITY_ON_ACTIVATE |
			       IRQD_RESEND_WHEN_IN_PROGRESS);
	}
}

static int its_domain_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs,
			    void *arg)
{
	const msi_alloc_info_t *info = arg;
	struct irq_fwspec lpi;
	struct its_device *dev;
	unsigned int first;
	int event, ret;

	event = its_events_take(d->host_data, info->device_id, max(info->nvec, nr_irqs), nr_irqs,
				&dev);
	if (event < 0)
		return event;
	first = dev->first_lpi + event;
	its_init_lines(d, virq, nr_irqs, dev, first);
	lpi.fwnode = d->parent->fwnode;
	lpi.param_count = 3;
	lpi.param[0] = GIC_LPI;
	lpi.param[1] = first;
	lpi.param[2] = IRQ_TYPE_EDGE_RISING;
	ret = irq_domain_alloc_irqs_parent(d, virq, nr_irqs, &lpi);
	if (ret)
		its_events_give(dev, event, nr_irqs);
	return ret;
}

static void its_domain_free(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_data *data = irq_domain_get_irq_data(d, virq + i);

		its_events_give(data->chip_data, its_event(data), 1);
	}
	irq_domain_free_irqs_common(d, virq, nr_irqs);
}

static int its_domain_activate(struct irq_domain *d, struct irq_data *data, bool reserve)
{
	struct its_device *dev = data->chip_data;
	unsigned int event = its_event(data), cpu;
	struct cpumask mask;
	int ret;

	(void)d, (void)reserve;
	if (!cpumask_and(&mask, irq_data_get_affinity_mask(data), cpu_online_mask))
		cpumask_copy(&mask, cpu_online_mask);
	cpu = its_pick_cpu(dev->its, &mask);
	if (cpu == NR_CPUS) {
		pr_err("%s: irq %u: no CPU of its mask takes LPIs", dev->its->name, data->irq);
		return -EINVAL;
	}
	if (dev->event[event].present && its_send_discard(dev, event))
		return -EBUSY;
	ret = its_send_mapti(dev, event, cpu);
	if (ret)
		return ret;
	__atomic_fetch_add(&dev->its->lines[cpu], 1, __ATOMIC_RELAXED);
	irq_data_update_effective_affinity(data, cpumask_of(cpu));
	return 0;
}

static void its_domain_deactivate(struct irq_domain *d, struct irq_data *data)
{
	struct its_device *dev = data->chip_data;
	unsigned int event = its_event(data);

	(void)d;
	its_send_discard(dev, event);
	__atomic_fetch_sub(&dev->its->lines[dev->event[event].cpu], 1, __ATOMIC_RELAXED);
}

/* No wire ends here. (S-049) */
static int its_domain_translate(struct irq_domain *d, struct irq_fwspec *fwspec,
				unsigned long *out_hwirq, unsigned int *out_type)
{
	(void)fwspec, (void)out_hwirq, (void)out_type;
	pr_err("%s: takes messages, not wired interrupts", d->fwnode->name);
	return -ENOTSUPP;
}

static const struct irq_domain_ops its_domain_ops = {
	.translate = its_domain_translate,
	.alloc = its_domain_alloc,
	.free = its_domain_free,
	.activate = its_domain_activate,
	.deactivate = its_domain_deactivate,
};

/* ---- For the devices' own domains ----------------------------------------------------------- */

/* At once, without a walk to the root: the ITS's hwirq is the INTID. */
static void its_msi_eoi(struct irq_data *d)
{
	gic_eoi(d->parent_data->hwirq);
}

static bool its_init_dev_msi_info(struct device *dev, struct irq_domain *d,
				  struct irq_domain *real_parent, struct msi_domain_info *info)
{
	if (!msi_lib_init_dev_msi_info(dev, d, real_parent, info))
		return false;
	info->chip->irq_eoi = its_msi_eoi;
	info->chip->irq_set_affinity = irq_chip_set_affinity_parent;	/* no other message */
	return true;
}

static const struct msi_parent_ops its_msi_parent_ops = {
	.supported_flags = MSI_GENERIC_FLAGS_MASK | MSI_FLAG_PCI_MSIX | MSI_FLAG_MULTI_PCI_MSI,
	.required_flags = MSI_FLAG_USE_DEF_CHIP_OPS | MSI_FLAG_PCI_MSI_MASK_PARENT,
	.bus_select_mask = MATCH_PCI_MSI,	/* others have no DeviceID */
	.prefix = "ITS-",
	.init_dev_msi_info = its_init_dev_msi_info,
};

/* ---- Starting ------------------------------------------------------------------------------- */

/* On a CPU that comes up: its redistributor has tables before LPIs are on, and LPIs are on before
 * the ITS sends any. (S-171) */
static void its_cpu_start(unsigned int cpu)
{
	if (gic_lpi_cpu_start(cpu))
		return;
	for (struct its *its = gic.its; its; its = its->next) {
		if (cpumask_test_cpu(cpu, &its->mapped) || its_send_mapc(its, cpu, true))
			continue;
		its_send_invall(its, cpu);
		cpumask_set_cpu(cpu, &its->mapped);
	}
}

/* Firmware may have used it; its tables must not change under it. [GIC3 GITS_CTLR: Quiescent] */
static int its_stop(struct its *its)
{
	writel(readl(its->regs + GITS_CTLR) & ~GITS_CTLR_Enabled, its->regs + GITS_CTLR);
	if (!poll_timeout(readl(its->regs + GITS_CTLR) & GITS_CTLR_Quiescent, WAIT_US))
		return 0;
	pr_err("%s: still busy a second after it was turned off", its->name);
	return -EBUSY;
}

static int its_parse(struct its *its, struct device_node *node)
{
	struct resource res;
	u32 version;
	u64 typer;

	its->regs = of_iomap(node, 0);
	if (!its->regs || of_address_to_resource(node, 0, &res))
		return -EINVAL;
	version = readl(its->regs + GIC_PIDR2) >> 4 & 0xf;
	if (version != 3 && version != 4) {
		pr_err("%s: no ITS there, but version %u", node->fwnode.name, version);
		return -ENODEV;
	}
	typer = readq(its->regs + GITS_TYPER);
	its->itt_entry_size = (typer >> 4 & 0xf) + 1;
	its->event_bits = (typer >> 8 & 0x1f) + 1;
	its->device_bits = (typer >> 13 & 0x1f) + 1;
	its->pta = typer >> 19 & 1;
	its->translater = res.start + GITS_TRANSLATER;
	its->name = node->name;
	INIT_LIST_HEAD(&its->devices);
	return 0;
}

/* A set-up ITS that translates nothing yet. */
static int its_setup(struct its *its, struct device_node *node)
{
	int ret = its_parse(its, node);

	if (!ret)
		ret = its_stop(its);
	if (!ret)
		ret = its_queue_init(its);
	if (ret)
		return ret;
	ret = its_tables_init(its);
	if (ret)
		goto free_queue;
	its->domain = irq_domain_create_hierarchy(gic.domain, IRQ_DOMAIN_FLAG_MSI_PARENT,
						  GIC_FIRST_LPI + gic.nr_lpis, &node->fwnode,
						  &its_domain_ops, its);
	if (!its->domain) {
		ret = -ENOMEM;
		goto free_tables;
	}
	irq_domain_set_name(its->domain, "its");
	irq_domain_update_bus_token(its->domain, DOMAIN_BUS_NEXUS);
	its->domain->msi_parent_ops = &its_msi_parent_ops;
	writel(readl(its->regs + GITS_CTLR) | GITS_CTLR_Enabled, its->regs + GITS_CTLR);
	return 0;

free_tables:
	its_tables_free(its);
free_queue:
	its_queue_free(its);
	return ret;
}

static int its_init(struct device_node *node, struct device_node *parent)
{
	struct its *its;
	int ret;

	if (!gic.domain || !parent || gic.domain->fwnode != &parent->fwnode)
		return -ENODEV;
	ret = gic_lpi_init();
	if (!ret)	/* before anything refers to LPIs that this CPU could never take */
		ret = gic_lpi_cpu_start(smp_processor_id());
	if (ret)
		return ret;
	its = kzalloc(sizeof(*its));
	if (!its)
		return -ENOMEM;
	ret = its_setup(its, node);
	if (ret) {
		kfree(its);
		return ret;
	}
	its->next = gic.its;
	gic.its = its;
	if (its->next) {	/* the first one has registered both */
		its_cpu_start(smp_processor_id());
		return 0;
	}
	cpu_hooks("its", its_cpu_start, NULL);
	irq_check_register(its_check);
	return 0;
}

IRQCHIP_DECLARE(gic_v3_its, "arm,gic-v3-its", its_init);
