/*
 * Reverse maps, and irqs of domains without a parent: create, find, dispose.
 *
 *   irq_create_mapping  number -> descriptor -> ops->map -> reverse map -> requestable
 *   irq_dispose_mapping not requestable -> handler gone -> wait -> ops->unmap -> map -> number
 *
 * Nothing is published before everything has succeeded. (Linux: kernel/irq/irqdomain.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>

/* ---- The map itself ------------------------------------------------------------------------- */

struct irq_data *irq_domain_lookup_slow(struct irq_domain *d, irq_hw_number_t hwirq)
{
	struct irq_data *data;

	if (!(d->flags & IRQ_DOMAIN_FLAG_NO_MAP))
		return radix_lookup(&d->revmap_tree, hwirq);
	data = hwirq < NR_IRQS ? irq_domain_get_irq_data(d, hwirq) : NULL;
	return data && data->hwirq == hwirq ? data : NULL;
}

int irq_domain_set_mapping_slow(struct irq_domain *d, struct irq_data *data)
{
	return d->flags & IRQ_DOMAIN_FLAG_NO_MAP
			? 0 : radix_insert(&d->revmap_tree, data->hwirq, data);
}

void irq_domain_clear_mapping(struct irq_domain *d, irq_hw_number_t hwirq)
{
	if (d->flags & IRQ_DOMAIN_FLAG_NO_MAP)
		return;
	if (hwirq < d->revmap_size)
		__atomic_store_n(&d->revmap[hwirq], NULL, __ATOMIC_RELEASE);
	else
		radix_delete(&d->revmap_tree, hwirq);
}

/* The irq_data of a mapped hwirq has moved in memory. */
void irq_domain_fix_revmap(struct irq_data *data)
{
	struct irq_domain *d = data->domain;

	if (d->flags & IRQ_DOMAIN_FLAG_NO_MAP)
		return;
	if (data->hwirq < d->revmap_size)
		__atomic_store_n(&d->revmap[data->hwirq], data, __ATOMIC_RELEASE);
	else
		radix_replace(&d->revmap_tree, data->hwirq, data);
}

struct irq_desc *__irq_resolve_mapping(struct irq_domain *d, irq_hw_number_t hwirq,
				       unsigned int *irq)
{
	struct irq_data *data;

	if (!d)
		d = irq_get_default_domain();
	data = d ? irq_domain_lookup(d, hwirq) : NULL;
	if (data && irq)
		*irq = data->irq;
	return data ? irq_data_to_desc(data) : NULL;
}

unsigned int irq_find_mapping(struct irq_domain *d, irq_hw_number_t hwirq)
{
	unsigned int irq;

	return __irq_resolve_mapping(d, hwirq, &irq) ? irq : 0;
}

/* ---- Numbers -------------------------------------------------------------------------------- */

int irq_domain_alloc_descs(int virq, unsigned int cnt, irq_hw_number_t hwirq, int node,
			   const struct irq_affinity_desc *affinity)
{
	unsigned int hint = hwirq % NR_IRQS;
	int ret;

	(void)node;
	if (virq >= 0)
		return irq_alloc_descs_affinity(virq, virq, cnt, NULL, affinity);
	ret = irq_alloc_descs_affinity(-1, hint ? hint : 1, cnt, NULL, affinity);
	if (ret < 0 && hint > 1)
		ret = irq_alloc_descs_affinity(-1, 1, cnt, NULL, affinity);
	return ret;
}

/* ---- One hwirq of a flat domain ------------------------------------------------------------- */

static int check_associate(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	struct irq_data *data = irq_get_irq_data(virq);

	if (hwirq >= d->hwirq_max) {
		pr_err("%s: hwirq %#lx is too large (limit %#lx)", d->name, hwirq, d->hwirq_max);
		return -EINVAL;
	}
	if (!data || data->domain) {
		pr_err("%s: irq %u %s", d->name, virq, data ? "belongs to a domain" : "is none");
		return -EINVAL;
	}
	if (irq_domain_lookup(d, hwirq)) {
		pr_err("%s: hwirq %#lx is mapped already", d->name, hwirq);
		return -EEXIST;
	}
	return 0;
}

static int associate_locked(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	struct irq_data *data = irq_get_irq_data(virq);
	int ret = check_associate(d, virq, hwirq);

	if (ret)
		return ret;
	data->hwirq = hwirq;
	data->domain = d;
	if (d->ops && d->ops->map) {
		ret = d->ops->map(d, virq, hwirq);
		if (ret && ret != -EPERM)
			pr_err("%s: cannot map hwirq %#lx (%s)", d->name, hwirq, errname(ret));
		if (ret)
			goto dissociate;
	}
	ret = irq_domain_set_mapping(d, data);
	if (ret)
		goto unmap;
	d->mapcount++;
	irq_clear_status_flags(virq, IRQ_NOREQUEST);
	return 0;
unmap:
	if (d->ops && d->ops->unmap)
		d->ops->unmap(d, virq);
dissociate:
	data->domain = NULL;
	data->hwirq = 0;
	return ret;
}

int irq_domain_associate(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	int ret;

	mutex_lock(&d->root->mutex);
	ret = associate_locked(d, virq, hwirq);
	mutex_unlock(&d->root->mutex);
	return ret;
}

void irq_domain_associate_many(struct irq_domain *d, unsigned int irq_base,
			       irq_hw_number_t hwirq_base, int count)
{
	for (int i = 0; i < count; i++)
		irq_domain_associate(d, irq_base + i, hwirq_base + i);
}

unsigned int irq_create_mapping_locked(struct irq_domain *d, irq_hw_number_t hwirq,
				       const struct irq_affinity_desc *affinity)
{
	unsigned int found = irq_find_mapping(d, hwirq);
	int virq;

	if (found)
		return found;
	virq = irq_domain_alloc_descs(-1, 1, hwirq, -1, affinity);
	if (virq <= 0) {
		pr_err("%s: no irq number for hwirq %#lx", d->name, hwirq);
		return 0;
	}
	if (!associate_locked(d, virq, hwirq))
		return virq;
	irq_free_desc(virq);
	return 0;
}

unsigned int irq_create_mapping_affinity(struct irq_domain *d, irq_hw_number_t hwirq,
					 const struct irq_affinity_desc *affinity)
{
	unsigned int virq;

	if (!d)
		d = irq_get_default_domain();
	if (!d) {
		pr_warn("no domain to map hwirq %#lx in", hwirq);
		return 0;
	}
	if (irq_domain_is_hierarchy(d)) {	/* would skip alloc(): docs/deviations.md */
		pr_err("%s: a hierarchy; use irq_domain_alloc_irqs() for hwirq %#lx", d->name,
		       hwirq);
		return 0;
	}
	mutex_lock(&d->root->mutex);
	virq = irq_create_mapping_locked(d, hwirq, affinity);
	mutex_unlock(&d->root->mutex);
	return virq;
}

unsigned int irq_create_direct_mapping(struct irq_domain *d)
{
	int virq;

	if (!d)
		d = irq_get_default_domain();
	if (!d)
		return 0;
	virq = irq_alloc_desc(-1);
	if (virq <= 0)
		return 0;
	if ((irq_hw_number_t)virq >= d->hwirq_max) {
		pr_err("%s: no free irq below %lu", d->name, d->hwirq_max);
		irq_free_desc(virq);
		return 0;
	}
	if (!irq_domain_associate(d, virq, virq))
		return virq;
	irq_free_desc(virq);
	return 0;
}

void irq_domain_disassociate(struct irq_domain *d, unsigned int virq)
{
	struct irq_data *data = irq_get_irq_data(virq);
	irq_hw_number_t hwirq;

	if (WARN_ON(!data || data->domain != d))
		return;
	hwirq = data->hwirq;
	mutex_lock(&d->root->mutex);
	irq_set_status_flags(virq, IRQ_NOREQUEST);
	irq_set_chip_and_handler(virq, NULL, NULL);
	synchronize_irq(virq);
	if (d->ops && d->ops->unmap)
		d->ops->unmap(d, virq);
	data->domain = NULL;
	data->hwirq = 0;
	d->mapcount--;
	irq_domain_clear_mapping(d, hwirq);
	mutex_unlock(&d->root->mutex);
}

void irq_dispose_mapping(unsigned int virq)
{
	struct irq_data *data = virq ? irq_get_irq_data(virq) : NULL;
	struct irq_domain *d = data ? data->domain : NULL;

	if (!data)
		return;
	if (!d) {
		pr_warn("irq %u: disposed of, but belongs to no domain", virq);
	} else if (irq_domain_is_msi_device(d)) {
		msi_device_domain_free_wired(d, virq);
	} else if (irq_domain_is_hierarchy(d)) {
		irq_domain_free_irqs(virq, 1);
	} else {
		irq_domain_disassociate(d, virq);
		irq_free_desc(virq);
	}
}
