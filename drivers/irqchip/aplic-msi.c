/*
 * APLIC in MSI delivery mode: each event of a wire becomes a message to a hart's IMSIC.
 * Manual: RISC-V AIA, 4.9.
 *
 *   wire --> sourcecfg[n] senses --> pending[n] & enable[n] --> target[n]: store id at hart's page
 *                  ^                                                              |
 *                  +---- eoi of a level: pending again if the wire is still high -+--> IMSIC
 *
 * To the core it is a device with a domain of messages of its own, whose hwirq is the source: what
 * the device tree calls a wire becomes a line of the IMSIC with one level more (wire to MSI).
 */
#include <drivers/irqchip/aplic.h>
#include <drivers/irqchip/imsic.h>
#include <kernel/msi.h>
#include <kernel/printk.h>

static void aplic_irq_mask(struct irq_data *d)
{
	struct aplic *aplic = d->chip_data;

	writel(d->hwirq, aplic->regs + CLRIENUM);
	irq_chip_mask_parent(d);
}

static void aplic_irq_unmask(struct irq_data *d)
{
	struct aplic *aplic = d->chip_data;

	irq_chip_unmask_parent(d);
	writel(d->hwirq, aplic->regs + SETIENUM);
}

/* A level sends one message when it rises and then nothing, however long it stays. Setting it
 * pending by number sends another one, but only if it is still high. [AIA 4.9.2] */
static void aplic_repend(struct irq_data *d)
{
	struct aplic *aplic = d->chip_data;

	writel(d->hwirq, aplic->regs + SETIPNUM_LE);
}

/* If it has fallen and risen again meanwhile, its message waits at the IMSIC already. Asked for by
 * irq_chip_get_parent_state(), that would cost each level 24 instructions more (140, not 116, from
 * handler to trap's end): so this one place looks into the IMSIC's vector. */
static void aplic_irq_eoi(struct irq_data *d)
{
	const struct imsic_vector *vec = d->parent_data->chip_data;

	if (!irqd_test(d, IRQ_TYPE_LEVEL_MASK))
		return;
	if (vec->cpu != smp_processor_id() || !imsic_vector_pending(vec))
		aplic_repend(d);
}

/* What the target register holds then. */
static u32 aplic_encode(const struct aplic *aplic, const struct msi_msg *msg)
{
	u64 page = (msi_msg_address(msg) - aplic->imsic_base) >> IMSIC_PAGE_SHIFT;
	u32 guest = page & (BIT(aplic->guest_bits) - 1), hart = page >> aplic->guest_bits;

	if (!msi_msg_address(msg) && !msg->data)
		return 0;	/* deactivated */
	return hart << TARGET_HART_SHIFT | guest << TARGET_GUEST_SHIFT | msg->data;
}

/* One store, so no message is ever half old and half new. */
static void aplic_irq_write_msi_msg(struct irq_data *d, struct msi_msg *msg)
{
	struct aplic *aplic = d->chip_data;

	irq_data_get_msi_desc(d)->msg = *msg;
	writel(aplic_encode(aplic, msg), aplic->regs + TARGET(d->hwirq));
}

static u32 aplic_msi_target(struct irq_data *d)
{
	struct msi_msg msg = { 0 };

	irq_chip_compose_msi_msg(d, &msg);
	return aplic_encode(d->chip_data, &msg);
}

static int aplic_irq_set_type(struct irq_data *d, unsigned int type)
{
	struct aplic *aplic = d->chip_data;
	int ret = aplic_set_source_mode(aplic, d, type);
	struct msi_msg msg;

	if (ret)
		return ret;
	/* target was read-only zero if the source was inactive until now. [AIA 4.5.16] */
	if (irqd_is_activated(d) && !irq_chip_compose_msi_msg(d, &msg))
		aplic_irq_write_msi_msg(d, &msg);
	if (type & IRQ_TYPE_LEVEL_MASK)
		aplic_repend(d);	/* it may have risen before */
	return IRQ_SET_MASK_OK;
}

static int aplic_msi_translate(struct irq_domain *d, struct irq_fwspec *fwspec,
			       unsigned long *hwirq, unsigned int *type)
{
	return aplic_translate(container_of(d->dev, struct aplic, dev), fwspec, hwirq, type);
}

static void aplic_diagnose(struct irq_data *d, struct diagnosis *dx)
{
	if (irqd_is_activated(d))
		aplic_diagnose_source(dx, d->chip_data, d);
}

static const struct msi_domain_template aplic_template = {
	.name = "APLIC",
	.chip = {
		.name = "APLIC-MSI",
		.irq_mask = aplic_irq_mask,
		.irq_unmask = aplic_irq_unmask,
		.irq_eoi = aplic_irq_eoi,
		.irq_set_type = aplic_irq_set_type,
		.irq_write_msi_msg = aplic_irq_write_msi_msg,
		.irq_diagnose = aplic_diagnose,
		.flags = IRQCHIP_SET_TYPE_MASKED,
	},
	.ops = {
		.msi_translate = aplic_msi_translate,
	},
	.info = {
		.bus_token = DOMAIN_BUS_WIRED_TO_MSI,
		.flags = MSI_FLAG_USE_DEF_CHIP_OPS | MSI_FLAG_USE_DEV_FWNODE |
			 MSI_FLAG_FREE_MSI_DESCS,
	},
};

/* ---- Starting ------------------------------------------------------------------------------- */

/* The supervisor's address registers belong to the machine level's region, where firmware has set
 * them; what they hold is what the IMSIC's node says. [AIA 4.5.4] */
static int aplic_find_imsic(struct aplic *aplic, struct device_node *node)
{
	struct device_node *imsic = of_parse_phandle(node, "msi-parent", 0);
	struct resource res;

	if (!imsic || of_address_to_resource(imsic, 0, &res))
		return -EINVAL;
	of_property_read_u32(imsic, "riscv,guest-index-bits", &aplic->guest_bits);
	aplic->imsic_base = res.start;
	aplic->dev.msi.domain = irq_find_matching_fwnode(&imsic->fwnode, DOMAIN_BUS_WIRED_TO_MSI);
	return aplic->dev.msi.domain ? 0 : -ENODEV;
}

int aplic_msi_setup(struct aplic *aplic, struct device_node *node)
{
	int ret;

	if (!(readl(aplic->regs + DOMAINCFG) & DOMAINCFG_DM)) {
		pr_err("%s: has an msi-parent but no MSI delivery mode", aplic->dev.name);
		return -ENODEV;
	}
	ret = aplic_find_imsic(aplic, node);
	if (ret)
		return ret;
	if (!msi_create_device_irq_domain(&aplic->dev, MSI_DEFAULT_DOMAIN, &aplic_template,
					  aplic->nr_sources + 1, aplic, aplic))
		return -ENOMEM;
	aplic->domain = msi_get_device_domain(&aplic->dev, MSI_DEFAULT_DOMAIN);
	irq_domain_set_name(aplic->domain, "aplic");
	aplic->target = aplic_msi_target;
	return 0;
}
