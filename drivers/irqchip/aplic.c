/*
 * APLIC, the RISC-V Advanced Platform-Level Interrupt Controller, in MSI delivery mode: it senses
 * up to 1023 wires and turns each event into a message to a hart's IMSIC. Used: the S-mode domain's
 * region (sourcecfg, target, enable and pending by number). Manual: RISC-V AIA, chapter 4.
 *
 *   wire --> sourcecfg[n] senses --> pending[n] & enable[n] --> target[n]: store id at hart's page
 *                  ^                                                              |
 *                  +---- eoi of a level: pending again if the wire is still high -+--> IMSIC
 *
 * To the core it is a device with a domain of messages of its own, whose hwirq is the source: what
 * the device tree calls a wire becomes a line of the IMSIC with one level more (wire to MSI).
 */
#include <kernel/driver.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/msi.h>
#include <kernel/printk.h>

#define DOMAINCFG		0x0000
#define  DOMAINCFG_DM		BIT(2)		/* MSI delivery mode */
#define  DOMAINCFG_IE		BIT(8)
#define SOURCECFG(n)		(0x0000 + 4 * (n))
#define  SM_INACTIVE		0
#define  SM_EDGE1		4
#define  SM_EDGE0		5
#define  SM_LEVEL1		6
#define  SM_LEVEL0		7
#define SETIENUM		0x1edc
#define CLRIE(i)		(0x1f00 + 4 * (i))
#define CLRIENUM		0x1fdc
#define SETIPNUM_LE		0x2000
#define TARGET(n)		(0x3000 + 4 * (n))
#define  TARGET_HART_SHIFT	18
#define  TARGET_GUEST_SHIFT	12

#define MAX_SOURCE		1023
#define IMSIC_PAGE_SHIFT	12

struct aplic {
	struct device dev;
	void *regs;
	u32 nr_sources;
	phys_addr_t imsic_base;		/* page of hart index 0 */
	u32 guest_bits;			/* a hart has 2^guest_bits pages */
};

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

/* If it has fallen and risen again meanwhile, its message waits at the parent already. */
static void aplic_irq_eoi(struct irq_data *d)
{
	bool waits = false;

	if (!(irqd_get_trigger_type(d) & IRQ_TYPE_LEVEL_MASK))
		return;
	irq_chip_get_parent_state(d, IRQCHIP_STATE_PENDING, &waits);
	if (!waits)
		aplic_repend(d);
}

/* One store, so no message is ever half old and half new. */
static void aplic_irq_write_msi_msg(struct irq_data *d, struct msi_msg *msg)
{
	struct aplic *aplic = d->chip_data;
	u64 page = (msi_msg_address(msg) - aplic->imsic_base) >> IMSIC_PAGE_SHIFT;
	u32 guest = page & (BIT(aplic->guest_bits) - 1), hart = page >> aplic->guest_bits;
	u32 target = hart << TARGET_HART_SHIFT | guest << TARGET_GUEST_SHIFT | msg->data;

	if (!msi_msg_address(msg) && !msg->data)
		target = 0;	/* deactivated */
	irq_data_get_msi_desc(d)->msg = *msg;
	writel(target, aplic->regs + TARGET(d->hwirq));
}

static int aplic_source_mode(unsigned int type)
{
	switch (type) {
	case IRQ_TYPE_NONE:		return SM_INACTIVE;
	case IRQ_TYPE_EDGE_RISING:	return SM_EDGE1;
	case IRQ_TYPE_EDGE_FALLING:	return SM_EDGE0;
	case IRQ_TYPE_LEVEL_HIGH:	return SM_LEVEL1;
	case IRQ_TYPE_LEVEL_LOW:	return SM_LEVEL0;
	default:			return -EINVAL;
	}
}

static int aplic_irq_set_type(struct irq_data *d, unsigned int type)
{
	struct aplic *aplic = d->chip_data;
	bool level = type & IRQ_TYPE_LEVEL_MASK;
	int mode = aplic_source_mode(type);
	struct msi_msg msg;

	if (mode < 0)
		return mode;
	writel(mode, aplic->regs + SOURCECFG(d->hwirq));
	if (readl(aplic->regs + SOURCECFG(d->hwirq)) != (u32)mode) {
		pr_err("%s: source %lu cannot be %s, or belongs to another domain", aplic->dev.name,
		       d->hwirq, irq_type_name(type));
		return -EINVAL;
	}
	irq_data_to_desc(d)->handle_irq = level ? handle_fasteoi_irq : handle_edge_irq;
	irq_data_to_desc(d)->name = level ? "fasteoi" : "edge";
	/* target was read-only zero if the source was inactive until now. [AIA 4.5.16] */
	if (irqd_is_activated(d) && !irq_chip_compose_msi_msg(d, &msg))
		aplic_irq_write_msi_msg(d, &msg);
	if (level)
		aplic_repend(d);	/* it may have risen before */
	return IRQ_SET_MASK_OK;
}

static int aplic_translate(struct irq_domain *d, struct irq_fwspec *fwspec, unsigned long *hwirq,
			   unsigned int *type)
{
	struct aplic *aplic = container_of(d->dev, struct aplic, dev);

	if (fwspec->param_count < 2)
		return -EINVAL;
	if (!fwspec->param[0] || fwspec->param[0] > aplic->nr_sources) {
		pr_err("%s: source %u is not one of 1 to %u", aplic->dev.name, fwspec->param[0],
		       aplic->nr_sources);
		return -EINVAL;
	}
	*hwirq = fwspec->param[0];
	*type = fwspec->param[1] & IRQ_TYPE_SENSE_MASK;
	if (*type == IRQ_TYPE_NONE)
		pr_warn("%s: source %lu: the device tree does not tell its trigger type",
			aplic->dev.name, *hwirq);
	return 0;
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
		.flags = IRQCHIP_SET_TYPE_MASKED,
	},
	.ops = {
		.msi_translate = aplic_translate,
	},
	.info = {
		.bus_token = DOMAIN_BUS_WIRED_TO_MSI,
		.flags = MSI_FLAG_USE_DEF_CHIP_OPS,
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

/* Nothing is sensed, enabled or forwarded, whatever firmware left. */
static int aplic_reset(struct aplic *aplic)
{
	writel(DOMAINCFG_DM, aplic->regs + DOMAINCFG);
	if (!(readl(aplic->regs + DOMAINCFG) & DOMAINCFG_DM)) {
		pr_err("%s: has an msi-parent but no MSI delivery mode", aplic->dev.name);
		return -ENODEV;
	}
	for (u32 i = 0; i <= aplic->nr_sources / 32; i++)
		writel(~0U, aplic->regs + CLRIE(i));
	for (u32 n = 1; n <= aplic->nr_sources; n++)
		writel(SM_INACTIVE, aplic->regs + SOURCECFG(n));
	return 0;
}

static int aplic_setup(struct aplic *aplic, struct device_node *node)
{
	int ret;

	aplic->dev.name = node->name;
	aplic->dev.fwnode = &node->fwnode;
	of_property_read_u32(node, "riscv,num-sources", &aplic->nr_sources);
	if (!aplic->nr_sources || aplic->nr_sources > MAX_SOURCE) {
		pr_err("%s: riscv,num-sources is %u, not 1 to %u", node->fwnode.name,
		       aplic->nr_sources, MAX_SOURCE);
		return -EINVAL;
	}
	aplic->regs = of_iomap(node, 0);
	if (!aplic->regs)
		return -EINVAL;
	ret = aplic_find_imsic(aplic, node);
	if (ret)
		return ret;
	ret = aplic_reset(aplic);
	if (ret)
		return ret;
	ret = msi_create_device_irq_domain(&aplic->dev, &aplic_template, aplic->nr_sources + 1,
					   aplic, aplic);
	if (ret)
		return ret;
	irq_domain_set_name(msi_device_domain(&aplic->dev), "aplic");
	writel(DOMAINCFG_DM | DOMAINCFG_IE, aplic->regs + DOMAINCFG);
	return 0;
}

static int aplic_init(struct device_node *node, struct device_node *parent)
{
	struct aplic *aplic;
	int ret;

	(void)parent;
	if (!of_property_present(node, "msi-parent")) {
		pr_err("%s: without msi-parent it delivers directly, which is not supported yet",
		       node->fwnode.name);
		return -ENODEV;
	}
	aplic = kzalloc(sizeof(*aplic));
	if (!aplic)
		return -ENOMEM;
	ret = aplic_setup(aplic, node);
	if (ret)
		kfree(aplic);
	return ret;
}

IRQCHIP_DECLARE(aplic, "riscv,aplic", aplic_init);
