/*
 * What MSI parents have in common: how the wishes of a device's template are cut to what the parent
 * can do, and which callbacks only pass on to it. A parent's init_dev_msi_info() calls this first
 * and then completes the chip by its own: ack or eoi, a shorter way to move a line.
 *
 *	template flags & supported | required = the device's domain
 *
 * (Linux: drivers/irqchip/irq-msi-lib.c)
 */
#include <kernel/msi.h>

bool msi_lib_init_dev_msi_info(struct device *dev, struct irq_domain *d,
			       struct irq_domain *real_parent, struct msi_domain_info *info)
{
	const struct msi_parent_ops *pops = real_parent->msi_parent_ops;
	bool pci = info->bus_token == DOMAIN_BUS_PCI_DEVICE_MSI ||
		   info->bus_token == DOMAIN_BUS_PCI_DEVICE_MSIX;
	u32 required = pops->required_flags, wants = pci ? MATCH_PCI_MSI : MATCH_PLATFORM_MSI;

	(void)dev, (void)d;
	if (pops->bus_select_mask && !(pops->bus_select_mask & wants))
		return false;
	if (!pci)
		required &= ~MSI_FLAG_PCI_MSI_MASK_PARENT;
	info->flags = (info->flags & pops->supported_flags) | required;
	if (pci)	/* a write has no opposite (S-134) */
		info->flags &= ~MSI_FLAG_LEVEL_CAPABLE;
	info->chip->irq_set_affinity = msi_domain_set_affinity;
	info->chip->irq_retrigger = irq_chip_retrigger_hierarchy;
	return true;
}
