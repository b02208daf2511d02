/*
 * irq doctor, a PCI device's part: is it there and awake, may it write memory (all the way up: an
 * MSI is a memory write [PCI 6.8], and who works by DMA has nothing to tell without), is MSI or
 * MSI-X on, is the row or message that the core has composed in the device, and not masked; or may
 * it drive its wire?
 */
#include <drivers/pci/internals.h>
#include <kernel/diagnose.h>
#include <kernel/io.h>

/* The functions of LINE: the one that sends its message, or all that share its wire. */
static bool uses_line(const struct pci_dev *dev, const struct irq_desc *line)
{
	const struct msi_desc *msi = line->irq_common_data.msi_desc;

	return msi ? msi->dev == &dev->dev : dev->intx_enabled && dev->irq == line->irq_data.irq;
}

static void check_device(struct diagnosis *dx, struct pci_dev *dev)
{
	u16 vendor = pci_read_config16(dev, 0), command = pci_read_config16(dev, PCI_COMMAND);
	u16 power = dev->pm_cap ? pci_read_config16(dev, dev->pm_cap + PCI_PM_CTRL) : 0;

	diagnose(dx, vendor == dev->vendor, "device", "%s: vendor reads 0x%04x%s", dev->name,
		 vendor, vendor == dev->vendor ? "" : ": it is gone");
	diagnose(dx, !(power & PCI_PM_CTRL_STATE_MASK), "power", "%s: D%u", dev->name,
		 power & PCI_PM_CTRL_STATE_MASK);
	diagnose(dx, command & (PCI_COMMAND_MEMORY | PCI_COMMAND_IO), "decode",
		 "%s: command 0x%04x", dev->name, command);
}

/* Of the device and of every bridge between it and the root. */
static void check_masters(struct diagnosis *dx, const struct pci_dev *dev)
{
	for (; dev; dev = dev->bus->bridge) {
		u16 command = pci_read_config16(dev, PCI_COMMAND);

		diagnose(dx, command & PCI_COMMAND_MASTER, "bus master", "%s: command 0x%04x",
			 dev->name, command);
	}
}

static void check_message(struct diagnosis *dx, const struct pci_dev *dev,
			  const struct msi_desc *msi)
{
	unsigned long long address, wanted = msi_msg_address(&msi->msg);
	struct msi_msg msg;

	pci_read_msi_msg(dev, msi->msi_index, &msg);
	address = msi_msg_address(&msg);
	diagnose(dx, address == wanted && msg.data == msi->msg.data, "message",
		 "the device writes %#x to %#llx, it should be %#x to %#llx", msg.data, address,
		 msi->msg.data, wanted);
}

static void check_msix(struct diagnosis *dx, struct pci_dev *dev, const struct msi_desc *msi)
{
	u16 flags = pci_read_config16(dev, dev->msix_cap + PCI_MSIX_FLAGS);
	u32 control;

	diagnose(dx, flags & PCI_MSIX_FLAGS_ENABLE, "MSI-X enable", "control 0x%04x", flags);
	diagnose(dx, !(flags & PCI_MSIX_FLAGS_MASKALL), "function mask", "control 0x%04x", flags);
	if (dx->broken)
		return;		/* a row of a device that is not there cannot be read */
	control = readl(pci_msix_row(dev, msi->msi_index) + PCI_MSIX_ENTRY_VECTOR_CTRL);
	diagnose_gate(dx, &dx->desc->irq_data, !(control & PCI_MSIX_ENTRY_CTRL_MASKBIT),
		      "row unmasked", "row %u: vector control %#x", msi->msi_index, control);
	check_message(dx, dev, msi);
}

static void check_msi(struct diagnosis *dx, struct pci_dev *dev, const struct msi_desc *msi)
{
	u16 flags = pci_read_config16(dev, dev->msi_cap + PCI_MSI_FLAGS);
	unsigned int n = dx->desc->irq_data.irq - msi->irq;
	u32 mask = !msi->pci.can_mask ? 0 :
		   pci_read_config32(dev, pci_msi_data_reg(dev, msi->pci.is_64) + 4);

	diagnose(dx, flags & PCI_MSI_FLAGS_ENABLE, "MSI enable", "control 0x%04x", flags);
	diagnose_gate(dx, &dx->desc->irq_data, !(mask >> n & 1), "message unmasked",
		      "message %u: mask %#x", n, mask);
	check_message(dx, dev, msi);
}

static void check_wire(struct diagnosis *dx, struct pci_dev *dev)
{
	u16 command = pci_read_config16(dev, PCI_COMMAND);

	diagnose(dx, !(command & PCI_COMMAND_INTX_DISABLE), "INTx", "%s: command 0x%04x", dev->name,
		 command);
}

static void pci_doctor(struct diagnosis *dx)
{
	const struct msi_desc *msi = dx->desc->irq_common_data.msi_desc;
	struct pci_dev *dev;

	for_each_pci_dev(dev) {
		if (!uses_line(dev, dx->desc))
			continue;
		check_device(dx, dev);
		if (msi || dev->is_busmaster)
			check_masters(dx, dev);
		if (!msi)
			check_wire(dx, dev);
		else if (dev->msix_enabled && !dx->broken)
			check_msix(dx, dev, msi);
		else if (!dx->broken)
			check_msi(dx, dev, msi);
	}
}

DEVICE_DOCTOR(pci, pci_doctor);
