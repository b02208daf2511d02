/*
 * Finding devices and starting their drivers.
 *
 * A bus has 32 device slots, each with up to 8 functions; where nothing answers, the vendor id
 * reads as all ones. Only a device whose function 0 says so has more than one function. A bridge
 * is a function, too; the bus behind it has no number until software gives it one, so it is named
 * here and not entered.
 *
 *	scan -> size BARs -> assign addresses -> drivers, each in bus order
 *
 * Manuals: [PCI 6.1, 6.2.1], [PCIE 7.5.1].
 */
#include <drivers/pci/pci.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <stdio.h>
#include <string.h>

#define NR_SLOTS	32
#define NR_FUNCTIONS	8
#define NO_DEVICE	0xffff

DECLARE_TABLE(pci_driver, const struct pci_driver);

static struct pci_bus *pci_buses;	/* oldest first */

/* ---- Scanning ------------------------------------------------------------------------------- */

static void read_identity(struct pci_dev *dev)
{
	dev->class = pci_read_config32(dev, PCI_CLASS_REVISION) >> 8;
	dev->header_type = pci_read_config8(dev, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_MASK;
	dev->pin = pci_read_config8(dev, PCI_INTERRUPT_PIN);
	dev->subsystem = pci_read_config16(dev, PCI_SUBSYSTEM_ID);
	dev->pm_cap = pci_find_capability(dev, PCI_CAP_ID_PM);
	if (dev->pm_cap)
		dev->current_state = pci_read_config16(dev, dev->pm_cap + PCI_PM_CTRL) &
				     PCI_PM_CTRL_STATE_MASK;
}

/* The function, if it is there. -ENODEV: it is not; -ENOMEM. */
static int scan_function(struct pci_bus *bus, unsigned int devfn, struct pci_dev **out)
{
	u32 id = pci_bus_read_config32(bus, devfn, PCI_VENDOR_ID);
	struct pci_dev *dev;

	if ((u16)id == NO_DEVICE || !(u16)id)
		return -ENODEV;
	dev = kzalloc(sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	snprintf(dev->name, sizeof(dev->name), "%02x:%02x.%x", bus->number, devfn >> 3 & 0x1f,
		 devfn & 7);
	dev->dev.name = dev->name;
	dev->dev.dma_offset = bus->host->dma_offset;
	dev->bus = bus;
	dev->devfn = devfn;
	dev->vendor = id;
	dev->device = id >> 16;
	read_identity(dev);
	pci_msi_init(dev);
	pci_read_bars(dev);
	*out = dev;
	return 0;
}

static int scan_slot(struct pci_bus *bus, unsigned int slot, struct pci_dev ***tail)
{
	unsigned int functions = 1;

	for (unsigned int f = 0; f < functions; f++) {
		int err = scan_function(bus, slot << 3 | f, *tail);

		if (err == -ENODEV)
			continue;
		if (err)
			return err;
		if (!f && pci_read_config8(**tail, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_MFD)
			functions = NR_FUNCTIONS;
		if (pci_is_bridge(**tail))
			pr_warn("pci: %s: a bridge; the bus behind it is not scanned",
				(**tail)->name);
		*tail = &(**tail)->next;
	}
	return 0;
}

static int scan_bus(struct pci_bus *bus)
{
	struct pci_dev **tail = &bus->devices;

	for (unsigned int slot = 0; slot < NR_SLOTS; slot++) {
		int err = scan_slot(bus, slot, &tail);

		if (err)
			return err;
	}
	return 0;
}

/* ---- Drivers -------------------------------------------------------------------------------- */

static bool driver_matches(const struct pci_driver *driver, const struct pci_dev *dev)
{
	for (const struct pci_device_id *id = driver->id_table; id->vendor; id++)
		if ((id->vendor == PCI_ANY_ID || id->vendor == dev->vendor) &&
		    (id->device == PCI_ANY_ID || id->device == dev->device))
			return true;
	return false;
}

/* What a driver that fails may have left on goes off, so that the device stays quiet. */
static void probe_driver(struct pci_dev *dev, const struct pci_driver *driver)
{
	int err = driver->probe(dev);

	if (!err) {
		dev->driver = driver;
		return;
	}
	if (err != -ENODEV)
		dev_err(&dev->dev, "driver %s does not start: %s", driver->name, errname(err));
	pci_disable_device(dev);
}

static void probe_drivers(struct pci_bus *bus)
{
	for (struct pci_dev *dev = bus->devices; dev; dev = dev->next)
		for_each_table(pos, pci_driver, const struct pci_driver)
			if (!dev->driver && !dev->unusable && driver_matches(*pos, dev))
				probe_driver(dev, *pos);
}

/* ---- Hosts ---------------------------------------------------------------------------------- */

static void link_bus(struct pci_bus *bus)
{
	struct pci_bus **end = &pci_buses;

	while (*end)
		end = &(*end)->next;
	*end = bus;
}

static void free_bus(struct pci_bus *bus)
{
	for (struct pci_dev *dev = bus->devices, *next; dev; dev = next) {
		next = dev->next;
		kfree(dev);
	}
	kfree(bus);
}

int pci_host_probe(struct pci_host *host)
{
	struct pci_bus *bus = kzalloc(sizeof(*bus));
	int err;

	if (!bus)
		return -ENOMEM;
	bus->host = host;
	bus->number = host->first_bus;
	err = pci_map_config(bus);
	if (!err)
		err = scan_bus(bus);
	if (!err)
		err = pci_assign_bars(bus);
	if (err) {
		free_bus(bus);
		return err;
	}
	host->root = bus;
	link_bus(bus);
	probe_drivers(bus);
	return 0;
}

void pci_host_remove(struct pci_host *host)
{
	struct pci_bus **link = &pci_buses;

	for (struct pci_dev *dev = host->root->devices; dev; dev = dev->next) {
		if (dev->driver && dev->driver->remove)
			dev->driver->remove(dev);
		dev->driver = NULL;
		pci_disable_device(dev);
	}
	while (*link && *link != host->root)
		link = &(*link)->next;
	if (*link)
		*link = host->root->next;
	free_bus(host->root);
	host->root = NULL;
}

/* ---- Lists ---------------------------------------------------------------------------------- */

struct pci_dev *pci_next_dev(struct pci_dev *dev)
{
	struct pci_bus *bus = dev ? dev->bus->next : pci_buses;

	if (dev && dev->next)
		return dev->next;
	while (bus && !bus->devices)
		bus = bus->next;
	return bus ? bus->devices : NULL;
}

struct pci_dev *pci_find_dev(const char *bdf)
{
	struct pci_dev *dev;

	for_each_pci_dev(dev)
		if (!strcmp(dev->name, bdf))
			return dev;
	return NULL;
}
