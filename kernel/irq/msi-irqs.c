/*
 * Interrupts for the messages of a device.
 *
 *   prepare (once, total count) -> for each descriptor: set_desc -> irq numbers down the hierarchy
 *   -> descriptor linked to its irq -> early activation: the message is in the device before the
 *   device is told to use it (S-128, S-129)
 *
 * (Linux: kernel/irq/msi.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>
#include <kernel/irq/msi-internals.h>
#include <kernel/mm.h>

void get_cached_msi_msg(unsigned int irq, struct msi_msg *msg)
{
	struct msi_desc *desc = irq_get_msi_desc(irq);

	*msg = desc ? desc->msg : (struct msi_msg){ 0 };
}

/* ---- Interrupts ----------------------------------------------------------------------------- */

static void release_desc_irqs(struct msi_desc *desc)
{
	if (!desc->irq)
		return;
	for (unsigned int i = 0; i < desc->nvec_used; i++)
		irq_domain_deactivate_irq(irq_get_irq_data(desc->irq + i));
	irq_domain_free_irqs(desc->irq, desc->nvec_used);
	desc->irq = 0;
}

static int activate_early(const struct msi_domain_info *info, struct irq_data *d)
{
	if (!(info->flags & MSI_FLAG_ACTIVATE_EARLY))
		return 0;
	if (irqd_affinity_is_managed(d)) {
		if (!cpumask_intersects(irq_data_get_affinity_mask(d), cpu_online_mask))
			return 0;	/* stays shut down until a CPU of its mask is there */
		irqd_clear(d, IRQD_MANAGED_SHUTDOWN);
	}
	return irq_domain_activate_irq(d, false);
}

/* PCI drivers ask again for what can be had; others for just what they need. (S-135) */
static int could_be_had(struct irq_domain *d, const struct msi_desc *desc, unsigned int done)
{
	if (d->bus_token != DOMAIN_BUS_PCI_DEVICE_MSI && d->bus_token != DOMAIN_BUS_PCI_DEVICE_MSIX)
		return -ENOSPC;
	return desc->nvec_used > 1 ? 1 : done ? (int)done : -ENOSPC;
}

/* VIRQ: its numbers, made by irq_alloc_row(); -1: none yet. */
static int alloc_desc_irqs(struct irq_domain *domain, const struct msi_domain_info *info,
			   struct msi_desc *desc, int virq, msi_alloc_info_t *arg,
			   unsigned int done)
{
	int ret = 0;

	arg->desc = desc;
	arg->hwirq = desc->msi_index;
	if (info->ops->set_desc)
		info->ops->set_desc(arg, desc);
	if (virq < 0)
		virq = irq_domain_alloc_irqs_locked(domain, -1, desc->nvec_used, arg, false,
						    desc->affinity);
	else
		virq = irq_domain_fill_irqs(domain, virq, desc->nvec_used, arg);
	if (virq < 0)
		return could_be_had(domain, desc, done);
	desc->irq = virq;
	for (unsigned int i = 0; i < desc->nvec_used && !ret; i++) {
		struct irq_data *d = irq_get_irq_data(virq + i);

		d->common->msi_desc = desc;	/* the line is nobody's yet: no lock */
		ret = activate_early(info, d);
	}
	return ret;
}

static int prepare(struct irq_domain *domain, const struct msi_domain_info *info,
		   struct device *dev, unsigned int nvec, msi_alloc_info_t *arg)
{
	*arg = (msi_alloc_info_t){ .nvec = nvec };
	return info->ops->msi_prepare ? info->ops->msi_prepare(domain, dev, nvec, arg) : 0;
}

#define for_each_desc_of(desc, dev, domid, first, last, filter)				\
	for ((desc) = msi_desc_from(dev, domid, first, filter);				\
	     (desc) && (desc)->msi_index <= (last);					\
	     (desc) = msi_desc_from(dev, domid, (desc)->msi_index + 1, filter))

/* The same for all of them, at the least cost. */
#define for_each_present(desc, tree, first, last)					\
	for (struct radix_cursor at_ = radix_first(tree, first);			\
	     at_.slot && at_.key <= (last) && ((desc) = *at_.slot, true);		\
	     at_ = radix_after(tree, at_))

/* What is to be bound, which it marks: their vectors; *SAME: none of them has a mask of its own. */
static unsigned int mark_unbound(struct msi_dev_domain *dom, unsigned int first, unsigned int last,
				 bool *same)
{
	struct msi_desc *desc;
	uintptr_t masks = 0;
	unsigned int wanted = 0;

	for_each_present(desc, &dom->descs, first, last) {
		desc->fresh = !desc->irq;
		if (!desc->fresh)
			continue;
		wanted += desc->nvec_used;
		masks |= (uintptr_t)desc->affinity;
	}
	*same = !masks;
	return wanted;
}

/* Numbers are taken a row at a time if all are alike: the same ones as one by one. The mutex is
 * held once for all of them. */
static int bind_marked(struct msi_dev_domain *dom, unsigned int first, unsigned int last,
		       unsigned int wanted, bool same, msi_alloc_info_t *arg)
{
	unsigned int done = 0, row = 0, left = 0;
	struct irq_domain *domain = dom->domain;
	struct msi_desc *desc;
	int ret = 0;

	mutex_lock(&domain->root->mutex);
	for_each_present(desc, &dom->descs, first, last) {
		int virq = -1;

		if (!desc->fresh)
			continue;
		if (same && !left)
			left = irq_alloc_row(wanted - done, domain, &row);
		if (left >= desc->nvec_used) {
			virq = row;
			row += desc->nvec_used;
			left -= desc->nvec_used;
		}
		ret = alloc_desc_irqs(domain, &dom->own->t.info, desc, virq, arg, done);
		done += desc->nvec_used;
		if (ret)
			break;
	}
	irq_free_descs(row, left);
	mutex_unlock(&domain->root->mutex);
	return ret;
}

/* Binds the unbound descriptors of the range; on failure, unbinds those. */
static int bind_range(struct device *dev, unsigned int domid, unsigned int first, unsigned int last)
{
	struct msi_dev_domain *dom = msi_dev_domain(dev, domid);
	struct msi_desc *desc;
	msi_alloc_info_t arg;
	bool same;
	unsigned int wanted = mark_unbound(dom, first, last, &same);
	int ret = prepare(dom->domain, &dom->own->t.info, dev, wanted, &arg);

	if (!ret)
		ret = bind_marked(dom, first, last, wanted, same, &arg);
	if (!ret)
		return 0;
	for_each_present(desc, &dom->descs, first, last)
		if (desc->fresh)
			release_desc_irqs(desc);
	return ret;
}

int msi_domain_alloc_irqs_range_locked(struct device *dev, unsigned int domid, unsigned int first,
				       unsigned int last)
{
	struct msi_dev_domain *dom = msi_dev_domain(dev, domid);

	if (!dom || !dom->domain)
		return -ENODEV;
	if (WARN_ON(first > last || last >= dom->own->t.info.hwsize))
		return -EINVAL;
	return bind_range(dev, domid, first, last);
}

int msi_domain_alloc_irqs_range(struct device *dev, unsigned int domid, unsigned int first,
				unsigned int last)
{
	int ret;

	if (!dev->msi.data)
		return -ENODEV;
	msi_lock_descs(dev);
	ret = msi_domain_alloc_irqs_range_locked(dev, domid, first, last);
	msi_unlock_descs(dev);
	return ret;
}

void msi_domain_free_irqs_range_locked(struct device *dev, unsigned int domid,
				       unsigned int first, unsigned int last)
{
	struct msi_dev_domain *dom = msi_dev_domain(dev, domid);
	struct msi_desc *desc;

	for_each_desc_of(desc, dev, domid, first, last, MSI_DESC_ASSOCIATED)
		release_desc_irqs(desc);
	if (dom && dom->domain && dom->own->t.info.flags & MSI_FLAG_FREE_MSI_DESCS)
		msi_domain_free_msi_descs_range(dev, domid, first, last);
}

void msi_domain_free_irqs_range(struct device *dev, unsigned int domid, unsigned int first,
				unsigned int last)
{
	if (!dev->msi.data)
		return;
	msi_lock_descs(dev);
	msi_domain_free_irqs_range_locked(dev, domid, first, last);
	msi_unlock_descs(dev);
	msi_device_data_put(dev);
}

struct msi_map msi_domain_alloc_irq_at(struct device *dev, unsigned int domid, unsigned int index,
				       const struct irq_affinity_desc *affdesc,
				       union msi_instance_cookie *cookie)
{
	struct msi_desc init = { .msi_index = index, .nvec_used = 1,
				 .affinity = (struct irq_affinity_desc *)affdesc };
	struct msi_map map = { .index = -ENODEV };
	int ret;

	(void)cookie;
	if (!msi_get_device_domain(dev, domid))
		return map;
	msi_lock_descs(dev);
	map.index = msi_dev_domain_insert(dev, msi_dev_domain(dev, domid), &init);
	ret = map.index < 0 ? map.index : bind_range(dev, domid, map.index, map.index);
	if (!ret)
		map.virq = msi_domain_get_virq(dev, domid, map.index);
	else if (map.index >= 0)
		msi_domain_free_msi_descs_range(dev, domid, map.index, map.index);
	msi_unlock_descs(dev);
	if (ret)
		map.index = ret;
	return map;
}

/* ---- Lines of a wire-to-MSI bridge ---------------------------------------------------------- */

unsigned int msi_device_domain_alloc_wired(struct irq_domain *d, irq_hw_number_t hwirq,
					   unsigned int type, struct irq_fwspec *fwspec)
{
	struct msi_map map;

	(void)fwspec;
	map = msi_domain_alloc_irq_at(d->dev, MSI_DEFAULT_DOMAIN, hwirq, NULL, NULL);
	if (!map.virq) {
		pr_err("%s: no interrupt for source %lu (%s)", d->name, hwirq, errname(map.index));
		return 0;
	}
	irqd_set_trigger_type(irq_get_irq_data(map.virq), type);
	return map.virq;
}

void msi_device_domain_free_wired(struct irq_domain *d, unsigned int irq)
{
	struct msi_desc *desc = irq_get_msi_desc(irq);

	if (!desc || WARN_ON(desc->dev != d->dev))
		return;
	msi_domain_free_irqs_range(d->dev, MSI_DEFAULT_DOMAIN, desc->msi_index, desc->msi_index);
}
