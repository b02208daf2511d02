/*
 * One level of a hierarchy, from its owner's side: what a domain's alloc() fills in for itself and
 * asks of its parent, and what its free() clears.
 *
 *   alloc   irq_domain_alloc_irqs_parent, then irq_domain_set_info or _set_hwirq_and_chip
 *   free    irq_domain_free_irqs_common (or _top): this level first, then the parent's free
 *
 * (Linux: kernel/irq/irqdomain.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>

/* Marks a level from which on the chain is to be cut off. */
const struct irq_chip irq_disconnected_chip = { .name = "disconnected" };

int irq_domain_set_hwirq_and_chip(struct irq_domain *domain, unsigned int virq,
				  irq_hw_number_t hwirq, const struct irq_chip *chip,
				  void *chip_data)
{
	struct irq_data *d = irq_domain_get_irq_data(domain, virq);

	if (!d)
		return -ENOENT;
	irq_data_set_chip(d, hwirq, chip, chip_data);
	return 0;
}

void irq_domain_set_info(struct irq_domain *domain, unsigned int virq, irq_hw_number_t hwirq,
			 const struct irq_chip *chip, void *chip_data, irq_flow_handler_t handler,
			 void *handler_data, const char *handler_name)
{
	irq_domain_set_hwirq_and_chip(domain, virq, hwirq, chip, chip_data);
	__irq_set_handler(virq, handler, 0, handler_name);
	irq_set_handler_data(virq, handler_data);
}

void irq_domain_reset_irq_data(struct irq_data *d)
{
	d->hwirq = 0;
	d->chip = &no_irq_chip;
	d->chip_data = NULL;
}

int irq_domain_disconnect_hierarchy(struct irq_domain *domain, unsigned int virq)
{
	struct irq_data *d = irq_domain_get_irq_data(domain, virq);

	if (!d)
		return -EINVAL;
	d->chip = &irq_disconnected_chip;
	irq_data_to_desc(d)->istate |= IRQS_TRIM;
	return 0;
}

/* ---- The parent -------------------------------------------------------------------------- */

void irq_domain_free_hierarchy(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	if (!d->ops->free)
		return;
	for (unsigned int i = 0; i < nr_irqs; i++)
		if (irq_domain_get_irq_data(d, virq + i))
			d->ops->free(d, virq + i, 1);
}

void irq_domain_free_irqs_parent(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	if (d->parent)
		irq_domain_free_hierarchy(d->parent, virq, nr_irqs);
}

void irq_domain_free_irqs_common(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_data *data = irq_domain_get_irq_data(d, virq + i);

		if (data)
			irq_domain_reset_irq_data(data);
	}
	irq_domain_free_irqs_parent(d, virq, nr_irqs);
}

void irq_domain_free_irqs_top(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		irq_set_handler_data(virq + i, NULL);
		irq_set_handler(virq + i, NULL);
	}
	irq_domain_free_irqs_common(d, virq, nr_irqs);
}
