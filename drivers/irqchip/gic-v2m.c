/*
 * GICv2m, a frame of registers that makes interrupts of a GIC out of messages, without a GIC
 * knowing: a store of an INTID to SETSPI_NS pulses the wire of that SPI. Manual: Arm Server Base
 * System Architecture (DEN 0029), appendix on GICv2m.
 *
 *   PCI function --store INTID--> frame: SETSPI_NS --pulse--> GIC: SPI, edge --ITARGETSR--> CPU
 *
 *   lines: PCI-MSIX domain,  -->  this domain,     -->  gic domain,
 *          hwirq = row            hwirq = INTID         hwirq = INTID: mask, move, end
 *
 * A level would see nothing of a pulse, so the SPI is made an edge first. The frame says which SPIs
 * it may pulse, but not that no device has a wire to one of them: those the tree knows are left
 * out. Boot argument: v2m=off ignores all frames.
 */
#include <drivers/irqchip/gic-common.h>
#include <kernel/driver.h>
#include <kernel/mm.h>
#include <kernel/msi.h>
#include <kernel/printk.h>
#include <lib/bitmap.h>
#include <string.h>

#define MSI_TYPER		0x008
#define  MSI_TYPER_BASE(v)	((v) >> 16 & 0x3ff)
#define  MSI_TYPER_NUMBER(v)	((v) & 0x3ff)
#define MSI_SETSPI_NS		0x040

struct v2m {
	struct irq_domain *domain, *gic;
	const char *name;
	phys_addr_t setspi;
	u32 first, end;			/* INTIDs [first, end) */
	unsigned int nr_wires;
	/* Under the tree mutex; bit n is INTID n. */
	DECLARE_BITMAP(given, GIC_FIRST_SPECIAL);	/* or a wire's */
	DECLARE_BITMAP(spare, GIC_FIRST_SPECIAL);	/* given with the one before, for nothing */
};

/* ---- INTIDs --------------------------------------------------------------------------------- */

/*
 * A device with several messages gets one data word and changes as many low bits of it as it was
 * given power-of-two messages. So the block is aligned as a number, and is given whole, lest an
 * unasked message hits a stranger. [PCI 6.8.1.3]
 */
static int v2m_take(struct v2m *v2m, unsigned int nr)
{
	unsigned int block = 1, first;

	while (block < nr)
		block *= 2;
	for (first = ALIGN_UP(v2m->first, block); first + block <= v2m->end; first += block) {
		if (find_next_bit(v2m->given, first + block, first) < first + block)
			continue;
		bitmap_set(v2m->given, first, block);
		bitmap_set(v2m->spare, first + nr, block - nr);
		return first;
	}
	pr_warn_once("%s: no %u SPI%s left for messages: of %u, %u are given and %u are wires",
		     v2m->name, block, block > 1 ? "s in a row, aligned" : "",
		     v2m->end - v2m->first,
		     bitmap_weight(v2m->given, GIC_FIRST_SPECIAL) - v2m->nr_wires, v2m->nr_wires);
	return -ENOSPC;
}

static void v2m_give(struct v2m *v2m, unsigned int intid)
{
	do {
		__clear_bit(intid, v2m->given);
		__clear_bit(intid, v2m->spare);
		intid++;
	} while (intid < v2m->end && test_bit(intid, v2m->spare));
}

/* ---- The chip ------------------------------------------------------------------------------- */

static void v2m_irq_compose_msi_msg(struct irq_data *d, struct msi_msg *msg)
{
	const struct v2m *v2m = d->chip_data;

	msg->address_lo = (u32)v2m->setspi;
	msg->address_hi = v2m->setspi >> 32;
	msg->data = d->hwirq;
}

static const struct irq_chip v2m_chip = {
	.name = "GICv2m",
	.irq_mask = irq_chip_mask_parent,
	.irq_unmask = irq_chip_unmask_parent,
	.irq_eoi = irq_chip_eoi_parent,
	.irq_set_affinity = irq_chip_set_affinity_parent,
	.irq_compose_msi_msg = v2m_irq_compose_msi_msg,
};

/* ---- The domain ----------------------------------------------------------------------------- */

static struct irq_fwspec v2m_spi(const struct v2m *v2m, u32 intid)
{
	return (struct irq_fwspec){
		.fwnode = v2m->gic->fwnode, .param_count = 3,
		.param = { GIC_SPI, intid - GIC_FIRST_SPI, IRQ_TYPE_EDGE_RISING },
	};
}

/* The type is the GIC's from here on: no device has a say in it. (S-163) */
static int v2m_make_edge(const struct v2m *v2m, unsigned int virq)
{
	struct irq_data *d = irq_domain_get_irq_data(v2m->gic, virq);
	int ret = d->chip->irq_set_type(d, IRQ_TYPE_EDGE_RISING);

	if (ret < 0)
		pr_err("%s: INTID %lu cannot be made an edge", v2m->name, d->hwirq);
	else
		irqd_set_trigger_type(d, IRQ_TYPE_EDGE_RISING);
	return min(ret, 0);
}

static int v2m_alloc_lines(struct v2m *v2m, unsigned int virq, unsigned int nr_irqs, u32 intid)
{
	struct irq_fwspec spi = v2m_spi(v2m, intid);
	int ret = irq_domain_alloc_irqs_parent(v2m->domain, virq, nr_irqs, &spi);
	unsigned int i;

	if (ret)
		return ret;
	for (i = 0; !ret && i < nr_irqs; i++) {
		ret = v2m_make_edge(v2m, virq + i);
		irq_domain_set_hwirq_and_chip(v2m->domain, virq + i, intid + i, &v2m_chip, v2m);
	}
	if (ret)
		irq_domain_free_irqs_parent(v2m->domain, virq, nr_irqs);
	return ret;
}

static int v2m_domain_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs,
			    void *arg)
{
	struct v2m *v2m = d->host_data;
	int ret, first = v2m_take(v2m, nr_irqs);

	(void)arg;
	if (first < 0)
		return first;
	ret = v2m_alloc_lines(v2m, virq, nr_irqs, first);
	for (unsigned int i = 0; ret && i < nr_irqs; i++)
		v2m_give(v2m, first + i);
	return ret;
}

static void v2m_domain_free(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	for (unsigned int i = 0; i < nr_irqs; i++)
		v2m_give(d->host_data, irq_domain_get_irq_data(d, virq + i)->hwirq);
	irq_domain_free_irqs_common(d, virq, nr_irqs);
}

/* No wire ends here. (S-049) */
static int v2m_domain_translate(struct irq_domain *d, struct irq_fwspec *fwspec,
				unsigned long *out_hwirq, unsigned int *out_type)
{
	(void)fwspec, (void)out_hwirq, (void)out_type;
	pr_err("%s: takes messages, not wired interrupts", d->fwnode->name);
	return -ENOTSUPP;
}

static const struct irq_domain_ops v2m_domain_ops = {
	.translate = v2m_domain_translate,
	.alloc = v2m_domain_alloc,
	.free = v2m_domain_free,
};

/* ---- For the devices' own domains ----------------------------------------------------------- */

static bool v2m_init_dev_msi_info(struct device *dev, struct irq_domain *d,
				  struct irq_domain *real_parent, struct msi_domain_info *info)
{
	if (!msi_lib_init_dev_msi_info(dev, d, real_parent, info))
		return false;
	info->chip->irq_eoi = irq_chip_eoi_parent;
	return true;
}

static const struct msi_parent_ops v2m_msi_parent_ops = {
	.supported_flags = MSI_GENERIC_FLAGS_MASK | MSI_FLAG_PCI_MSIX | MSI_FLAG_MULTI_PCI_MSI,
	.required_flags = MSI_FLAG_USE_DEF_CHIP_OPS | MSI_FLAG_PCI_MSI_MASK_PARENT,
	.bus_select_mask = MATCH_PCI_MSI,
	.prefix = "V2M-",
	.init_dev_msi_info = v2m_init_dev_msi_info,
};

/* ---- Starting ------------------------------------------------------------------------------- */

static void v2m_leave_out(struct v2m *v2m, const struct of_phandle_args *wire,
			  const struct device_node *of)
{
	u64 intid = GIC_FIRST_SPI + (u64)wire->args[1];

	if (v2m->gic->fwnode != &wire->np->fwnode || wire->args[0] != GIC_SPI ||
	    intid < v2m->first || intid >= v2m->end || test_bit(intid, v2m->given))
		return;
	__set_bit(intid, v2m->given);
	v2m->nr_wires++;
	pr_warn("%s: INTID %llu is a wire of %s, not for messages", v2m->name,
		(unsigned long long)intid, of->fwnode.name);
}

/* Wires of devices, and those that a bus hands out (INTA … INTD). */
static void v2m_leave_out_wires(struct v2m *v2m)
{
	struct of_phandle_args wire;
	struct device_node *np;

	for_each_of_node(np) {
		if (!np->available)
			continue;
		for (unsigned int i = 0; !of_irq_parse_one(np, i, &wire); i++)
			v2m_leave_out(v2m, &wire, np);
		for (unsigned int i = 0; !of_irq_map_at(np, i, &wire); i++)
			v2m_leave_out(v2m, &wire, np);
	}
}

/* What the tree says wins, as it is there to correct the register. The last SPI must be one that
 * the GIC has. [DT-ARM arm,gic.yaml] (S-163) */
static int v2m_find_range(struct v2m *v2m, struct device_node *node, u32 typer)
{
	u32 first = MSI_TYPER_BASE(typer), nr = MSI_TYPER_NUMBER(typer);
	struct irq_fwspec last;
	unsigned long hwirq;
	unsigned int type;

	of_property_read_u32(node, "arm,msi-base-spi", &first);
	of_property_read_u32(node, "arm,msi-num-spis", &nr);
	if (first < GIC_FIRST_SPI || !nr || (u64)first + nr > GIC_FIRST_SPECIAL) {
		pr_err("%s: is for %u INTIDs from %u on, not all of them SPIs", node->fwnode.name,
		       nr, first);
		return -EINVAL;
	}
	v2m->first = first;
	v2m->end = first + nr;
	last = v2m_spi(v2m, v2m->end - 1);
	return v2m->gic->ops->translate(v2m->gic, &last, &hwirq, &type);
}

static int v2m_setup(struct v2m *v2m, struct device_node *node, struct device_node *parent)
{
	struct resource res;
	char *frame = of_iomap(node, 0);
	int ret;

	v2m->name = node->name;
	v2m->gic = parent ? irq_find_host(parent) : NULL;
	if (!v2m->gic || !v2m->gic->ops->translate)
		return -ENODEV;
	if (!frame || of_address_to_resource(node, 0, &res))
		return -EINVAL;
	v2m->setspi = res.start + MSI_SETSPI_NS;
	ret = v2m_find_range(v2m, node, readl(frame + MSI_TYPER));
	if (ret)
		return ret;
	v2m_leave_out_wires(v2m);
	v2m->domain = irq_domain_create_hierarchy(v2m->gic, IRQ_DOMAIN_FLAG_MSI_PARENT, 0,
						  &node->fwnode, &v2m_domain_ops, v2m);
	if (!v2m->domain)
		return -ENOMEM;
	irq_domain_set_name(v2m->domain, "v2m");
	irq_domain_update_bus_token(v2m->domain, DOMAIN_BUS_NEXUS);
	v2m->domain->msi_parent_ops = &v2m_msi_parent_ops;
	return 0;
}

static int v2m_init(struct device_node *node, struct device_node *parent)
{
	struct v2m *v2m;
	char text[8];
	int ret;

	if (boot_arg("v2m", text, sizeof(text)) && !strcmp(text, "off")) {
		pr_info("%s: not used, as the boot argument v2m=off says", node->name);
		return 0;
	}
	v2m = kzalloc(sizeof(*v2m));
	if (!v2m)
		return -ENOMEM;
	ret = v2m_setup(v2m, node, parent);
	if (ret)
		kfree(v2m);
	return ret;
}

IRQCHIP_DECLARE(gic_v2m, "arm,gic-v2m-frame", v2m_init);
