/*
 * From firmware's description of an interrupt to an irq: which domain speaks for the node, what
 * its cells mean, and what if the line is mapped already (two devices on one line must agree on
 * the trigger). The trigger is only recorded here; the chip learns of it at request time.
 * (Linux: kernel/irq/irqdomain.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>
#include <kernel/of.h>

/* ---- Which domain --------------------------------------------------------------------------- */

static bool domain_matches(struct irq_domain *d, struct irq_fwspec *fwspec,
			   enum irq_domain_bus_token bus_token)
{
	const struct irq_domain_ops *ops = d->ops;

	if (ops && ops->select && bus_token != DOMAIN_BUS_ANY)
		return ops->select(d, fwspec, bus_token);
	if (ops && ops->match)
		return ops->match(d, to_of_node(fwspec->fwnode), bus_token);
	return fwspec->fwnode && d->fwnode == fwspec->fwnode &&
	       (bus_token == DOMAIN_BUS_ANY || d->bus_token == bus_token);
}

struct irq_domain *irq_find_matching_fwspec(struct irq_fwspec *fwspec,
					    enum irq_domain_bus_token bus_token)
{
	struct irq_domain *d, *found = NULL;

	mutex_lock(&irq_domain_mutex);
	list_for_each_entry_reverse(d, &irq_domain_list, link) {	/* the newest wins */
		if (domain_matches(d, fwspec, bus_token)) {
			found = d;
			break;
		}
	}
	mutex_unlock(&irq_domain_mutex);
	return found;
}

struct irq_domain *irq_find_matching_fwnode(struct fwnode_handle *fwnode,
					    enum irq_domain_bus_token bus_token)
{
	return irq_find_matching_fwspec(&(struct irq_fwspec){ .fwnode = fwnode }, bus_token);
}

/* ---- What the cells mean -------------------------------------------------------------------- */

static int cells_missing(const struct irq_domain *d, int have, int want)
{
	pr_err("%s: interrupt specifier has %d cells, needs %d", d ? d->name : "domain", have,
	       want);
	return -EINVAL;
}

int irq_domain_translate_onecell(struct irq_domain *d, struct irq_fwspec *fwspec,
				 unsigned long *out_hwirq, unsigned int *out_type)
{
	if (fwspec->param_count < 1)
		return cells_missing(d, fwspec->param_count, 1);
	*out_hwirq = fwspec->param[0];
	*out_type = IRQ_TYPE_NONE;
	return 0;
}

int irq_domain_translate_twocell(struct irq_domain *d, struct irq_fwspec *fwspec,
				 unsigned long *out_hwirq, unsigned int *out_type)
{
	if (fwspec->param_count < 2)
		return cells_missing(d, fwspec->param_count, 2);
	*out_hwirq = fwspec->param[0];
	*out_type = fwspec->param[1] & IRQ_TYPE_SENSE_MASK;
	return 0;
}

int irq_domain_xlate_onecell(struct irq_domain *d, struct device_node *node, const u32 *intspec,
			     unsigned int intsize, unsigned long *out_hwirq, unsigned int *out_type)
{
	(void)node;
	if (intsize < 1)
		return cells_missing(d, intsize, 1);
	*out_hwirq = intspec[0];
	*out_type = IRQ_TYPE_NONE;
	return 0;
}

int irq_domain_xlate_twocell(struct irq_domain *d, struct device_node *node, const u32 *intspec,
			     unsigned int intsize, unsigned long *out_hwirq, unsigned int *out_type)
{
	(void)node;
	if (intsize < 2)
		return cells_missing(d, intsize, 2);
	*out_hwirq = intspec[0];
	*out_type = intspec[1] & IRQ_TYPE_SENSE_MASK;
	return 0;
}

int irq_domain_xlate_onetwocell(struct irq_domain *d, struct device_node *node, const u32 *intspec,
				unsigned int intsize, unsigned long *out_hwirq,
				unsigned int *out_type)
{
	return (intsize > 1 ? irq_domain_xlate_twocell : irq_domain_xlate_onecell)
		(d, node, intspec, intsize, out_hwirq, out_type);
}

const struct irq_domain_ops irq_domain_simple_ops = { .xlate = irq_domain_xlate_onetwocell };

static int translate(struct irq_domain *d, struct irq_fwspec *fwspec, unsigned long *hwirq,
		     unsigned int *type)
{
	const struct irq_domain_ops *ops = d->ops;

	*type = IRQ_TYPE_NONE;
	if (ops && ops->translate)
		return ops->translate(d, fwspec, hwirq, type);
	if (ops && ops->xlate)
		return ops->xlate(d, to_of_node(fwspec->fwnode), fwspec->param, fwspec->param_count,
				  hwirq, type);
	*hwirq = fwspec->param[0];
	return 0;
}

/* ---- The mapping ---------------------------------------------------------------------------- */

/* A line that is mapped already: the number if the triggers agree, else 0 (S-024). */
static unsigned int reuse_mapping(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq,
				  unsigned int type)
{
	struct irq_data *data = irq_get_irq_data(virq);
	unsigned int stored = irqd_get_trigger_type(data);

	if (type == IRQ_TYPE_NONE || type == stored)
		return virq;
	if (stored == IRQ_TYPE_NONE) {
		irqd_set_trigger_type(data, type);
		return virq;
	}
	pr_warn("%s: hwirq %#lx is wanted as %s, but irq %u has it as %s; not mapped", d->name,
		hwirq, irq_type_name(type), virq, irq_type_name(stored));
	return 0;
}

static unsigned int map_new(struct irq_domain *d, irq_hw_number_t hwirq, unsigned int type,
			    struct irq_fwspec *fwspec)
{
	int virq;

	if (!irq_domain_is_hierarchy(d))
		virq = irq_create_mapping_locked(d, hwirq, NULL);
	else
		virq = irq_domain_alloc_irqs_locked(d, -1, 1, fwspec, false, NULL);
	if (virq <= 0)
		return 0;
	irqd_set_trigger_type(irq_get_irq_data(virq), type);
	return virq;
}

unsigned int irq_create_fwspec_mapping(struct irq_fwspec *fwspec)
{
	struct irq_domain *d = irq_get_default_domain();
	unsigned int type = IRQ_TYPE_NONE, virq;
	irq_hw_number_t hwirq;

	if (fwspec->fwnode) {
		d = irq_find_matching_fwspec(fwspec, DOMAIN_BUS_WIRED);
		if (!d)
			d = irq_find_matching_fwspec(fwspec, DOMAIN_BUS_ANY);
	}
	if (!d) {
		pr_warn("no interrupt domain for %s",
			fwspec->fwnode ? fwspec->fwnode->name : "an unnamed controller");
		return 0;
	}
	if (translate(d, fwspec, &hwirq, &type))
		return 0;
	if (WARN_ON(type & ~IRQ_TYPE_SENSE_MASK))
		type &= IRQ_TYPE_SENSE_MASK;

	if (irq_domain_is_msi_device(d)) {
		virq = irq_find_mapping(d, hwirq);
		return virq ? reuse_mapping(d, virq, hwirq, type)
			    : msi_device_domain_alloc_wired(d, hwirq, type, fwspec);
	}
	mutex_lock(&d->root->mutex);
	virq = irq_find_mapping(d, hwirq);
	virq = virq ? reuse_mapping(d, virq, hwirq, type) : map_new(d, hwirq, type, fwspec);
	mutex_unlock(&d->root->mutex);
	return virq;
}
