/*
 * Hierarchies: an irq that passes several controllers has one irq_data for each, outermost in the
 * descriptor, linked by parent_data towards the CPU.
 *
 *   alloc       leaf's ops->alloc -> parent's alloc -> … root; then all levels are published
 *   activate    root first, leaf last: a message goes out only when everything behind it is ready
 *   deactivate  leaf first
 *
 * Allocation and activation are two steps, so that a failure in the middle of the first has
 * nothing to undo in hardware. (Linux: kernel/irq/irqdomain.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>
#include <kernel/mm.h>

/* ---- The chain of irq_data ------------------------------------------------------------------ */

void irq_domain_free_level(struct irq_data *d)
{
	struct irq_desc *desc = irq_data_to_desc(d);

	if (d < irq_desc_level(desc, 0) || d >= irq_desc_level(desc, desc->nr_levels))
		kfree(d);
}

static void free_levels(struct irq_data *d)
{
	while (d) {
		struct irq_data *parent = d->parent_data;

		irq_domain_free_level(d);
		d = parent;
	}
}

static void free_irq_data(unsigned int virq, unsigned int nr_irqs)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_data *d = irq_get_irq_data(virq + i);

		free_levels(d->parent_data);
		d->parent_data = NULL;
		d->domain = NULL;
	}
}

/* Of a descriptor that was there: in it as far as there is room, else in memory of their own. */
static int alloc_levels(struct irq_data *d, struct irq_domain *domain)
{
	struct irq_desc *desc = irq_data_to_desc(d);
	struct irq_data *place = irq_desc_level(desc, 0), *end = place + desc->nr_levels;

	d->domain = domain;
	while ((domain = domain->parent)) {
		struct irq_data *parent = place < end ? place++ : kmalloc(sizeof(*parent));

		if (!parent)
			return -ENOMEM;
		*parent = (struct irq_data){
			.irq = d->irq, .common = d->common, .domain = domain,
		};
		d->parent_data = parent;
		d = parent;
	}
	return 0;
}

static int alloc_irq_data(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		if (alloc_levels(irq_get_irq_data(virq + i), d)) {
			free_irq_data(virq, i + 1);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Cuts off what alloc() has marked, if all above it and nothing below it has a chip. (S-040) */
static int __attribute__((noinline)) trim_hierarchy(struct irq_desc *desc)
{
	struct irq_data *last = &desc->irq_data, *cut;

	desc->istate &= ~IRQS_TRIM;
	if (!last->chip || last->chip == &irq_disconnected_chip)
		return -EINVAL;
	while ((cut = last->parent_data) && cut->chip != &irq_disconnected_chip) {
		if (!cut->chip)
			return -EINVAL;
		last = cut;
	}
	for (struct irq_data *d = cut ? cut->parent_data : NULL; d; d = d->parent_data)
		if (d->chip)
			return -EINVAL;
	last->parent_data = NULL;
	free_levels(cut);
	return 0;
}

/* ---- Publishing: reverse map and mapcount of every level ------------------------------------ */

static void unpublish_levels(struct irq_data *d, struct irq_data *end)
{
	for (; d != end; d = d->parent_data) {
		irq_domain_clear_mapping(d->domain, d->hwirq);
		d->domain->mapcount--;
	}
}

static int publish(struct irq_desc *desc)
{
	struct irq_data *outer = &desc->irq_data, *d;

	if (desc->istate & IRQS_TRIM && trim_hierarchy(desc))
		return -EINVAL;
	for (d = outer; d; d = d->parent_data) {
		int ret = d->chip ? irq_domain_set_mapping(d->domain, d) : -EINVAL;

		if (ret) {
			unpublish_levels(outer, d);
			return ret;
		}
		d->domain->mapcount++;
	}
	if (desc->status_use_accessors)
		irq_clear_status_flags(outer->irq, IRQ_NOREQUEST);
	return 0;
}

static void unpublish(unsigned int virq)
{
	irq_set_status_flags(virq, IRQ_NOREQUEST);
	irq_set_chip_and_handler(virq, NULL, NULL);
	synchronize_irq(virq);
	unpublish_levels(irq_get_irq_data(virq), NULL);
}

/* ---- Allocation ----------------------------------------------------------------------------- */

static int publish_all(unsigned int virq, unsigned int nr_irqs)
{
	for (unsigned int done = 0; done < nr_irqs; done++) {
		int ret = publish(irq_to_desc(virq + done));

		if (ret) {
			while (done--)
				unpublish(virq + done);
			return ret;
		}
	}
	return 0;
}

int irq_domain_fill_irqs(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs, void *arg)
{
	int ret = d->ops->alloc(d, virq, nr_irqs, arg);

	if (ret >= 0) {
		ret = publish_all(virq, nr_irqs);
		if (!ret)
			return virq;
		irq_domain_free_hierarchy(d, virq, nr_irqs);
	}
	free_irq_data(virq, nr_irqs);
	irq_free_descs(virq, nr_irqs);
	return ret;
}

int irq_domain_alloc_irqs_locked(struct irq_domain *d, int irq_base, unsigned int nr_irqs,
				 void *arg, bool realloc, const struct irq_affinity_desc *affinity)
{
	bool old = realloc && irq_base >= 0 && irq_to_desc(irq_base);
	int virq = irq_base;

	if (!d->ops || !d->ops->alloc) {
		if (old)
			irq_free_descs(virq, nr_irqs);
		return -ENOSYS;
	}
	if (!old) {
		virq = irq_alloc_descs_affinity(irq_base, max(irq_base, 1), nr_irqs, d, affinity);
	} else if (alloc_irq_data(d, virq, nr_irqs)) {
		irq_free_descs(virq, nr_irqs);
		return -ENOMEM;
	}
	return virq < 0 ? virq : irq_domain_fill_irqs(d, virq, nr_irqs, arg);
}

int __irq_domain_alloc_irqs(struct irq_domain *d, int irq_base, unsigned int nr_irqs, int node,
			    void *arg, bool realloc, const struct irq_affinity_desc *affinity)
{
	int ret;

	(void)node;
	if (!d)
		d = irq_get_default_domain();
	if (WARN_ON(!d))
		return -EINVAL;
	mutex_lock(&d->root->mutex);
	ret = irq_domain_alloc_irqs_locked(d, irq_base, nr_irqs, arg, realloc, affinity);
	mutex_unlock(&d->root->mutex);
	return ret;
}

void irq_domain_free_irqs(unsigned int virq, unsigned int nr_irqs)
{
	struct irq_data *data = irq_get_irq_data(virq);
	struct irq_domain *d = data ? data->domain : NULL;

	if (WARN_ON(!d || !d->ops || !d->ops->free))
		return;
	mutex_lock(&d->root->mutex);
	for (unsigned int i = 0; i < nr_irqs; i++)
		unpublish(virq + i);
	irq_domain_free_hierarchy(d, virq, nr_irqs);
	free_irq_data(virq, nr_irqs);
	mutex_unlock(&d->root->mutex);
	irq_free_descs(virq, nr_irqs);
}
