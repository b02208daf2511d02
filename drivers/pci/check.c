/*
 * PCI's part of irq_check(): what a device would send is the message that the parent composes for
 * its line, and it sends only what has a line. Read back from the devices: [PCI 6.8.1, 6.8.2].
 */
#include <drivers/pci/internals.h>
#include <kernel/interrupt.h>
#include <kernel/io.h>
#include <stdio.h>
#include <string.h>

/* Locked. */
static const char *message_fault(struct pci_dev *dev, const struct msi_desc *desc,
				 struct irq_data *d)
{
	struct msi_msg sent = { 0 }, composed[2] = { 0 };

	pci_read_msi_msg(dev, desc->msi_index, &sent);
	if (irqd_is_activated(d) && irq_chip_compose_msi_msg(d, composed))
		return "has no message from its parent";
	if (memcmp(&sent, &desc->msg, sizeof(sent)))
		return "has another message in the device than was written";
	if (memcmp(&sent, composed, sizeof(sent)))
		return irqd_is_activated(d) ? "does not have the message of its parent" :
		       "is not activated, but its device has a message";
	if (desc->pci.is_msix && desc->pci.msix_ctrl !=
	    readl(pci_msix_row(dev, desc->msi_index) + PCI_MSIX_ENTRY_VECTOR_CTRL))
		return "is masked in its device, or is not, against what was written";
	return NULL;
}

static unsigned int check_device(struct pci_dev *dev,
				 void (*report)(void *arg, const char *text), void *arg)
{
	unsigned int faults = 0;
	struct msi_desc *desc;
	char text[128];

	msi_for_each_desc(desc, &dev->dev, MSI_DESC_ASSOCIATED) {
		struct irq_desc *line = irq_to_desc(desc->irq);
		unsigned long flags = spin_lock_irqsave(&line->lock);
		const char *fault = message_fault(dev, desc, &line->irq_data);

		spin_unlock_irqrestore(&line->lock, flags);
		if (!fault)
			continue;
		snprintf(text, sizeof(text), "%s: irq %u %s", dev->name, desc->irq, fault);
		report(arg, text);
		faults++;
	}
	return faults;
}

unsigned int pci_check(void (*report)(void *arg, const char *text), void *arg)
{
	unsigned int faults = 0;
	struct pci_dev *dev;

	for_each_pci_dev(dev)
		if ((dev->msi_enabled || dev->msix_enabled) && dev->current_state == PCI_D0 &&
		    pci_device_is_present(dev))
			faults += check_device(dev, report, arg);
	return faults;
}
