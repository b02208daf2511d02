/*
 * The tree of buses, as one list per host. Buses are numbered depth-first, so in the order of their
 * numbers a parent comes before its children, and all that is behind a bridge is one piece:
 *
 *	0 ── 1 ── 2			list: 0 1 2 3 4 5
 *	│    └─── 3
 *	└─── 4 ── 5			behind the bridge to 1: 1 2 3; backwards: children first
 *
 * Every walk over the tree is a walk over that list, without recursion: bridges nest as deep as
 * there are bus numbers, and stacks are small. Manuals: [PCI-to-PCI bridge 3.2, 9.1],
 * [PCIe-to-PCI bridge 2.3].
 */
#include <drivers/pci/internals.h>
#include <kernel/mm.h>
#include <string.h>

#define NO_DEVICE	0xffff

LIST_HEAD(pci_hosts);

/* ---- Buses ---------------------------------------------------------------------------------- */

static void insert_bus(struct pci_bus *bus)
{
	struct list_head *after = &bus->host->buses;
	struct pci_bus *other;

	list_for_each_entry(other, &bus->host->buses, link)
		if (other->number < bus->number)
			after = &other->link;
	list_add(&bus->link, after);
}

struct pci_bus *pci_add_bus(struct pci_host *host, struct pci_dev *bridge, u8 number)
{
	struct pci_bus *bus = kzalloc(sizeof(*bus));

	if (!bus)
		return NULL;
	bus->host = host;
	bus->bridge = bridge;
	bus->parent = bridge ? bridge->bus : NULL;
	bus->number = bus->last = number;
	bus->io = bus->io32 = bus->pref64 = true;
	for (int space = 0; space < PCI_NR_SPACES; space++)
		bus->window[space].space = space;
	if (pci_map_config(bus)) {
		kfree(bus);
		return NULL;
	}
	if (bridge)
		bridge->subordinate = bus;
	insert_bus(bus);
	return bus;
}

void pci_free_devices(struct pci_bus *bus)
{
	for (struct pci_dev *dev = bus->devices, *next; dev; dev = next) {
		next = dev->next;
		kfree(dev);
	}
	bus->devices = NULL;
}

void pci_free_bus(struct pci_bus *bus)
{
	pci_free_devices(bus);
	if (bus->bridge)
		bus->bridge->subordinate = NULL;
	list_del_init(&bus->link);
	kfree(bus);
}

static bool is_below(const struct pci_bus *top, const struct pci_bus *bus)
{
	while (bus && bus != top)
		bus = bus->parent;
	return bus != NULL;
}

struct pci_bus *pci_next_below(struct pci_bus *top, struct pci_bus *bus)
{
	if (bus->link.next == &bus->host->buses)
		return NULL;
	bus = list_entry(bus->link.next, struct pci_bus, link);
	return is_below(top, bus) ? bus : NULL;
}

struct pci_bus *pci_prev_below(struct pci_bus *top, struct pci_bus *bus)
{
	struct pci_bus *last = top, *next;

	if (bus == top)
		return NULL;
	if (bus)
		return list_entry(bus->link.prev, struct pci_bus, link);
	while ((next = pci_next_below(top, last)))
		last = next;
	return last;
}

/* ---- Devices -------------------------------------------------------------------------------- */

/* The first device of the buses from LINK on, in HOST and in the hosts after it. */
static struct pci_dev *first_from(struct pci_host *host, struct list_head *link)
{
	for (;;) {
		for (; link != &host->buses; link = link->next) {
			struct pci_bus *bus = list_entry(link, struct pci_bus, link);

			if (bus->devices)
				return bus->devices;
		}
		if (host->link.next == &pci_hosts)
			return NULL;
		host = list_entry(host->link.next, struct pci_host, link);
		link = host->buses.next;
	}
}

struct pci_dev *pci_next_dev(struct pci_dev *dev)
{
	struct pci_host *first;

	if (dev)
		return dev->next ? dev->next : first_from(dev->bus->host, dev->bus->link.next);
	if (list_empty(&pci_hosts))
		return NULL;
	first = list_first_entry(&pci_hosts, struct pci_host, link);
	return first_from(first, first->buses.next);
}

struct pci_dev *pci_find_dev(const char *bdf)
{
	struct pci_dev *dev;

	for_each_pci_dev(dev)
		if (!strcmp(dev->name, bdf))
			return dev;
	return NULL;
}

bool pci_device_is_present(const struct pci_dev *dev)
{
	return pci_read_config16(dev, PCI_VENDOR_ID) != NO_DEVICE;
}

/* ---- Through bridges ------------------------------------------------------------------------ */

/* PCI Express has the sender in every write. PCI has not: there the bridge to PCI Express answers
 * for all behind it, as function 0 of their bus, and a bridge on PCI as itself. */
u16 pci_requester_id(const struct pci_dev *dev)
{
	u16 id = pci_dev_id(dev);

	for (const struct pci_dev *up = dev->bus->bridge; up; up = up->bus->bridge) {
		if (pcie_is(up, PCI_EXP_TYPE_PCI_BRIDGE))
			id = up->subordinate->number << 8;
		else if (!up->pcie_cap)
			id = pci_dev_id(up);
	}
	return id;
}

/* At each bridge the four lines turn by the number of the device, so that the devices of a bus,
 * which all use INTA#, do not all share one line. */
u8 pci_swizzle(const struct pci_dev **dev)
{
	u8 pin = (*dev)->pin;

	for (; (*dev)->bus->bridge; *dev = (*dev)->bus->bridge)
		pin = (pin - 1 + pci_slot(*dev)) % PCI_NUM_PINS + 1;
	return pin;
}
