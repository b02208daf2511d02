/*
 * How many addresses a bus needs: for the BARs on it, and for what is behind its bridges.
 *
 *	bridge window = its claims, packed:  |BAR 1 MiB |window: BAR 512 KiB, …|BAR 16 KiB|4 KiB|
 *	                rounded up           largest alignment first, so that it leaves few holes
 *
 * The deepest buses are measured first. assign.c packs the same lists in the same order, so that
 * what was measured fits. An empty slot for hot plug gets room for a card. Prefetchable BARs of 64
 * bits go the way that leads above 4 GiB, all others stay below: bridges have no way to pass on
 * what is 64-bit but not prefetchable. Manual: [PCI-to-PCI bridge 3.2.5].
 */
#include <drivers/pci/claim.h>
#include <kernel/mm.h>
#include <stdlib.h>

#define IO_GRANULE	0x1000ULL
#define MEM_GRANULE	0x100000ULL
#define HOTPLUG_ROOM	(2 * MEM_GRANULE)
#define IO16_END	(1ULL << 16)
#define FOUR_GIB	(1ULL << 32)
#define NO_END		(~0ULL)

/* ---- What there is -------------------------------------------------------------------------- */

static struct pci_claim claim_bar(struct pci_dev *dev, unsigned int i)
{
	const struct pci_bar *bar = &dev->bar[i];
	bool wide = bar->type == PCI_BAR_MEM64;

	return (struct pci_claim){
		.dev = dev, .bar = i, .size = bar->size, .align = bar->size,
		.space = bar->type == PCI_BAR_IO ? PCI_SPACE_IO :
			 wide && bar->prefetchable && dev->bus->pref64 ? PCI_SPACE_PREF
								       : PCI_SPACE_MEM,
		.end = wide ? NO_END : FOUR_GIB,
	};
}

static struct pci_claim claim_window(struct pci_dev *dev, enum pci_space space)
{
	struct pci_bus *behind = dev->subordinate;
	u64 end = space == PCI_SPACE_PREF ? NO_END : FOUR_GIB;

	return (struct pci_claim){
		.dev = dev, .behind = behind, .space = space,
		.size = behind->need[space].size, .align = behind->need[space].align,
		.end = space == PCI_SPACE_IO && !behind->io32 ? IO16_END : end,
	};
}

/* The claims of BUS into LIST (NULL: nowhere); their number. */
static unsigned int list_claims(const struct pci_bus *bus, struct pci_claim *list)
{
	unsigned int n = 0;

	for (struct pci_dev *dev = bus->devices; dev; dev = dev->next) {
		for (unsigned int i = 0; i < PCI_NUM_BARS; i++) {
			if (!dev->bar[i].size || dev->bar[i].hopeless)
				continue;
			if (list)
				list[n] = claim_bar(dev, i);
			n++;
		}
		for (int space = 0; space < PCI_NR_SPACES && dev->subordinate; space++) {
			if (dev->subordinate->need[space].size && list)
				list[n] = claim_window(dev, space);
			n += dev->subordinate->need[space].size != 0;
		}
	}
	return n;
}

static int largest_first(const void *a, const void *b)
{
	const struct pci_claim *x = a, *y = b;

	if (x->align != y->align)
		return x->align < y->align ? 1 : -1;
	return x->order < y->order ? -1 : 1;
}

int pci_collect_claims(const struct pci_bus *bus, struct pci_claims *claims)
{
	claims->list = NULL;
	claims->n = list_claims(bus, NULL);
	if (!claims->n)
		return 0;
	claims->list = kcalloc(claims->n, sizeof(*claims->list));
	if (!claims->list)
		return -ENOMEM;
	list_claims(bus, claims->list);
	for (unsigned int i = 0; i < claims->n; i++)
		claims->list[i].order = i;
	qsort(claims->list, claims->n, sizeof(*claims->list), largest_first);
	return 0;
}

void pci_drop_claims(struct pci_claims *claims)
{
	kfree(claims->list);
	*claims = (struct pci_claims){ NULL, 0 };
}

/* ---- How much -------------------------------------------------------------------------------- */

static void set_need(struct pci_bus *bus, enum pci_space space, const struct pci_claims *claims,
		     bool reserve)
{
	u64 align = space == PCI_SPACE_IO ? IO_GRANULE : MEM_GRANULE, size = 0;

	for (unsigned int i = 0; i < claims->n; i++) {
		const struct pci_claim *c = &claims->list[i];

		if (c->space != space)
			continue;
		size = ALIGN_UP(size, c->align) + c->size;
		align = max(align, c->align);
	}
	if (reserve && bus->bridge->hotplug && space != PCI_SPACE_IO &&
	    (space != PCI_SPACE_PREF || bus->pref64))
		size = max(size, HOTPLUG_ROOM);
	if (space == PCI_SPACE_IO && !bus->io)
		size = 0;
	bus->need[space].size = ALIGN_UP(size, space == PCI_SPACE_IO ? IO_GRANULE : MEM_GRANULE);
	bus->need[space].align = align;
}

int pci_measure(struct pci_bus *top, bool reserve)
{
	struct pci_claims claims;
	struct pci_bus *bus;
	int err;

	for_each_bus_below_reverse(bus, top) {
		if (bus == top)
			break;
		err = pci_collect_claims(bus, &claims);
		if (err)
			return err;
		for (int space = 0; space < PCI_NR_SPACES; space++)
			set_need(bus, space, &claims, reserve);
		pci_drop_claims(&claims);
	}
	return 0;
}
