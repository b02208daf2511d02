/*
 * Addresses for everything on and behind a bus: each bus hands out its windows, to BARs and to the
 * windows of its bridges, parents first.
 *
 *	ranges of the host -> window of a bridge -> window of a bridge behind it -> BAR
 *
 * How much each needs was measured from below (claim.c). If it does not all fit, the room kept for
 * hot plug goes first; what finds none then is named, and the rest works. I/O space is short, and
 * a device must do without where there is none [PCIE 1.3.2.2], so only memory is insisted on.
 */
#include <drivers/pci/claim.h>
#include <kernel/printk.h>

#define LOWEST_ADDR	0x1000		/* a BAR at bus address 0 would mean "not set" */

/* ---- Where ---------------------------------------------------------------------------------- */

/* The windows that BUS can hand out. */
static struct pci_window *windows(struct pci_bus *bus, unsigned int *n)
{
	*n = bus->bridge ? PCI_NR_SPACES : bus->host->nr_windows;
	return bus->bridge ? bus->window : bus->host->window;
}

static bool take(struct pci_window *window, struct pci_claim *c)
{
	u64 start = max(window->bus_addr + window->used, (u64)LOWEST_ADDR);
	u64 addr = ALIGN_UP(start, c->align), offset = addr - window->bus_addr;

	if (addr < start || offset >= window->size || window->size - offset < c->size ||
	    addr + c->size > c->end)
		return false;
	window->used = offset + c->size;
	c->addr = addr;
	c->window = window;
	return true;
}

/* May C live in a window of another kind? A host's windows do not really prefetch. */
static bool second_best(const struct pci_bus *bus, const struct pci_claim *c, enum pci_space space)
{
	return c->space == PCI_SPACE_PREF ? space == PCI_SPACE_MEM :
	       c->space == PCI_SPACE_MEM && space == PCI_SPACE_PREF && !bus->bridge;
}

static void place_one(struct pci_bus *bus, struct pci_claim *c, bool second)
{
	unsigned int n;
	struct pci_window *window = windows(bus, &n);

	for (; n && !c->window; n--, window++)
		if (second ? second_best(bus, c, window->space) : window->space == c->space)
			take(window, c);
}

/* Only what found no place of its own may go to another one's. Returns how many of memory found
 * none at all. */
static unsigned int place(struct pci_bus *bus, struct pci_claims *claims)
{
	unsigned int n, homeless = 0;
	struct pci_window *window = windows(bus, &n);

	while (n--)
		window[n].used = 0;
	for (int pass = 0; pass < 2; pass++)
		for (unsigned int i = 0; i < claims->n; i++)
			place_one(bus, &claims->list[i], pass);
	for (unsigned int i = 0; i < claims->n; i++)
		homeless += !claims->list[i].window && claims->list[i].space != PCI_SPACE_IO;
	return homeless;
}

/* ---- Into the registers --------------------------------------------------------------------- */

static const char *owner(const struct pci_bus *bus)
{
	return bus->bridge ? bus->bridge->name : bus->host->node->fwnode.name;
}

/* Nobody wants to read what follows from a window that was refused. */
static void refuse(const struct pci_bus *bus, const struct pci_claim *c)
{
	static const char *const names[] = { "I/O", "memory", "prefetchable memory" };
	bool said = bus->bridge && (bus->window[c->space].refused ||
				    (c->space == PCI_SPACE_IO && !bus->io));
	struct device *dev = &c->dev->dev;
	unsigned long long size = c->size;

	if (c->behind) {
		c->behind->window[c->space].refused = true;
		if (!said)
			dev_err(dev, "%s has no room for its window of 0x%llx bytes of %s; what "
				"needs it behind this bridge is not used", owner(bus), size,
				names[c->space]);
	} else if (c->space == PCI_SPACE_IO) {
		if (!said)
			dev_warn(dev, "%s has no room for BAR %u, 0x%llx bytes of I/O; "
				 "it stays off", owner(bus), c->bar, size);
	} else {
		c->dev->unusable = true;
		if (!said)
			dev_err(dev, "BAR %u wants 0x%llx bytes, for which %s has no room; "
				"the device is not used", c->bar, size, owner(bus));
	}
}

static void commit_window(const struct pci_claim *c, phys_addr_t cpu_addr)
{
	c->behind->window[c->space] = (struct pci_window){
		.space = c->space, .bus_addr = c->addr, .cpu_addr = cpu_addr, .size = c->size,
	};
}

static void commit_bar(const struct pci_claim *c, phys_addr_t cpu_addr)
{
	struct pci_bar *bar = &c->dev->bar[c->bar];

	bar->addr = c->addr;
	bar->cpu_addr = cpu_addr;
	bar->assigned = true;
	pci_write_bar(c->dev, c->bar);
}

static void commit(const struct pci_bus *bus, struct pci_claims *claims)
{
	for (unsigned int i = 0; i < claims->n; i++) {
		const struct pci_claim *c = &claims->list[i];
		phys_addr_t cpu_addr = c->window ?
			c->window->cpu_addr + (c->addr - c->window->bus_addr) : 0;

		if (!c->window)
			refuse(bus, c);
		else if (c->behind)
			commit_window(c, cpu_addr);
		else
			commit_bar(c, cpu_addr);
	}
	for (struct pci_dev *dev = bus->devices; dev; dev = dev->next)
		if (dev->subordinate)
			pci_write_windows(dev->subordinate);
}

/* ---- All of it ------------------------------------------------------------------------------ */

/* Is there an address for it at all? */
static bool could_fit(const struct pci_bus *bus, struct pci_claim c)
{
	for (unsigned int i = 0; i < bus->host->nr_windows; i++) {
		struct pci_window empty = bus->host->window[i];

		empty.used = 0;
		if ((empty.space == c.space || second_best(bus, &c, empty.space)) &&
		    take(&empty, &c))
			return true;
	}
	return false;
}

/* A BAR of absurd size would make the windows of all bridges above it too large: it is left out,
 * so that what is beside it works. */
static int leave_out_hopeless(struct pci_bus *bus)
{
	struct pci_claims claims;
	int err = pci_collect_claims(bus, &claims);

	for (unsigned int i = 0; i < claims.n && !err; i++) {
		const struct pci_claim *c = &claims.list[i];

		if (c->behind || c->space == PCI_SPACE_IO || could_fit(bus, *c))
			continue;
		c->dev->unusable = c->dev->bar[c->bar].hopeless = true;
		dev_err(&c->dev->dev, "BAR %u wants 0x%llx bytes, more than %s has for it; the "
			"device is not used", c->bar, (unsigned long long)c->size,
			bus->host->node->fwnode.name);
	}
	if (!err)
		pci_drop_claims(&claims);
	return err;
}

/* Measures behind TOP and places what is on it: CLAIMS, and how many are HOMELESS. */
static int lay_out(struct pci_bus *top, bool reserve, struct pci_claims *claims,
		   unsigned int *homeless)
{
	int err = pci_measure(top, reserve);

	pci_drop_claims(claims);
	if (!err)
		err = pci_collect_claims(top, claims);
	if (!err)
		*homeless = place(top, claims);
	return err;
}

/* With the room for hot plug, unless somebody finds a place without it. */
static int choose_layout(struct pci_bus *top, struct pci_claims *claims)
{
	unsigned int with, without;
	int err = lay_out(top, true, claims, &with);

	if (err || !with)
		return err;
	err = lay_out(top, false, claims, &without);
	return err || without < with ? err : lay_out(top, true, claims, &with);
}

static int hand_out(struct pci_bus *top, struct pci_claims *claims)
{
	struct pci_bus *bus = top;
	int err = 0;

	commit(top, claims);
	while (!err && (bus = pci_next_below(top, bus))) {
		pci_drop_claims(claims);
		err = pci_collect_claims(bus, claims);
		if (!err) {
			place(bus, claims);
			commit(bus, claims);
		}
	}
	return err;
}

/* A device that lacks an address gets none at all: it would answer at all of them or nowhere. */
static void settle(struct pci_dev *dev)
{
	if (!dev->unusable || dev->subordinate) {
		pci_decode(dev);
		return;
	}
	for (unsigned int i = 0; i < PCI_NUM_BARS; i++)
		dev->bar[i].assigned = false;
}

int pci_assign_addresses(struct pci_bus *top)
{
	struct pci_claims claims = { NULL, 0 };
	struct pci_bus *bus;
	int err = 0;

	for (bus = top; bus && !err; bus = pci_next_below(top, bus))
		err = leave_out_hopeless(bus);
	if (!err)
		err = choose_layout(top, &claims);
	if (!err)
		err = hand_out(top, &claims);
	pci_drop_claims(&claims);
	if (err)
		return err;
	for_each_bus_below(bus, top)
		for (struct pci_dev *dev = bus->devices; dev; dev = dev->next)
			settle(dev);
	return 0;
}
