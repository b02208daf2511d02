/*
 * Turning MSI-X and MSI of a device on and off.
 *
 * A device must never see MSI enabled with a message that is not its own: it might latch and send
 * it. So everything stays masked until messages are written; request_irq() then unmasks one vector
 * at a time.
 *
 *	MSI-X: enable + function mask | table | messages | INTx off | mask all rows | mask off
 *	MSI:   disable | mask all     |       | message  | INTx off |               | enable
 *
 * Manuals: [PCI 6.8.1, 6.8.2]; S-147, S-151, S-156.
 */
#include <drivers/pci/internals.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

static void update16(struct pci_dev *dev, unsigned int where, u16 clear, u16 set)
{
	u16 value = pci_read_config16(dev, where);

	pci_write_config16(dev, where, (value & ~clear) | set);
}

void pci_intx(struct pci_dev *dev, int enable)
{
	update16(dev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE,
		 enable ? 0 : PCI_COMMAND_INTX_DISABLE);
}

/* Frees what both kinds have in common. */
static void release_vectors(struct pci_dev *dev)
{
	msi_domain_free_irqs_all(&dev->dev, MSI_DEFAULT_DOMAIN);
	msi_remove_device_irq_domain(&dev->dev, MSI_DEFAULT_DOMAIN);
	dev->nr_vectors = 0;
}

/* A mask per vector into *MASKS; NULL if the caller wants none or none are left to spread. */
static int spread(unsigned int nvec, struct irq_affinity *affd,
		  struct irq_affinity_desc **masks)
{
	*masks = NULL;
	if (!affd || nvec <= affd->pre_vectors + affd->post_vectors)
		return 0;
	*masks = irq_create_affinity_masks(nvec, affd);
	return *masks ? 0 : -ENOMEM;
}

/* ---- MSI-X ---------------------------------------------------------------------------------- */

static void update_msix(struct pci_dev *dev, u16 clear, u16 set)
{
	update16(dev, dev->msix_cap + PCI_MSIX_FLAGS, clear, set);
}

/* The table lies in the BAR that the low three bits name; the rest is its offset. [PCI 6.8.2.4] */
static int map_table(struct pci_dev *dev, unsigned int rows)
{
	u32 table = pci_read_config32(dev, dev->msix_cap + PCI_MSIX_TABLE);
	unsigned int bir = table & PCI_MSIX_BIR;
	u64 offset = table & ~(u32)PCI_MSIX_BIR, size = (u64)rows * PCI_MSIX_ENTRY_SIZE;

	if (bir >= PCI_NUM_BARS || !dev->bar[bir].assigned || dev->bar[bir].type == PCI_BAR_IO ||
	    offset + size > dev->bar[bir].size) {
		dev_err(&dev->dev, "its MSI-X table is said to be at 0x%llx of BAR %u, where it "
			"cannot be", (unsigned long long)offset, bir);
		return -ENXIO;
	}
	dev->msix_base = ioremap(dev->bar[bir].cpu_addr + offset, size);
	return dev->msix_base ? 0 : -ENOMEM;
}

/* One descriptor per vector. A control word is taken as it is, but masked: the function mask covers
 * for it until mask_all_rows(). */
static int insert_rows(struct pci_dev *dev, unsigned int rows, const struct msix_entry *entries,
		       unsigned int nvec, struct irq_affinity_desc *masks)
{
	struct msi_desc init = { .nvec_used = 1, .pci = { .is_msix = true, .can_mask = true } };
	int err = 0;

	for (unsigned int i = 0; i < nvec && !err; i++) {
		unsigned int row = entries ? entries[i].entry : i;

		if (row >= rows)
			return -EINVAL;
		init.msi_index = row;
		init.affinity = masks ? &masks[i] : NULL;
		init.pci.msix_ctrl = readl(pci_msix_row(dev, row) + PCI_MSIX_ENTRY_VECTOR_CTRL) |
				     PCI_MSIX_ENTRY_CTRL_MASKBIT;
		err = msi_insert_msi_desc(&dev->dev, &init);
	}
	return err;
}

/* Descriptors, irqs, messages. */
static int setup_msix(struct pci_dev *dev, unsigned int rows, struct msix_entry *entries,
		      unsigned int nvec, struct irq_affinity *affd)
{
	struct irq_affinity_desc *masks;
	int err = spread(nvec, affd, &masks);

	if (!err)
		err = insert_rows(dev, rows, entries, nvec, masks);
	kfree(masks);
	if (err)				/* no such row, or one twice */
		return err == -ENOMEM ? err : -EINVAL;
	err = msi_domain_alloc_irqs_range(&dev->dev, MSI_DEFAULT_DOMAIN, 0, rows - 1);
	for (unsigned int i = 0; i < nvec && entries && !err; i++)
		entries[i].vector = msi_get_virq(&dev->dev, entries[i].entry);
	return err;
}

/* Also those nobody uses: firmware may have left anything in them. */
static void mask_all_rows(struct pci_dev *dev, unsigned int rows)
{
	char *row = dev->msix_base, *end = row + rows * PCI_MSIX_ENTRY_SIZE;

	for (; row < end; row += PCI_MSIX_ENTRY_SIZE) {
		char *ctrl = row + PCI_MSIX_ENTRY_VECTOR_CTRL;

		writel(readl(ctrl) | PCI_MSIX_ENTRY_CTRL_MASKBIT, ctrl);
	}
}

int pci_start_msix(struct pci_dev *dev, unsigned int nvec, const struct pci_msi_wish *wish)
{
	unsigned int rows = pci_msix_vec_count(dev);
	int err = pci_create_msi_domain(dev, true, rows);

	if (err)
		return err;
	update_msix(dev, 0, PCI_MSIX_FLAGS_MASKALL | PCI_MSIX_FLAGS_ENABLE);
	err = map_table(dev, rows);
	if (!err)
		err = setup_msix(dev, rows, wish->entries, nvec, wish->affd);
	if (err) {
		update_msix(dev, PCI_MSIX_FLAGS_MASKALL | PCI_MSIX_FLAGS_ENABLE, 0);
		release_vectors(dev);
		return err;
	}
	pci_intx(dev, false);
	mask_all_rows(dev, rows);
	update_msix(dev, PCI_MSIX_FLAGS_MASKALL, 0);
	dev->msix_enabled = true;
	dev->nr_vectors = nvec;
	return 0;
}

/* Rows stay masked, their state after reset. (S-156) */
void pci_disable_msix(struct pci_dev *dev)
{
	struct msi_desc *desc;

	if (!dev->msix_enabled)
		return;
	msi_for_each_desc(desc, &dev->dev, MSI_DESC_ALL) {
		char *row = pci_msix_row(dev, desc->msi_index);

		desc->pci.msix_ctrl |= PCI_MSIX_ENTRY_CTRL_MASKBIT;
		if (dev->current_state == PCI_D0)
			writel(desc->pci.msix_ctrl, row + PCI_MSIX_ENTRY_VECTOR_CTRL);
	}
	update_msix(dev, PCI_MSIX_FLAGS_ENABLE, 0);
	pci_intx(dev, true);
	dev->msix_enabled = false;
	release_vectors(dev);
}

/* ---- MSI ------------------------------------------------------------------------------------ */

void pci_msi_set_enable(struct pci_dev *dev, bool on)
{
	update16(dev, dev->msi_cap + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE,
		 on ? PCI_MSI_FLAGS_ENABLE : 0);
}

/* All the mask bits the capability has, if any, at once. */
static void mask_all_messages(struct pci_dev *dev, struct msi_desc *desc, bool mask)
{
	unsigned int count = pci_msi_vec_count(dev);

	if (!desc->pci.can_mask)
		return;
	desc->pci.msi_mask = mask ? GENMASK(count - 1, 0) : 0;
	pci_write_config32(dev, pci_msi_data_reg(dev, desc->pci.is_64) + 4, desc->pci.msi_mask);
}

static unsigned int log2_up(unsigned int n)
{
	unsigned int bits = 0;

	while (1U << bits < n)
		bits++;
	return bits;
}

/* Half an address would be somebody else's memory. */
static int check_address(struct pci_dev *dev, const struct msi_desc *desc)
{
	if (desc->pci.is_64 || !desc->msg.address_hi)
		return 0;
	dev_err(&dev->dev, "its MSI can write to 32-bit addresses only, not to 0x%x%08x, where %s "
		"takes messages", desc->msg.address_hi, desc->msg.address_lo,
		dev->dev.msi.domain->name);
	return -EIO;
}

/* One descriptor for all messages (S-153), in *OUT once it exists. */
static int setup_msi(struct pci_dev *dev, unsigned int nvec, struct irq_affinity *affd,
		     struct msi_desc **out)
{
	u16 flags = pci_read_config16(dev, dev->msi_cap + PCI_MSI_FLAGS);
	struct irq_affinity_desc *masks;
	int err = spread(nvec, affd, &masks);
	struct msi_desc init = {
		.nvec_used = nvec,
		.pci = {
			.can_mask = flags & PCI_MSI_FLAGS_MASKBIT,
			.is_64 = flags & PCI_MSI_FLAGS_64BIT,
		},
	};

	init.affinity = masks;
	if (!err)
		err = msi_insert_msi_desc(&dev->dev, &init);
	kfree(masks);
	if (err)
		return err;
	*out = msi_desc_at(&dev->dev, 0);
	mask_all_messages(dev, *out, true);
	err = msi_domain_alloc_irqs_range(&dev->dev, MSI_DEFAULT_DOMAIN, 0, 0);
	return err ? err : check_address(dev, *out);
}

int pci_start_msi(struct pci_dev *dev, unsigned int nvec, const struct pci_msi_wish *wish)
{
	struct msi_desc *desc = NULL;
	int err;

	if (nvec > 1 && !pci_msi_domain_supports(dev, MSI_FLAG_MULTI_PCI_MSI))
		return 1;				/* try with one (S-143) */
	err = pci_create_msi_domain(dev, false, nvec);
	if (err)
		return err;
	pci_msi_set_enable(dev, false);
	err = setup_msi(dev, nvec, wish->affd, &desc);
	if (err) {
		if (desc)
			mask_all_messages(dev, desc, false);
		release_vectors(dev);
		return err;
	}
	pci_intx(dev, false);
	update16(dev, dev->msi_cap + PCI_MSI_FLAGS, PCI_MSI_FLAGS_QSIZE, log2_up(nvec) << 4);
	pci_msi_set_enable(dev, true);
	dev->msi_enabled = true;
	dev->nr_vectors = nvec;
	dev->irq = desc->irq;
	return 0;
}

/* Messages stay unmasked, their state after reset. (S-156) */
void pci_disable_msi(struct pci_dev *dev)
{
	if (!dev->msi_enabled)
		return;
	pci_msi_set_enable(dev, false);
	pci_intx(dev, true);
	mask_all_messages(dev, msi_desc_at(&dev->dev, 0), false);
	dev->msi_enabled = false;
	dev->irq = dev->intx_irq;
	release_vectors(dev);
}
