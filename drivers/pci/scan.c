/*
 * Finding devices, and numbering buses.
 *
 * A bus has 32 device slots, each with up to 8 functions; where nothing answers, the vendor id
 * reads as all ones. Only a device whose function 0 says so has more than one function. A bridge
 * is a function, too; the bus behind it is reached once it has a number:
 *
 *	enter a bridge:  secondary = next free number, subordinate = the greatest there is
 *	leave it:        subordinate = the last number that was used behind it
 *
 * A port for hot plug keeps one number more than it needs if there are plenty: a card may have a
 * bridge on it. Manuals: [PCI 6.1, 6.2.1], [PCI-to-PCI bridge 3.2.5.4], [PCIE 7.3.1, 7.5.1].
 */
#include <drivers/pci/internals.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <stdio.h>

#define NR_SLOTS	32
#define NR_FUNCTIONS	8
#define NO_DEVICE	0xffff
#define PLENTY		32	/* bus numbers for what nobody has counted yet */

/* ---- Functions ------------------------------------------------------------------------------ */

static void read_pcie(struct pci_dev *dev)
{
	u16 flags;

	dev->pcie_cap = pci_find_capability(dev, PCI_CAP_ID_EXP);
	if (!dev->pcie_cap)
		return;
	flags = pci_read_config16(dev, dev->pcie_cap + PCI_EXP_FLAGS);
	dev->pcie_type = (flags & PCI_EXP_FLAGS_TYPE) >> 4;
	if (pci_is_bridge(dev) && flags & PCI_EXP_FLAGS_SLOT)
		dev->hotplug = pci_read_config32(dev, dev->pcie_cap + PCI_EXP_SLTCAP) &
			       PCI_EXP_SLTCAP_HPC;
}

static void read_identity(struct pci_dev *dev)
{
	dev->class = pci_read_config32(dev, PCI_CLASS_REVISION) >> 8;
	dev->header_type = pci_read_config8(dev, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_MASK;
	dev->pin = pci_read_config8(dev, PCI_INTERRUPT_PIN);
	if (dev->pin > PCI_NUM_PINS)
		dev->pin = 0;			/* reserved values [PCI 6.2.4] */
	if (!pci_is_bridge(dev))
		dev->subsystem = pci_read_config16(dev, PCI_SUBSYSTEM_ID);
	dev->pm_cap = pci_find_capability(dev, PCI_CAP_ID_PM);
	if (dev->pm_cap)
		dev->current_state = pci_read_config16(dev, dev->pm_cap + PCI_PM_CTRL) &
				     PCI_PM_CTRL_STATE_MASK;
	read_pcie(dev);
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
	if (pci_is_bridge(dev))
		pci_write_bus_numbers(dev, 0, 0, 0);	/* firmware's would collide with ours */
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
		*tail = &(**tail)->next;
	}
	return 0;
}

/* At the other end of a link there is one device; some would answer to every number. */
static unsigned int nr_slots(const struct pci_bus *bus)
{
	const struct pci_dev *up = bus->bridge;

	return up && (pcie_is(up, PCI_EXP_TYPE_ROOT_PORT) ||
		      pcie_is(up, PCI_EXP_TYPE_DOWNSTREAM) ||
		      pcie_is(up, PCI_EXP_TYPE_PCIE_BRIDGE)) ? 1 : NR_SLOTS;
}

static int scan_bus(struct pci_bus *bus)
{
	struct pci_dev **tail = &bus->devices;
	int err = 0;

	for (unsigned int slot = 0; slot < nr_slots(bus) && !err; slot++)
		err = scan_slot(bus, slot, &tail);
	return err;
}

/* ---- Bridges -------------------------------------------------------------------------------- */

static struct pci_dev *next_bridge(const struct pci_bus *bus, const struct pci_dev *after)
{
	struct pci_dev *dev = after ? after->next : bus->devices;

	while (dev && !pci_is_bridge(dev))
		dev = dev->next;
	return dev;
}

/* Gives the bus behind BRIDGE a number and scans it, into *OUT. -ENOSPC (said): no number is left;
 * -ENOMEM. */
static int enter(struct pci_dev *bridge, unsigned int number, u8 limit, struct pci_bus **out)
{
	const struct pci_host *host = bridge->bus->host;

	if (number > limit) {
		dev_err(&bridge->dev, "no bus number is left for the bus behind it (%s has %u to "
			"%u, for this place up to %u); what is there is not used",
			host->node->fwnode.name, host->first_bus, host->last_bus, limit);
		return -ENOSPC;
	}
	*out = pci_add_bus(bridge->bus->host, bridge, number);
	if (!*out)
		return -ENOMEM;
	pci_read_window_kinds(*out);
	pci_write_bus_numbers(bridge, bridge->bus->number, number, limit);
	return scan_bus(*out);
}

/* The last number behind BUS, which is LAST so far, settled. */
static unsigned int leave(struct pci_bus *bus, unsigned int last, u8 limit)
{
	unsigned int others = 0;

	for (struct pci_dev *dev = bus->bridge; (dev = next_bridge(bus->parent, dev)); )
		others++;
	if (bus->bridge->hotplug && limit - last >= 2 * others + PLENTY)
		last++;
	bus->last = last;
	pci_write_config8(bus->bridge, PCI_SUBORDINATE_BUS, last);
	return last;
}

int pci_scan_tree(struct pci_bus *top, u8 limit)
{
	struct pci_bus *bus = top, *child;
	struct pci_dev *bridge = NULL;
	unsigned int last = top->number;
	int err = scan_bus(top);

	while (!err) {
		bridge = next_bridge(bus, bridge);
		if (!bridge && bus == top)
			break;
		if (!bridge) {
			last = leave(bus, last, limit);
			bridge = bus->bridge;
			bus = bus->parent;
			continue;
		}
		err = enter(bridge, last + 1, limit, &child);
		if (!err) {
			last++;
			bus = child;
			bridge = NULL;
		} else if (err == -ENOSPC) {
			err = 0;
		}
	}
	return err;
}
