/*
 * Hosts, devices and drivers, coming and going.
 *
 *	scan -> size BARs -> assign addresses -> drivers, each in bus order
 *
 * and backwards when they go: the driver of a device before that of the bridge in front of it.
 */
#include <drivers/pci/internals.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <string.h>

DECLARE_TABLE(pci_driver, const struct pci_driver);

/* ---- Drivers -------------------------------------------------------------------------------- */

static bool driver_matches(const struct pci_driver *driver, const struct pci_dev *dev)
{
	for (const struct pci_device_id *id = driver->id_table; id->vendor; id++)
		if ((id->vendor == PCI_ANY_ID || id->vendor == dev->vendor) &&
		    (id->device == PCI_ANY_ID || id->device == dev->device) &&
		    !((id->class ^ dev->class) & id->class_mask))
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

static void probe_device(struct pci_dev *dev)
{
	pci_enable_error_reporting(dev);
	for_each_table(pos, pci_driver, const struct pci_driver)
		if (!dev->driver && !dev->unusable && driver_matches(*pos, dev))
			probe_driver(dev, *pos);
}

static void remove_driver(struct pci_dev *dev)
{
	if (dev->driver && dev->driver->remove)
		dev->driver->remove(dev);
	dev->driver = NULL;
	pci_disable_device(dev);
}

/* ---- Devices -------------------------------------------------------------------------------- */

/* On BUS and on all behind it. */
static int start_devices(struct pci_bus *bus, u8 limit)
{
	int err = pci_scan_tree(bus, limit);
	struct pci_bus *below;

	if (!err)
		err = pci_assign_addresses(bus);
	if (err) {
		pci_remove_devices(bus);
		return err;
	}
	for_each_bus_below(below, bus)
		for (struct pci_dev *dev = below->devices; dev; dev = dev->next)
			probe_device(dev);
	return 0;
}

int pci_add_devices(struct pci_bus *bus)
{
	return start_devices(bus, bus->last);
}

void pci_remove_devices(struct pci_bus *bus)
{
	struct pci_bus *below, *prev;

	for_each_bus_below_reverse(below, bus)
		for (struct pci_dev *dev = below->devices; dev; dev = dev->next)
			remove_driver(dev);
	for (below = pci_prev_below(bus, NULL); below != bus; below = prev) {
		prev = pci_prev_below(bus, below);
		pci_free_bus(below);
	}
	pci_free_devices(bus);
}

/* ---- Hosts ---------------------------------------------------------------------------------- */

static void forget_host(struct pci_host *host)
{
	list_del_init(&host->link);
	pci_free_bus(host->root);
	host->root = NULL;
}

/* The boot argument pci=nomsi: wires are to be used where there are messages, too. */
static bool no_messages(void)
{
	char text[16];

	if (!boot_arg("pci", text, sizeof(text)))
		return false;
	if (!strcmp(text, "nomsi"))
		return true;
	pr_err("boot argument pci=%s: only pci=nomsi is known", text);
	return false;
}

int pci_host_probe(struct pci_host *host)
{
	int err = -ENOMEM;

	devices_lock();
	irq_check_register(pci_check);
	INIT_LIST_HEAD(&host->buses);
	list_add_tail(&host->link, &pci_hosts);
	host->root = pci_add_bus(host, NULL, host->first_bus);
	if (host->root) {
		host->root->no_msi = no_messages();
		err = start_devices(host->root, host->last_bus);
	}
	if (err && host->root)
		forget_host(host);
	else if (err)
		list_del_init(&host->link);
	devices_unlock();
	return err;
}

void pci_host_remove(struct pci_host *host)
{
	devices_lock();
	pci_remove_devices(host->root);
	forget_host(host);
	devices_unlock();
}
