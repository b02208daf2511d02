/*
 * MSI and MSI-X: how a PCI device sends interrupts as memory writes.
 *
 *	MSI-X: a table in a BAR, one row of 16 bytes per vector
 *	       | address low | address high | data | vector control: bit 0 masks |
 *	MSI:   one address and one data word in configuration space; message n writes data + n
 *
 * The chips below are the outermost level of such an interrupt: they write the message that the
 * parent (IMSIC, ITS, …) has composed into the device, and mask there. Around them, the order in
 * which a device is brought up, so that it can never send a message that is not complete.
 * Manuals: [PCI 6.8], [PCIE 6.1.4, 7.7]. Numbers S-… are statements of the core's specification.
 */
#include <drivers/pci/internals.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

#define CTRL_MASKBIT	((u32)PCI_MSIX_ENTRY_CTRL_MASKBIT)

static struct pci_dev *desc_to_pci(const struct msi_desc *desc) { return to_pci_dev(desc->dev); }

/* A device that sleeps has no registers to write; its messages wait in the descriptors. (S-132) */
static bool reachable(const struct pci_dev *dev)
{
	return dev->current_state == PCI_D0;
}

/* ---- The MSI-X chip (locked) ---------------------------------------------------------------- */

static char *msix_row(const struct msi_desc *desc)
{
	return pci_msix_row(desc_to_pci(desc), desc->msi_index);
}

static void msix_write_ctrl(struct msi_desc *desc, u32 ctrl)
{
	desc->pci.msix_ctrl = ctrl;
	if (reachable(desc_to_pci(desc)))
		writel(ctrl, msix_row(desc) + PCI_MSIX_ENTRY_VECTOR_CTRL);
}

static bool mask_parent_too(const struct irq_data *d)
{
	const struct msi_domain_info *info = d->domain->host_data;

	return info->flags & MSI_FLAG_PCI_MSI_MASK_PARENT;
}

/* The read makes sure that the device has seen the write before we go on. (S-150) */
static void pci_irq_mask_msix(struct irq_data *d)
{
	struct msi_desc *desc = irq_data_get_msi_desc(d);

	msix_write_ctrl(desc, desc->pci.msix_ctrl | CTRL_MASKBIT);
	if (reachable(desc_to_pci(desc)))
		readl(msix_row(desc) + PCI_MSIX_ENTRY_VECTOR_CTRL);
	if (mask_parent_too(d))
		irq_chip_mask_parent(d);
}

static void pci_irq_unmask_msix(struct irq_data *d)
{
	struct msi_desc *desc = irq_data_get_msi_desc(d);

	if (mask_parent_too(d))
		irq_chip_unmask_parent(d);
	msix_write_ctrl(desc, desc->pci.msix_ctrl & ~CTRL_MASKBIT);
}

/* A row may only change while it is masked. [PCI 6.8.2.9] (S-148) */
static void pci_write_msg_msix(struct irq_data *d, struct msi_msg *msg)
{
	struct msi_desc *desc = irq_data_get_msi_desc(d);
	u32 ctrl = desc->pci.msix_ctrl;
	char *row = msix_row(desc);

	desc->msg = *msg;
	if (!reachable(desc_to_pci(desc)))
		return;
	if (!(ctrl & CTRL_MASKBIT))
		msix_write_ctrl(desc, ctrl | CTRL_MASKBIT);
	writel(msg->address_lo, row + PCI_MSIX_ENTRY_LOWER_ADDR);
	writel(msg->address_hi, row + PCI_MSIX_ENTRY_UPPER_ADDR);
	writel(msg->data, row + PCI_MSIX_ENTRY_DATA);
	if (!(ctrl & CTRL_MASKBIT))
		msix_write_ctrl(desc, ctrl);
	readl(row + PCI_MSIX_ENTRY_DATA);
}

/* ---- The MSI chip (locked) ------------------------------------------------------------------ */

static void msi_write_mask(struct msi_desc *desc, u32 mask)
{
	struct pci_dev *dev = desc_to_pci(desc);

	desc->pci.msi_mask = mask;
	if (desc->pci.can_mask && reachable(dev))
		pci_write_config32(dev, pci_msi_data_reg(dev, desc->pci.is_64) + 4, mask);
}

static void pci_irq_mask_msi(struct irq_data *d)
{
	struct msi_desc *desc = irq_data_get_msi_desc(d);

	msi_write_mask(desc, desc->pci.msi_mask | BIT(d->irq - desc->irq));
	if (mask_parent_too(d))
		irq_chip_mask_parent(d);
}

static void pci_irq_unmask_msi(struct irq_data *d)
{
	struct msi_desc *desc = irq_data_get_msi_desc(d);

	if (mask_parent_too(d))
		irq_chip_unmask_parent(d);
	msi_write_mask(desc, desc->pci.msi_mask & ~BIT(d->irq - desc->irq));
}

static void write_msi(struct msi_desc *desc, const struct msi_msg *msg)
{
	struct pci_dev *dev = desc_to_pci(desc);
	unsigned int data = pci_msi_data_reg(dev, desc->pci.is_64);

	pci_write_config32(dev, dev->msi_cap + PCI_MSI_ADDRESS_LO, msg->address_lo);
	if (desc->pci.is_64)
		pci_write_config32(dev, dev->msi_cap + PCI_MSI_ADDRESS_HI, msg->address_hi);
	pci_write_config16(dev, data, msg->data);
	pci_read_config16(dev, data);
}

/*
 * A device that sends while its message is half written sends to nobody. Masked, it remembers that
 * it wants to; without mask bits it is kept from it by turning MSI off for the moment, in which it
 * shows by its status that it would have interrupted by a wire, were that not off, too.
 */
static void rewrite_msi(struct irq_data *d, struct msi_desc *desc, const struct msi_msg *msg)
{
	struct pci_dev *dev = desc_to_pci(desc);
	u32 mask = desc->pci.msi_mask;

	if (desc->pci.can_mask) {
		msi_write_mask(desc, ~0U >> (32 - pci_msi_vec_count(dev)));
		write_msi(desc, msg);
		msi_write_mask(desc, mask);
		return;
	}
	pci_msi_set_enable(dev, false);
	write_msi(desc, msg);
	pci_msi_set_enable(dev, true);
	if (pci_read_config16(dev, PCI_STATUS) & PCI_STATUS_INTERRUPT && d->chip->irq_retrigger)
		d->chip->irq_retrigger(d);
}

/* One message serves all vectors: the first vector's. (S-152) It stays as long as MSI is on, also
 * when that vector is given back: others may be in use, and a device without mask bits could send
 * what it finds. */
static void pci_write_msg_msi(struct irq_data *d, struct msi_msg *msg)
{
	struct msi_desc *desc = irq_data_get_msi_desc(d);
	struct pci_dev *dev = desc_to_pci(desc);

	if (d->irq != desc->irq || (dev->msi_enabled && !msi_msg_address(msg)))
		return;
	desc->msg = *msg;
	if (!reachable(dev))
		return;
	if (dev->msi_enabled)
		rewrite_msi(d, desc, msg);
	else
		write_msi(desc, msg);
}

void pci_read_msi_msg(const struct pci_dev *dev, unsigned int row, struct msi_msg *msg)
{
	unsigned int cap = dev->msi_cap;
	const char *regs = pci_msix_row(dev, row);
	bool is_64;

	if (dev->msix_enabled) {
		msg->address_lo = readl(regs + PCI_MSIX_ENTRY_LOWER_ADDR);
		msg->address_hi = readl(regs + PCI_MSIX_ENTRY_UPPER_ADDR);
		msg->data = readl(regs + PCI_MSIX_ENTRY_DATA);
		return;
	}
	is_64 = pci_read_config16(dev, cap + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_64BIT;
	msg->address_lo = pci_read_config32(dev, cap + PCI_MSI_ADDRESS_LO);
	msg->address_hi = is_64 ? pci_read_config32(dev, cap + PCI_MSI_ADDRESS_HI) : 0;
	msg->data = pci_read_config16(dev, pci_msi_data_reg(dev, is_64));
}

/* ---- The device's domain -------------------------------------------------------------------- */

static unsigned int messages_of(struct pci_dev *dev)
{
	return max(max(pci_msix_vec_count(dev), pci_msi_vec_count(dev)), 0);
}

/* Behind a bridge to PCI all functions send under one id. The controller's table for it cannot grow
 * later, so it must hear of all that they may ask for one after the other. */
static int pci_msi_prepare(struct irq_domain *d, struct device *dev, int nvec,
			   msi_alloc_info_t *arg)
{
	struct pci_dev *pci = to_pci_dev(dev), *other;

	(void)d;
	arg->device_id = pci->msi_id;
	arg->nvec = nvec;
	for_each_pci_dev(other)
		if (other != pci && other->dev.msi.domain == dev->msi.domain &&
		    other->msi_id == pci->msi_id)
			arg->nvec += messages_of(other);
	return 0;
}

#define PCI_MSI_COMMON_FLAGS	(MSI_FLAG_USE_DEF_CHIP_OPS | MSI_FLAG_ACTIVATE_EARLY | \
				 MSI_FLAG_FREE_MSI_DESCS)

#define PCI_TEMPLATE(what, kind, token, flag) {						\
	.chip = {									\
		.name = what, .flags = IRQCHIP_ONESHOT_SAFE,				\
		.irq_mask = pci_irq_mask_##kind, .irq_unmask = pci_irq_unmask_##kind,	\
		.irq_write_msi_msg = pci_write_msg_##kind,				\
	},										\
	.ops = { .msi_prepare = pci_msi_prepare },					\
	.info = { .bus_token = token, .flags = PCI_MSI_COMMON_FLAGS | (flag) },		\
}

int pci_create_msi_domain(struct pci_dev *dev, bool msix, unsigned int hwsize)
{
	static const struct msi_domain_template template[] = {
		PCI_TEMPLATE("PCI-MSI", msi, DOMAIN_BUS_PCI_DEVICE_MSI, MSI_FLAG_MULTI_PCI_MSI),
		PCI_TEMPLATE("PCI-MSIX", msix, DOMAIN_BUS_PCI_DEVICE_MSIX, MSI_FLAG_PCI_MSIX),
	};

	return msi_create_device_irq_domain(&dev->dev, MSI_DEFAULT_DOMAIN, &template[msix], hwsize,
					    NULL, NULL) ? 0 : -ENODEV;
}

bool pci_msi_domain_supports(const struct pci_dev *dev, u32 flags)
{
	const struct irq_domain *parent = dev->dev.msi.domain;

	return parent && parent->msi_parent_ops &&
	       (parent->msi_parent_ops->supported_flags & flags) == flags;
}

/* ---- At enumeration ------------------------------------------------------------------------- */

static struct irq_domain *find_msi_parent(struct pci_dev *dev)
{
	struct device_node *controller;
	struct fwnode_handle *fwnode;
	struct irq_domain *domain;

	if (of_msi_map_id(dev->bus->host->node, pci_requester_id(dev), &controller,
			  &dev->msi_id))
		return NULL;
	fwnode = of_fwnode_handle(controller);
	domain = irq_find_matching_fwnode(fwnode, DOMAIN_BUS_NEXUS);
	if (!domain)
		domain = irq_find_matching_fwnode(fwnode, DOMAIN_BUS_ANY);
	return domain && irq_domain_is_msi_parent(domain) ? domain : NULL;
}

/* Firmware or an earlier kernel may have left either on. (S-155) */
static u8 find_quiet(struct pci_dev *dev, u8 id, u16 enable)
{
	u8 cap = pci_find_capability(dev, id);
	u16 flags = cap ? pci_read_config16(dev, cap + PCI_MSI_FLAGS) : 0;

	if (flags & enable)
		pci_write_config16(dev, cap + PCI_MSI_FLAGS, flags & ~enable);
	return cap;
}

void pci_msi_init(struct pci_dev *dev)
{
	dev->msi_cap = find_quiet(dev, PCI_CAP_ID_MSI, PCI_MSI_FLAGS_ENABLE);
	dev->msix_cap = find_quiet(dev, PCI_CAP_ID_MSIX, PCI_MSIX_FLAGS_ENABLE);
	if (dev->msi_cap || dev->msix_cap)
		dev->dev.msi.domain = find_msi_parent(dev) ?: msi_default_parent();
	else if (msi_default_parent() && dev->pin)
		dev_warn(&dev->dev, "can send no messages, so %s cannot serve it; it uses INTx "
			 "(QEMU hides MSI-X where there is no MSI controller)",
			 msi_default_parent()->name);
}
