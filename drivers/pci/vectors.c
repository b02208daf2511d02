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

typedef int (*enable_fn)(struct pci_dev *dev, unsigned int nvec, const struct irq_affinity *affd);

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

/* More vectors than CPUs to spread them to are of no use. */
static unsigned int useful_vectors(unsigned int min_vecs, unsigned int max_vecs,
				   const struct irq_affinity *affd)
{
	unsigned int fixed = affd->pre_vectors + affd->post_vectors;

	if (fixed > min_vecs)
		return 0;
	return fixed + min(max_vecs - fixed, cpumask_weight(cpu_possible_mask));
}

/* ENABLE with as many as there are, from MAX down to MIN: their number, or an errno. */
static int enable_range(struct pci_dev *dev, int hw_count, unsigned int min_vecs,
			unsigned int max_vecs, const struct irq_affinity *affd, enable_fn enable)
{
	unsigned int n = max_vecs;

	if (hw_count < 0)
		return hw_count;
	if ((unsigned int)hw_count < min_vecs)
		return -ENOSPC;
	n = min(n, (unsigned int)hw_count);
	for (;;) {
		int err;

		if (affd)
			n = useful_vectors(min_vecs, n, affd);
		if (!n || n < min_vecs)
			return -ENOSPC;
		err = enable(dev, n, affd);
		if (!err)
			dev->intx_enabled = false;
		if (err <= 0)
			return err ? err : (int)n;
		if ((unsigned int)err >= n)
			return -ENOSPC;
		n = err;			/* so many would have fitted */
	}
}

static int check_msi(const struct pci_dev *dev, unsigned int min_vecs, unsigned int max_vecs,
		     u8 cap, bool this_on, bool other_on, u32 flag)
{
	if (max_vecs < min_vecs)
		return -ERANGE;
	if (this_on)
		dev_warn(&dev->dev, "it has been given interrupts of this kind already");
	if (!cap || this_on || other_on || msi_forbidden(dev) || !max_vecs)
		return -EINVAL;
	return pci_msi_domain_supports(dev, flag) ? 0 : -ENOTSUPP;
}

static int try_msix(struct pci_dev *dev, unsigned int min_vecs, unsigned int max_vecs,
		    const struct irq_affinity *affd)
{
	int err = check_msi(dev, min_vecs, max_vecs, dev->msix_cap, dev->msix_enabled,
			    dev->msi_enabled, MSI_FLAG_PCI_MSIX);

	return err ? err : enable_range(dev, pci_msix_vec_count(dev), min_vecs, max_vecs, affd,
					pci_enable_msix);
}

static int try_msi(struct pci_dev *dev, unsigned int min_vecs, unsigned int max_vecs,
		   const struct irq_affinity *affd)
{
	int err = check_msi(dev, min_vecs, max_vecs, dev->msi_cap, dev->msi_enabled,
			    dev->msix_enabled, 0);

	return err ? err : enable_range(dev, pci_msi_vec_count(dev), min_vecs, max_vecs, affd,
					pci_enable_msi);
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
				   const struct irq_affinity *affd)
{
	static const struct irq_affinity spread_all;
	int n = -ENOSPC;

	if (!(flags & PCI_IRQ_AFFINITY)) {
		WARN_ON(affd);
		affd = NULL;
	} else if (!affd) {
		affd = &spread_all;
	}
	if (flags & PCI_IRQ_MSIX) {
		n = try_msix(dev, min_vecs, max_vecs, affd);
		if (n > 0)
			return n;
	}
	if (flags & PCI_IRQ_MSI) {
		n = try_msi(dev, min_vecs, max_vecs, affd);
		if (n > 0)
			return n;
	}
	if (flags & PCI_IRQ_INTX && min_vecs == 1 && dev->pin) {
		int intx = try_intx(dev);

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
	unsigned int irq = 0;

	if (nr >= dev->nr_vectors)
		return -EINVAL;
	if (dev->msix_enabled)
		irq = msi_get_virq(&dev->dev, nr);
	else
		irq = dev->irq + nr;
	return irq ? (int)irq : -EINVAL;
}

const struct cpumask *pci_irq_get_affinity(struct pci_dev *dev, unsigned int nr)
{
	unsigned int index = dev->msix_enabled ? nr : 0;
	const struct msi_desc *desc = msi_desc_at(&dev->dev, index);

	if (nr >= dev->nr_vectors)
		return NULL;
	return desc && desc->affinity ? &desc->affinity[nr - index].mask : cpu_possible_mask;
}

const char *pci_irq_mode(const struct pci_dev *dev)
{
	return dev->msix_enabled ? "msix" : dev->msi_enabled ? "msi" :
	       dev->intx_enabled ? "intx" : "none";
}
