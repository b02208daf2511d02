/*
 * Putting a hierarchy to work and to rest, and changing its outermost level while it exists.
 * Activation reserves what the hardware needs on each level (a table entry, a message), root
 * first; a second activation, or the deactivation of what is not active, does nothing.
 * (Linux: kernel/irq/irqdomain.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>
#include <kernel/mm.h>

static void deactivate_levels(struct irq_data *d)
{
	for (; d && d->domain; d = d->parent_data)
		if (d->domain->ops && d->domain->ops->deactivate)
			d->domain->ops->deactivate(d->domain, d);
}

/* Each time the level outside of those that are DONE: chains are short. */
static int activate_levels(struct irq_data *outer, bool reserve)
{
	struct irq_data *d, *done = NULL;

	for (; done != outer; done = d) {
		int ret = 0;

		for (d = outer; d->parent_data != done; d = d->parent_data)
			;
		if (d->domain && d->domain->ops && d->domain->ops->activate)
			ret = d->domain->ops->activate(d->domain, d, reserve);
		if (ret) {
			deactivate_levels(done);
			return ret;
		}
	}
	return 0;
}

int irq_domain_activate_irq(struct irq_data *d, bool reserve)
{
	int ret;

	if (irqd_is_activated(d))
		return 0;
	ret = activate_levels(d, reserve);
	if (!ret)
		irqd_set(d, IRQD_ACTIVATED);
	return ret;
}

void irq_domain_deactivate_irq(struct irq_data *d)
{
	if (!irqd_is_activated(d))
		return;
	deactivate_levels(d);
	irqd_clear(d, IRQD_ACTIVATED);
}

/* ---- One more, or one less, outermost level ------------------------------------------------- */

/* free() must not reach the parent: that level goes on. */
static void free_outermost(struct irq_domain *d, struct irq_data *outer)
{
	outer->parent_data = NULL;
	irq_domain_free_hierarchy(d, outer->irq, 1);
}

int irq_domain_push_irq(struct irq_domain *d, unsigned int virq, void *arg)
{
	struct irq_data *outer = irq_get_irq_data(virq), *inner;
	struct irq_desc *desc = irq_to_desc(virq);
	int ret;

	if (desc && WARN_ON(desc->action))
		return -EBUSY;
	if (!outer || !d || !irq_domain_is_hierarchy(d) || !d->parent ||
	    outer->domain != d->parent)
		return -EINVAL;
	inner = kzalloc(sizeof(*inner));
	if (!inner)
		return -ENOMEM;
	mutex_lock(&d->root->mutex);
	*inner = *outer;
	outer->parent_data = inner;
	outer->domain = d;
	outer->mask = 0;
	irq_domain_reset_irq_data(outer);
	irq_domain_fix_revmap(inner);
	ret = d->ops->alloc(d, virq, 1, arg);
	if (!ret) {
		ret = irq_domain_set_mapping(d, outer);
		if (ret)
			free_outermost(d, outer);
	}
	if (ret) {	/* as it was before */
		*outer = *inner;
		irq_domain_fix_revmap(outer);
		irq_domain_free_level(inner);
	} else {
		d->mapcount++;
	}
	mutex_unlock(&d->root->mutex);
	return ret;
}

int irq_domain_pop_irq(struct irq_domain *d, unsigned int virq)
{
	struct irq_data *outer = irq_get_irq_data(virq), *inner;
	struct irq_desc *desc = irq_to_desc(virq);

	if (desc && WARN_ON(desc->action))
		return -EBUSY;
	if (!outer || !d || outer->domain != d || !outer->parent_data)
		return -EINVAL;
	mutex_lock(&d->root->mutex);
	inner = outer->parent_data;
	irq_domain_clear_mapping(d, outer->hwirq);
	d->mapcount--;
	free_outermost(d, outer);
	*outer = *inner;
	irq_domain_fix_revmap(outer);
	irq_domain_free_level(inner);
	mutex_unlock(&d->root->mutex);
	return 0;
}
