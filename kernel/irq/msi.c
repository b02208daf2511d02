/*
 * The MSI core: per-device domains on top of an MSI parent domain.
 *
 *   device's domain  hwirq = index of the message    its chip WRITES the message into the device
 *        |
 *   MSI parent       hwirq = the parent's own        its chip COMPOSES the message
 *   (IMSIC, ITS …)
 *
 * The device's domain is made from a template by its kind of sender; the parent completes the
 * template's chip. Activation, root first, ends with compose at the parent and write at the
 * device. Descriptors and allocation are in msi-desc.c. (Linux: kernel/irq/msi.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>
#include <kernel/irq/msi-internals.h>
#include <kernel/mm.h>

static struct msi_domain_info *to_info(struct irq_domain *d)
{
	return d->host_data;
}

/* ---- Operations of a device's domain -------------------------------------------------------- */

/* A level takes two messages, one for each of its edges; who cannot send them must not be given
 * the second. (S-138) */
static int compose_and_write(struct irq_data *d)
{
	struct msi_msg msg[2] = { 0 };
	int ret = irq_chip_compose_msi_msg(d, msg);

	if (ret)
		return ret;
	WARN_ON((msg[1].address_lo | msg[1].address_hi | msg[1].data) &&
		!(to_info(d->domain)->flags & MSI_FLAG_LEVEL_CAPABLE));
	d->chip->irq_write_msi_msg(d, msg);
	return 0;
}

static int msi_domain_activate(struct irq_domain *domain, struct irq_data *d, bool reserve)
{
	(void)domain, (void)reserve;
	return compose_and_write(d);
}

static void msi_domain_deactivate(struct irq_domain *domain, struct irq_data *d)
{
	struct msi_msg none[2] = { 0 };

	(void)domain;
	d->chip->irq_write_msi_msg(d, none);
}

int msi_domain_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	struct irq_data *parent = d->parent_data;
	int ret;

	if (!parent || !parent->chip->irq_set_affinity)
		return -ENOSYS;
	ret = parent->chip->irq_set_affinity(parent, mask, force);
	if (ret >= 0 && ret != IRQ_SET_MASK_OK_DONE && compose_and_write(d))
		return -ENOSYS;
	return ret;
}

static int init_line(struct irq_domain *d, struct msi_domain_info *info, unsigned int virq,
		     irq_hw_number_t hwirq, msi_alloc_info_t *arg)
{
	irq_data_set_chip(irq_get_irq_data(virq), hwirq, info->chip, info->chip_data);
	if (info->handler)
		__irq_set_handler(virq, info->handler, 0, info->handler_name);
	return info->ops->msi_init ? info->ops->msi_init(d, info, virq, hwirq, arg) : 0;
}

static int msi_domain_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs,
			    void *arg)
{
	msi_alloc_info_t *info = arg;
	irq_hw_number_t hwirq = info->hwirq;
	int ret;

	if (irq_domain_lookup(d, hwirq))
		return -EEXIST;
	ret = irq_domain_alloc_irqs_parent(d, virq, nr_irqs, arg);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < nr_irqs; i++) {
		ret = init_line(d, to_info(d), virq + i, hwirq + i, info);
		if (ret < 0) {
			irq_domain_free_irqs_top(d, virq, nr_irqs);
			return ret;
		}
	}
	return 0;
}

static void msi_domain_free(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	irq_domain_free_irqs_top(d, virq, nr_irqs);
}

/* Only a wire-to-MSI bridge has lines that firmware describes. (S-049) */
static int msi_domain_translate(struct irq_domain *d, struct irq_fwspec *fwspec,
				unsigned long *hwirq, unsigned int *type)
{
	const struct msi_domain_ops *ops = to_info(d)->ops;

	return ops->msi_translate ? ops->msi_translate(d, fwspec, hwirq, type) : -ENOTSUPP;
}

static const struct irq_domain_ops msi_domain_ops = {
	.alloc = msi_domain_alloc,
	.free = msi_domain_free,
	.activate = msi_domain_activate,
	.deactivate = msi_domain_deactivate,
	.translate = msi_domain_translate,
};

/* ---- Making a device's domain --------------------------------------------------------------- */

/* What every MSI chip has in common: the parent decides, this level only forwards. */
static void default_chip_ops(struct irq_chip *chip)
{
	if (!chip->irq_mask)
		chip->irq_mask = irq_chip_mask_parent;
	if (!chip->irq_unmask)
		chip->irq_unmask = irq_chip_unmask_parent;
	if (!chip->irq_set_affinity)
		chip->irq_set_affinity = msi_domain_set_affinity;
}

static struct device_msi_domain *copy_template(struct device *dev,
					       const struct msi_domain_template *tmpl,
					       unsigned int hwsize, void *domain_data,
					       void *chip_data)
{
	struct device_msi_domain *own = kzalloc(sizeof(*own));

	if (!own)
		return NULL;
	own->t = *tmpl;
	own->t.info.chip = &own->t.chip;
	own->t.info.ops = &own->t.ops;
	own->t.info.hwsize = hwsize;
	own->t.info.data = domain_data;
	own->t.info.chip_data = chip_data;
	own->name = kasprintf("%s%s-%s", dev->msi.domain->msi_parent_ops->prefix
			      ? dev->msi.domain->msi_parent_ops->prefix : "",
			      tmpl->name ? tmpl->name : tmpl->chip.name, dev_name(dev));
	own->t.chip.name = tmpl->chip.name ? tmpl->chip.name : tmpl->name;
	if (own->name)
		return own;
	kfree(own);
	return NULL;
}

static bool ask_parent(struct device *dev, struct device_msi_domain *own)
{
	struct irq_domain *parent = dev->msi.domain;
	struct msi_domain_info *info = &own->t.info;

	if (!parent->msi_parent_ops->init_dev_msi_info(dev, parent, parent, info))
		return false;
	if (WARN_ON(info->flags & MSI_FLAG_LEVEL_CAPABLE &&
		    !(info->chip->flags & IRQCHIP_SUPPORTS_LEVEL_MSI)))
		info->flags &= ~MSI_FLAG_LEVEL_CAPABLE;
	if (info->flags & MSI_FLAG_USE_DEF_CHIP_OPS)
		default_chip_ops(info->chip);
	return info->chip->irq_write_msi_msg != NULL;
}

/* A wire-to-MSI bridge is found by the fwnode of its tree node; others need one of their own. */
static struct fwnode_handle *domain_fwnode(struct device *dev, struct device_msi_domain *own,
					   bool of_device)
{
	if (of_device)
		return dev->fwnode;
	own->fwnode = irq_domain_alloc_named_fwnode(own->name);
	return own->fwnode;
}

static struct irq_domain *instantiate(struct device *dev, struct device_msi_domain *own,
				      u32 wanted_flags)
{
	struct irq_domain_info info = {
		.fwnode = domain_fwnode(dev, own, wanted_flags & MSI_FLAG_USE_DEV_FWNODE),
		.domain_flags = IRQ_DOMAIN_FLAG_MSI | IRQ_DOMAIN_FLAG_MSI_DEVICE |
				IRQ_DOMAIN_FLAG_HIERARCHY,
		.size = own->t.info.hwsize, .hwirq_max = own->t.info.hwsize,
		.bus_token = own->t.info.bus_token, .ops = &msi_domain_ops,
		.host_data = &own->t.info, .parent = dev->msi.domain, .dev = dev,
	};
	struct irq_domain *d = info.fwnode ? irq_domain_instantiate(&info) : NULL;

	if (d)
		irq_domain_set_name(d, own->name);
	return d;
}

static void free_own(struct device_msi_domain *own)
{
	irq_domain_free_fwnode(own->fwnode);
	kfree(own->name);
	kfree(own);
}

static bool add_domain(struct device *dev, struct msi_dev_domain *dom,
		       const struct msi_domain_template *tmpl, unsigned int hwsize,
		       void *domain_data, void *chip_data)
{
	struct device_msi_domain *own = copy_template(dev, tmpl, hwsize, domain_data, chip_data);

	if (!own)
		return false;
	if (ask_parent(dev, own))
		dom->domain = instantiate(dev, own, tmpl->info.flags);
	if (!dom->domain) {
		free_own(own);
		return false;
	}
	dom->own = own;
	return true;
}

bool msi_create_device_irq_domain(struct device *dev, unsigned int domid,
				  const struct msi_domain_template *tmpl, unsigned int hwsize,
				  void *domain_data, void *chip_data)
{
	struct irq_domain *parent = dev->msi.domain;
	bool ok;

	if (!parent || !parent->msi_parent_ops || !parent->msi_parent_ops->init_dev_msi_info ||
	    domid >= MSI_MAX_DEVICE_IRQDOMAINS || msi_setup_device_data(dev))
		return false;
	if (WARN_ON(msi_get_device_domain(dev, domid)))
		return false;
	ok = add_domain(dev, msi_dev_domain(dev, domid), tmpl, hwsize, domain_data, chip_data);
	msi_device_data_put(dev);
	return ok;
}

void msi_remove_device_irq_domain(struct device *dev, unsigned int domid)
{
	struct msi_dev_domain *dom = msi_dev_domain(dev, domid);

	if (!dom || !dom->domain)
		return;
	irq_domain_remove(dom->domain);
	dom->domain = NULL;
	free_own(dom->own);
	dom->own = NULL;
	msi_device_data_put(dev);
}

struct irq_domain *msi_get_device_domain(struct device *dev, unsigned int domid)
{
	struct msi_dev_domain *dom = msi_dev_domain(dev, domid);

	return dom ? dom->domain : NULL;
}

static struct irq_domain *default_parent;

void msi_set_default_parent(struct irq_domain *d)
{
	default_parent = d;
}

struct irq_domain *msi_default_parent(void)
{
	return default_parent;
}
