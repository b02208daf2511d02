/*
 * The driver of PCI Express ports, which have up to two things to tell: that something happens in
 * their slot, and that an error has arrived.
 *
 *	slot  --> message number in the PCI Express Capabilities register --> vector of that number
 *	error --> message number in the Root Error Status register ---------> vector of that number
 *
 * The numbers may be equal, and a port may change them when it is told how many messages it has
 * got, so they are read after that. With a wire all share one line anyway.
 * Manual: [PCIE 7.5.3.2, 7.8.4.10].
 */
#include <drivers/pci/port.h>
#include <kernel/mm.h>

#define MESSAGES	2			/* and more only if the numbers say so */

struct port {
	struct slot slot;
	struct aer aer;
};

static unsigned int slot_message(const struct pci_dev *dev)
{
	return (pci_read_config16(dev, dev->pcie_cap + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_IRQ) >>
	       PCI_EXP_FLAGS_IRQ_SHIFT;
}

static unsigned int aer_message(const struct pci_dev *dev, u16 aer_cap)
{
	return aer_cap ? pci_read_config32(dev, aer_cap + PCI_ERR_ROOT_STATUS) >>
			 PCI_ERR_ROOT_IRQ_SHIFT : 0;
}

/* 0, or an errno. */
static int alloc_vectors(struct pci_dev *dev, u16 aer_cap)
{
	unsigned int last = max(slot_message(dev), aer_message(dev, aer_cap));
	int n = pci_alloc_irq_vectors(dev, 1, max(last + 1, (unsigned int)MESSAGES),
				      PCI_IRQ_ALL_TYPES);

	if (n > 0)
		pci_set_master(dev);
	return min(n, 0);
}

static int irq_of(struct pci_dev *dev, unsigned int message)
{
	return pci_irq_vector(dev, dev->intx_enabled ? 0 : message);
}

static int port_start(struct port *port, struct pci_dev *dev, u16 aer_cap)
{
	int none = alloc_vectors(dev, aer_cap), err = 0;

	if (dev->hotplug && dev->subordinate)
		err = hotplug_start(&port->slot, dev, none ? none : irq_of(dev, slot_message(dev)));
	if (!err && aer_cap)
		err = aer_start(&port->aer, dev, aer_cap,
				none ? none : irq_of(dev, aer_message(dev, aer_cap)));
	return err;
}

static void port_stop(struct port *port, struct pci_dev *dev)
{
	aer_stop(&port->aer);
	hotplug_stop(&port->slot);
	pci_free_irq_vectors(dev);
	kfree(port);
}

static int port_probe(struct pci_dev *dev)
{
	struct port *port;
	u16 aer_cap = 0;
	int err;

	if (pcie_is(dev, PCI_EXP_TYPE_ROOT_PORT))
		aer_cap = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ERR);
	if (!aer_cap && !(dev->hotplug && dev->subordinate))
		return -ENODEV;
	port = kzalloc(sizeof(*port));
	if (!port)
		return -ENOMEM;
	err = pci_enable_device(dev);
	if (!err)
		err = port_start(port, dev, aer_cap);
	if (err) {
		port_stop(port, dev);
		return err;
	}
	dev->dev.driver_data = port;
	return 0;
}

static void port_remove(struct pci_dev *dev)
{
	port_stop(dev->dev.driver_data, dev);
	dev->dev.driver_data = NULL;
}

static const struct pci_device_id bridges[] = {
	{ PCI_ANY_ID, PCI_ANY_ID, 0x060400, 0xffff00 },
	{ 0, 0, 0, 0 },
};

static const struct pci_driver port_driver = {
	.name = "pci-port",
	.id_table = bridges,
	.probe = port_probe,
	.remove = port_remove,
};
PCI_DRIVER(port_driver);
