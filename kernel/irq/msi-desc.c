/*
 * Descriptors of a device's messages, and interrupts for them.
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

struct msi_device_data *msi_device_data_get(struct device *dev)
{
	if (!dev->msi.data) {
		dev->msi.data = kzalloc(sizeof(*dev->msi.data));
		if (dev->msi.data)
			mutex_init(&dev->msi.data->mutex);
	}
	return dev->msi.data;
}

void msi_device_data_put(struct device *dev)
{
	struct msi_device_data *data = dev->msi.data;

	if (!data || data->domain || data->descs.count)
		return;
	radix_destroy(&data->descs);
	kfree(data);
	dev->msi.data = NULL;
}

/* ---- Descriptors ---------------------------------------------------------------------------- */

static unsigned int lowest_free_index(struct msi_device_data *data)
{
	unsigned int index = 0;

	while (radix_lookup(&data->descs, index))
		index++;
	return index;
}

int msi_insert_desc(struct device *dev, const struct msi_desc *init)
{
	struct msi_device_data *data = msi_device_data_get(dev);
	struct msi_desc *desc;
	int ret;

	if (!data)
		return -ENOMEM;
	desc = kzalloc(sizeof(*desc));
	if (!desc)
		return -ENOMEM;
	*desc = *init;
	desc->dev = dev;
	if (desc->msi_index == MSI_ANY_INDEX)
		desc->msi_index = lowest_free_index(data);
	if (data->domain && desc->msi_index >= data->own->t.info.hwsize)
		ret = init->msi_index == MSI_ANY_INDEX ? -EBUSY : -ERANGE;
	else
		ret = radix_insert(&data->descs, desc->msi_index, desc);
	if (!ret)
		return desc->msi_index;
	kfree(desc);
	return ret == -EEXIST ? -EBUSY : ret;
}

struct msi_desc *msi_desc_at(struct device *dev, unsigned int index)
{
	return dev->msi.data ? radix_lookup(&dev->msi.data->descs, index) : NULL;
}

struct msi_desc *msi_desc_next(struct device *dev, unsigned int index)
{
	unsigned long key = index;

	return dev->msi.data ? radix_next(&dev->msi.data->descs, &key) : NULL;
}

static void free_desc(struct device *dev, struct msi_desc *desc)
{
	if (desc->irq) {	/* one may still come: better lost memory than a stray write */
		dev_warn(dev, "message %u freed while irq %u uses it", desc->msi_index, desc->irq);
		return;
	}
	radix_delete(&dev->msi.data->descs, desc->msi_index);
	kfree(desc->affinity);
	kfree(desc);
}

unsigned int msi_get_virq(struct device *dev, unsigned int index)
{
	struct msi_desc *desc = msi_desc_at(dev, index);

	if (desc)
		return desc->irq;
	/* Multi-message MSI has one descriptor for all (S-153). */
	desc = msi_desc_at(dev, 0);
	return desc && desc->irq && index < desc->nvec_used ? desc->irq + index : 0;
}

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

static int activate_early(const struct msi_domain_info *info, unsigned int irq)
{
	struct irq_data *d = irq_get_irq_data(irq);

	if (!(info->flags & MSI_FLAG_ACTIVATE_EARLY))
		return 0;
	if (irqd_affinity_is_managed(d) &&
	    !cpumask_intersects(irq_data_get_affinity_mask(d), cpu_online_mask))
		return 0;	/* stays shut down until a CPU of its mask is there */
	irqd_clear(d, IRQD_MANAGED_SHUTDOWN);
	return irq_domain_activate_irq(d, false);
}

static int alloc_desc_irqs(struct irq_domain *domain, const struct msi_domain_info *info,
			   struct msi_desc *desc, msi_alloc_info_t *arg)
{
	int virq, ret = 0;

	arg->desc = desc;
	arg->hwirq = desc->msi_index;
	if (info->ops->set_desc)
		info->ops->set_desc(arg, desc);
	virq = irq_domain_alloc_irqs_affinity(domain, -1, desc->nvec_used, -1, arg, desc->affinity);
	if (virq < 0)
		return virq;
	desc->irq = virq;
	for (unsigned int i = 0; i < desc->nvec_used && !ret; i++) {
		irq_set_msi_desc(virq + i, desc);
		ret = activate_early(info, virq + i);
	}
	if (ret)
		release_desc_irqs(desc);
	return ret;
}

static int prepare(struct irq_domain *domain, const struct msi_domain_info *info,
		   struct device *dev, unsigned int nvec, msi_alloc_info_t *arg)
{
	*arg = (msi_alloc_info_t){ .nvec = nvec };
	return info->ops->msi_prepare ? info->ops->msi_prepare(domain, dev, nvec, arg) : 0;
}

static unsigned int count_unbound(struct device *dev, unsigned int first, unsigned int last)
{
	unsigned int n = 0;
	struct msi_desc *desc;

	msi_for_each_desc(desc, dev)
		if (desc->msi_index >= first && desc->msi_index <= last && !desc->irq)
			n += desc->nvec_used;
	return n;
}

/* Binds the unbound descriptors of the range; on failure unbinds those, and returns how many
 * there were, or the error if none. */
static int bind_range(struct device *dev, unsigned int first, unsigned int last)
{
	struct msi_device_data *data = dev->msi.data;
	const struct msi_domain_info *info = &data->own->t.info;
	struct msi_desc *desc;
	unsigned int done = 0;
	msi_alloc_info_t arg;
	int ret = prepare(data->domain, info, dev, count_unbound(dev, first, last), &arg);

	for (desc = msi_desc_next(dev, first); !ret && desc && desc->msi_index <= last;
	     desc = msi_desc_next(dev, desc->msi_index + 1)) {
		if (desc->irq)
			continue;
		ret = alloc_desc_irqs(data->domain, info, desc, &arg);
		if (!ret) {
			desc->fresh = true;
			done += desc->nvec_used;
		}
	}
	for (desc = msi_desc_next(dev, first); desc && desc->msi_index <= last;
	     desc = msi_desc_next(dev, desc->msi_index + 1)) {
		if (ret && desc->fresh)
			release_desc_irqs(desc);
		desc->fresh = false;
	}
	if (!ret)
		return 0;
	return done ? (int)done : ret == -EEXIST ? -ENOSPC : ret;
}

int msi_domain_alloc_irqs_range(struct device *dev, unsigned int first, unsigned int last)
{
	struct msi_device_data *data = dev->msi.data;
	int ret;

	if (!data || !data->domain)
		return -ENODEV;
	if (WARN_ON(first > last || last >= data->own->t.info.hwsize))
		return -EINVAL;
	mutex_lock(&data->mutex);
	ret = bind_range(dev, first, last);
	mutex_unlock(&data->mutex);
	return ret;
}

void msi_domain_free_irqs_range(struct device *dev, unsigned int first, unsigned int last)
{
	struct msi_device_data *data = dev->msi.data;
	struct msi_desc *desc, *next;

	if (!data)
		return;
	mutex_lock(&data->mutex);
	for (desc = msi_desc_next(dev, first); desc && desc->msi_index <= last; desc = next) {
		next = msi_desc_next(dev, desc->msi_index + 1);
		release_desc_irqs(desc);
		free_desc(dev, desc);
	}
	mutex_unlock(&data->mutex);
	msi_device_data_put(dev);
}

void msi_domain_free_irqs_all(struct device *dev)
{
	msi_domain_free_irqs_range(dev, 0, MSI_ANY_INDEX - 1);
}

int msi_domain_alloc_irq_at(struct device *dev, unsigned int index,
			    const struct irq_affinity_desc *affinity)
{
	struct msi_desc init = { .msi_index = index, .nvec_used = 1 };
	int ret;

	if (!msi_device_domain(dev))
		return -ENODEV;
	if (affinity) {
		init.affinity = kzalloc(sizeof(*affinity));
		if (!init.affinity)
			return -ENOMEM;
		*init.affinity = *affinity;
	}
	ret = msi_insert_desc(dev, &init);
	if (ret < 0) {
		kfree(init.affinity);
		return ret;
	}
	index = ret;
	ret = msi_domain_alloc_irqs_range(dev, index, index);
	if (!ret)
		return msi_get_virq(dev, index);
	msi_domain_free_irqs_range(dev, index, index);
	return ret > 0 ? -ENOSPC : ret;
}

/* ---- Lines of a wire-to-MSI bridge ---------------------------------------------------------- */

unsigned int msi_device_domain_alloc_wired(struct irq_domain *d, irq_hw_number_t hwirq,
					   unsigned int type, struct irq_fwspec *fwspec)
{
	int irq;

	(void)fwspec;
	irq = msi_domain_alloc_irq_at(d->dev, hwirq, NULL);
	if (irq <= 0) {
		pr_err("%s: no interrupt for source %lu (%s)", d->name, hwirq, errname(irq));
		return 0;
	}
	irqd_set_trigger_type(irq_get_irq_data(irq), type);
	return irq;
}

void msi_device_domain_free_wired(struct irq_domain *d, unsigned int irq)
{
	struct msi_desc *desc = irq_get_msi_desc(irq);

	if (!desc || WARN_ON(desc->dev != d->dev))
		return;
	msi_domain_free_irqs_range(d->dev, desc->msi_index, desc->msi_index);
}
