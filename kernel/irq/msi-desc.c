/*
 * Descriptors: what the core keeps about each message of a device, found by (domain id, index).
 *
 *	device -> msi.data -> domain 0 -> index -> { irq, vectors, last message, masks, the bus's }
 *	                      domain 1 -> …
 *
 * They come before the interrupts that are bound to them (msi-irqs.c) and go after them.
 * (Linux: kernel/irq/msi.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>
#include <kernel/irq/msi-internals.h>
#include <kernel/mm.h>
#include <string.h>

int msi_setup_device_data(struct device *dev)
{
	if (!dev->msi.data) {
		dev->msi.data = kzalloc(sizeof(*dev->msi.data));
		if (!dev->msi.data)
			return -ENOMEM;
		mutex_init(&dev->msi.data->mutex);
	}
	return 0;
}

void msi_device_data_put(struct device *dev)
{
	struct msi_device_data *data = dev->msi.data;

	for (unsigned int i = 0; data && i < MSI_MAX_DEVICE_IRQDOMAINS; i++)
		if (data->dom[i].domain || data->dom[i].descs.count)
			return;
	for (unsigned int i = 0; data && i < MSI_MAX_DEVICE_IRQDOMAINS; i++)
		radix_destroy(&data->dom[i].descs);
	kfree(data);
	dev->msi.data = NULL;
}

void msi_lock_descs(struct device *dev)
{
	mutex_lock(&dev->msi.data->mutex);
}

void msi_unlock_descs(struct device *dev)
{
	mutex_unlock(&dev->msi.data->mutex);
}

/* ---- Descriptors ---------------------------------------------------------------------------- */

static struct msi_desc *copy_masks(struct msi_desc *desc)
{
	size_t size = desc->nvec_used * sizeof(*desc->affinity);
	void *masks = kmalloc(size);

	if (masks) {
		desc->affinity = memcpy(masks, desc->affinity, size);
		return desc;
	}
	kfree(desc);
	return NULL;
}

static struct msi_desc *alloc_desc(struct device *dev, const struct msi_desc *init)
{
	struct msi_desc *desc = kmalloc(sizeof(*desc));

	if (!desc)
		return NULL;
	*desc = *init;
	desc->dev = dev;
	desc->irq = 0;
	return desc->affinity ? copy_masks(desc) : desc;
}

static unsigned int lowest_free_index(struct msi_dev_domain *dom)
{
	unsigned int index = 0;

	while (radix_lookup(&dom->descs, index))
		index++;
	return index;
}

inline int msi_dev_domain_insert(struct device *dev, struct msi_dev_domain *dom,
			  const struct msi_desc *init)
{
	bool any = init->msi_index == MSI_ANY_INDEX;
	unsigned int index = any ? lowest_free_index(dom) : init->msi_index;
	struct msi_desc *desc;
	int ret;

	if (dom->domain && index >= dom->own->t.info.hwsize)
		return any ? -EBUSY : -ERANGE;
	desc = alloc_desc(dev, init);
	if (!desc)
		return -ENOMEM;
	desc->msi_index = index;
	ret = radix_insert(&dom->descs, index, desc);
	if (!ret)
		return index;
	kfree(desc->affinity);
	kfree(desc);
	return ret == -EEXIST ? -EBUSY : ret;
}

int msi_domain_insert_msi_desc(struct device *dev, unsigned int domid, const struct msi_desc *init)
{
	if (domid >= MSI_MAX_DEVICE_IRQDOMAINS)
		return -EINVAL;
	if (!dev->msi.data && msi_setup_device_data(dev))
		return -ENOMEM;
	return min(msi_dev_domain_insert(dev, &dev->msi.data->dom[domid], init), 0);
}

struct msi_desc *msi_desc_from(struct device *dev, unsigned int domid, unsigned int index,
			       enum msi_desc_filter filter)
{
	struct msi_dev_domain *dom = msi_dev_domain(dev, domid);
	unsigned long key = index;
	struct msi_desc *desc = NULL;

	for (; dom && (desc = radix_next(&dom->descs, &key)); key++)
		if (filter == MSI_DESC_ALL || (filter == MSI_DESC_ASSOCIATED) == !!desc->irq)
			break;
	return desc;
}

struct msi_desc *msi_desc_at(struct device *dev, unsigned int index)
{
	return dev->msi.data ? radix_lookup(&dev->msi.data->dom[MSI_DEFAULT_DOMAIN].descs, index)
			     : NULL;
}

void msi_domain_free_msi_descs_range(struct device *dev, unsigned int domid, unsigned int first,
				     unsigned int last)
{
	struct msi_desc *desc, *next;

	for (desc = msi_desc_from(dev, domid, first, MSI_DESC_ALL); desc && desc->msi_index <= last;
	     desc = next) {
		next = msi_desc_from(dev, domid, desc->msi_index + 1, MSI_DESC_ALL);
		if (desc->irq) {	/* better lost memory than a stray write */
			dev_warn(dev, "message %u is not freed while irq %u uses it",
				 desc->msi_index, desc->irq);
			continue;
		}
		radix_delete(&msi_dev_domain(dev, domid)->descs, desc->msi_index);
		kfree(desc->affinity);
		kfree(desc);
	}
}

unsigned int msi_domain_get_virq(struct device *dev, unsigned int domid, unsigned int index)
{
	struct msi_dev_domain *dom = msi_dev_domain(dev, domid);
	struct msi_desc *desc = dom ? radix_lookup(&dom->descs, index) : NULL;

	if (desc || !dom)
		return desc ? desc->irq : 0;
	/* Multi-message MSI has one descriptor for all (S-153). */
	desc = radix_lookup(&dom->descs, 0);
	return desc && desc->irq && index < desc->nvec_used ? desc->irq + index : 0;
}
