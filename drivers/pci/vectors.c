/*
 * What a driver asks for interrupts with: pci_alloc_irq_vectors() and its company. It tries the
 * kinds a device may have from the best to the worst and settles how many there are.
 *
 *	MSI-X (many, each with its own CPU)  ->  MSI (a few in one block)  ->  INTx (one, shared)
 *
 * Rules S-139 … S-146; manuals [PCI 6.8], [DT, PCI bus binding] for the INTx lines.
 */
#include <drivers/pci/internals.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

int pci_msix_vec_count(struct pci_dev *dev)
{
	if (!dev->msix_cap)
		return -EINVAL;
	return (pci_read_config16(dev, dev->msix_cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE) + 1;
}

int pci_msi_vec_count(struct pci_dev *dev)
{
	unsigned int log2;

	if (!dev->msi_cap)
		return -EINVAL;
	log2 = (pci_read_config16(dev, dev->msi_cap + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_QMASK) >> 1;
	return 1 << min(log2, 5U);	/* 6 and 7 are reserved */
}

/* ---- MSI and MSI-X -------------------------------------------------------------------------- */

static bool msi_forbidden(const struct pci_dev *dev)
{
	if (dev->no_msi || dev->current_state != PCI_D0)
		return true;
	for (const struct pci_bus *bus = dev->bus; bus; bus = bus->parent)
		if (bus->no_msi)
			return true;
	return false;
}

/* As many as there are, from the most down to the least: their number, or an errno. */
static int start_range(struct pci_dev *dev, unsigned int hw_count, const struct pci_msi_wish *wish)
{
	unsigned int n = min(wish->max, hw_count);

	for (;;) {
		int err;

		if (n >= wish->min && wish->affd)
			n = irq_calc_affinity_vectors(wish->min, n, wish->affd);
		if (!n || n < wish->min)
			return -ENOSPC;
		err = wish->start(dev, n, wish);
		if (!err)
			dev->intx_enabled = false;
		if (err <= 0)
			return err ? err : (int)n;
		if ((unsigned int)err >= n)
			return -ENOSPC;
		n = err;			/* so many would have fitted */
	}
}

static int try_msix(struct pci_dev *dev, const struct pci_msi_wish *wish)
{
	int rows = pci_msix_vec_count(dev);

	if (wish->max < wish->min)
		return -ERANGE;
	if (dev->msi_enabled || rows < 0 || WARN_ON(dev->msix_enabled))
		return -EINVAL;
	if (!pci_msi_domain_supports(dev, MSI_FLAG_PCI_MSIX))
		return -ENOTSUPP;
	if (!wish->max || msi_forbidden(dev))
		return -EINVAL;
	return start_range(dev, rows, wish);
}

static int try_msi(struct pci_dev *dev, const struct pci_msi_wish *wish)
{
	int messages = pci_msi_vec_count(dev);

	if (!wish->min || msi_forbidden(dev) || dev->msix_enabled || messages < 0)
		return -EINVAL;
	if (wish->max < wish->min)
		return -ERANGE;
	if (WARN_ON(dev->msi_enabled))
		return -EINVAL;
	if (!pci_msi_domain_supports(dev, 0))
		return -ENOTSUPP;
	return start_range(dev, messages, wish);
}

int pci_enable_msix_range(struct pci_dev *dev, struct msix_entry *entries, int minvec, int maxvec)
{
	struct pci_msi_wish wish = { minvec, maxvec, entries, NULL, pci_start_msix };

	return try_msix(dev, &wish);
}

int pci_enable_msi(struct pci_dev *dev)
{
	struct pci_msi_wish wish = { 1, 1, NULL, NULL, pci_start_msi };

	return min(try_msi(dev, &wish), 0);
}

/* ---- INTx ----------------------------------------------------------------------------------- */

/* The host's interrupt-map turns (device, pin) of the root bus into a line of a controller. */
static unsigned int map_intx(struct pci_dev *dev)
{
	const struct pci_dev *top = dev;
	u8 pin = pci_swizzle(&top), unit[12] = { 0, top->bus->number, top->devfn };
	struct of_phandle_args args = {
		.np = dev->bus->host->node, .args_count = 1, .args = { pin },
	};
	const char *path = args.np->fwnode.name;
	unsigned int irq = 0;

	if (!of_property_present(args.np, "interrupt-map"))
		dev_err(&dev->dev, "INT%c#: %s has no interrupt-map", 'A' + dev->pin - 1, path);
	else if (of_irq_parse_raw(unit, &args))
		dev_err(&dev->dev, "INT%c#, which is INT%c# of %s: the interrupt-map of %s leads "
			"nowhere", 'A' + dev->pin - 1, 'A' + pin - 1, top->name, path);
	else if (!(irq = irq_create_of_mapping(&args)))
		dev_err(&dev->dev, "INT%c#: %s, where it leads, takes no interrupts",
			'A' + dev->pin - 1, args.np->fwnode.name);
	return irq;
}

static int try_intx(struct pci_dev *dev)
{
	if (dev->msi_enabled || dev->msix_enabled)
		return -EBUSY;
	if (!dev->intx_irq)
		dev->intx_irq = map_intx(dev);
	dev->irq = dev->intx_irq;
	if (!dev->irq)
		return -ENOSPC;
	pci_intx(dev, true);
	dev->intx_enabled = true;
	dev->nr_vectors = 1;
	return 1;
}

/* ---- For drivers ---------------------------------------------------------------------------- */

int pci_alloc_irq_vectors_affinity(struct pci_dev *dev, unsigned int min_vecs,
				   unsigned int max_vecs, unsigned int flags,
				   struct irq_affinity *affd)
{
	struct irq_affinity spread_all = { 0 };
	struct pci_msi_wish wish = { .min = min_vecs, .max = max_vecs };
	int n = -ENOSPC;

	if (flags & PCI_IRQ_AFFINITY)
		wish.affd = affd ? affd : &spread_all;
	else
		WARN_ON(affd);
	if (flags & PCI_IRQ_MSIX) {
		wish.start = pci_start_msix;
		n = try_msix(dev, &wish);
		if (n > 0)
			return n;
	}
	if (flags & PCI_IRQ_MSI) {
		wish.start = pci_start_msi;
		n = try_msi(dev, &wish);
		if (n > 0)
			return n;
	}
	if (flags & PCI_IRQ_INTX && min_vecs == 1 && dev->pin) {
		int intx = try_intx(dev);

		if (intx > 0 && wish.affd)	/* its sets hear that there is only one */
			kfree(irq_create_affinity_masks(1, wish.affd));
		if (intx > 0 || intx == -EBUSY)
			return intx;
	}
	return n;
}

void pci_free_irq_vectors(struct pci_dev *dev)
{
	pci_disable_msix(dev);
	pci_disable_msi(dev);
	if (dev->intx_enabled)
		dev->nr_vectors = 0;
	dev->intx_enabled = false;
}

int pci_irq_vector(struct pci_dev *dev, unsigned int nr)
{
	unsigned int irq;

	if (dev->msix_enabled || dev->msi_enabled)
		irq = msi_get_virq(&dev->dev, nr);
	else
		irq = dev->intx_enabled && !nr ? dev->irq : 0;
	return irq ? (int)irq : -EINVAL;
}

const struct cpumask *pci_irq_get_affinity(struct pci_dev *dev, unsigned int nr)
{
	int irq = pci_irq_vector(dev, nr);
	const struct msi_desc *desc;

	if (irq < 0)
		return NULL;
	if (dev->intx_enabled)		/* may be a message, too, further on */
		return cpu_possible_mask;
	desc = irq_get_msi_desc(irq);
	return desc->affinity ? &desc->affinity[irq - desc->irq].mask : NULL;
}

const char *pci_irq_mode(const struct pci_dev *dev)
{
	return dev->msix_enabled ? "msix" : dev->msi_enabled ? "msi" :
	       dev->intx_enabled ? "intx" : "none";
}
