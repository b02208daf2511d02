/*
 * APLIC, the RISC-V Advanced Platform-Level Interrupt Controller: senses up to 1023 wires, each as
 * an edge or a level of either polarity. What becomes of an event is the delivery mode: a message
 * to a hart's IMSIC where the tree names one (aplic-msi.c), else a signal to the hart
 * (aplic-direct.c). Used: the S-mode domain's region. Manual: RISC-V AIA, chapter 4.
 *
 *   wire --> sourcecfg[n] senses --> pending[n] & enable[n] --> target[n] --+--> IMSIC of a hart
 *                                                                           +--> cause 9 of a hart
 */
#include <drivers/irqchip/aplic.h>
#include <kernel/driver.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <stdio.h>

static struct aplic *aplics;

/* ---- Sources -------------------------------------------------------------------------------- */

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

int aplic_set_source_mode(struct aplic *aplic, struct irq_data *d, unsigned int type)
{
	bool level = type & IRQ_TYPE_LEVEL_MASK;
	int mode = aplic_source_mode(type);

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
	return 0;
}

int aplic_translate(const struct aplic *aplic, const struct irq_fwspec *fwspec,
		    unsigned long *hwirq, unsigned int *type)
{
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

/* ---- Invariants ----------------------------------------------------------------------------- */

static bool aplic_goes_astray(const struct aplic *aplic, struct irq_data *d)
{
	struct irq_desc *desc = irq_data_to_desc(d);
	unsigned long flags = spin_lock_irqsave(&desc->lock);
	bool astray = irqd_is_started(d) &&
		      readl(aplic->regs + SOURCECFG(d->hwirq)) != SM_INACTIVE &&
		      readl(aplic->regs + TARGET(d->hwirq)) != aplic->target(d);

	spin_unlock_irqrestore(&desc->lock, flags);
	return astray;
}

/* Nobody maps or unmaps meanwhile. */
static const char *aplic_fault(const struct aplic *aplic, u32 source)
{
	struct irq_data *d = irq_domain_lookup(aplic->domain, source);

	if (!d)
		return aplic_bit(aplic, SETIE(0), source) ? "is enabled, but has no irq" : NULL;
	return aplic_goes_astray(aplic, d) ? "does not go where its irq says" : NULL;
}

static unsigned int aplic_check(void (*report)(void *arg, const char *text), void *arg)
{
	unsigned int faults = 0;
	char text[96];

	for (const struct aplic *aplic = aplics; aplic; aplic = aplic->next) {
		mutex_lock(&aplic->domain->root->mutex);
		for (u32 n = 1; n <= aplic->nr_sources; n++) {
			const char *fault = aplic_fault(aplic, n);

			if (!fault)
				continue;
			snprintf(text, sizeof(text), "%s: source %u %s", aplic->domain->name, n,
				 fault);
			report(arg, text);
			faults++;
		}
		mutex_unlock(&aplic->domain->root->mutex);
	}
	return faults;
}

/* ---- irq doctor ------------------------------------------------------------------------------ */

void aplic_diagnose_source(struct diagnosis *dx, const struct aplic *aplic, struct irq_data *d)
{
	u32 domaincfg = readl(aplic->regs + DOMAINCFG);
	u32 mode = readl(aplic->regs + SOURCECFG(d->hwirq));
	u32 found = readl(aplic->regs + TARGET(d->hwirq)), target = aplic->target(d);
	int wanted = aplic_source_mode(irqd_get_trigger_type(d));
	bool enabled = aplic_bit(aplic, SETIE(0), d->hwirq);

	diagnose(dx, mode != SM_INACTIVE && (wanted < 0 || mode == (u32)wanted), "source mode",
		 "sourcecfg[%lu] is %u, for %s it is %d", d->hwirq, mode,
		 irq_type_name(irqd_get_trigger_type(d)), wanted);
	diagnose(dx, true, "pending", "source %lu: %u, its wire %u", d->hwirq,
		 aplic_bit(aplic, SETIP(0), d->hwirq), aplic_bit(aplic, IN_CLRIP(0), d->hwirq));
	diagnose_gate(dx, d, enabled, "enable", "source %lu: %u", d->hwirq, enabled);
	diagnose(dx, found == target, "target", "target[%lu] is %#x, it should be %#x", d->hwirq,
		 found, target);
	diagnose(dx, domaincfg & DOMAINCFG_IE, "domain enable", "domaincfg is %#x", domaincfg);
}

/* ---- Starting ------------------------------------------------------------------------------- */

/* Nothing is sensed, enabled or delivered, whatever firmware left. */
static void aplic_reset(struct aplic *aplic, u32 delivery)
{
	writel(delivery, aplic->regs + DOMAINCFG);
	for (u32 i = 0; i <= aplic->nr_sources / 32; i++)
		writel(~0U, aplic->regs + CLRIE(i));
	for (u32 n = 1; n <= aplic->nr_sources; n++)
		writel(SM_INACTIVE, aplic->regs + SOURCECFG(n));
}

static int aplic_map_registers(struct aplic *aplic, struct device_node *node)
{
	struct resource res;

	if (of_address_to_resource(node, 0, &res))
		return -EINVAL;
	if (res.size < TARGET(APLIC_MAX_SOURCE + 1)) {
		pr_err("%s: reg of 0x%llx bytes has no room for its registers", node->fwnode.name,
		       (unsigned long long)res.size);
		return -EINVAL;
	}
	aplic->size = res.size;
	aplic->regs = ioremap(res.start, res.size);
	return aplic->regs ? 0 : -EINVAL;
}

static int aplic_setup(struct aplic *aplic, struct device_node *node, struct device_node *parent)
{
	u32 delivery = of_property_present(node, "msi-parent") ? DOMAINCFG_DM : 0;
	int ret;

	aplic->dev.name = node->name;
	aplic->dev.fwnode = &node->fwnode;
	of_property_read_u32(node, "riscv,num-sources", &aplic->nr_sources);
	if (!aplic->nr_sources || aplic->nr_sources > APLIC_MAX_SOURCE) {
		pr_err("%s: riscv,num-sources is %u, not 1 to %u", node->fwnode.name,
		       aplic->nr_sources, APLIC_MAX_SOURCE);
		return -EINVAL;
	}
	ret = aplic_map_registers(aplic, node);
	if (ret)
		return ret;
	aplic_reset(aplic, delivery);
	ret = delivery ? aplic_msi_setup(aplic, node) : aplic_direct_setup(aplic, node, parent);
	if (ret)
		return ret;
	irq_check_register(aplic_check);
	aplic->next = aplics;
	aplics = aplic;
	writel(delivery | DOMAINCFG_IE, aplic->regs + DOMAINCFG);
	return 0;
}

static int aplic_init(struct device_node *node, struct device_node *parent)
{
	struct aplic *aplic = kzalloc(sizeof(*aplic));
	int ret;

	if (!aplic)
		return -ENOMEM;
	ret = aplic_setup(aplic, node, parent);
	if (ret)
		kfree(aplic);
	return ret;
}

IRQCHIP_DECLARE(aplic, "riscv,aplic", aplic_init);
