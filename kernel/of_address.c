/*
 * Addresses of the device tree: a node's "reg" is in the numbering of its parent bus, and each bus
 * on the way up says in "ranges" how that maps to the numbering of its own parent.
 *
 *	/ (CPU addresses)  <--ranges--  /soc  <--ranges--  /soc/pci  <-- reg of a device
 *
 * An empty "ranges" maps one to one; a bus without it cannot be reached by the CPU. Addresses of
 * three cells are PCI's, whose first cell says what kind of address follows. [DT 2.3.6 … 2.3.9]
 */
#include <kernel/io.h>
#include <kernel/of.h>
#include <kernel/printk.h>

#define PCI_ADDR_CELLS	3

/* Row INDEX of PROPERTY, whose parent address stays as it is. -EINVAL is not said yet. */
static int raw_range(const struct device_node *bus, const char *property, unsigned int index,
		     struct of_range *out)
{
	int len, na = of_n_addr_cells(bus), ns = of_n_size_cells(bus);
	int pna = bus->parent ? of_n_addr_cells(bus->parent) : na;
	const u8 *cell = of_get_property(bus, property, &len);
	int row;

	if (!cell || !len)
		return -ENOENT;
	if (na < 1 || na > PCI_ADDR_CELLS || pna < 1 || pna > 2 || ns < 1 || ns > 2)
		return -EINVAL;
	row = 4 * (na + pna + ns);
	if (len % row)
		return -EINVAL;
	if (index >= (unsigned int)(len / row))
		return -ENOENT;
	cell += row * index;
	out->flags = na == PCI_ADDR_CELLS ? of_read_number(cell, 1) : 0;
	if (na == PCI_ADDR_CELLS)
		out->bus_addr = of_read_number(cell + 4, 2);
	else
		out->bus_addr = of_read_number(cell, na);
	out->cpu_addr = of_read_number(cell + 4 * na, pna);
	out->size = of_read_number(cell + 4 * (na + pna), ns);
	if (out->bus_addr + out->size < out->bus_addr || out->cpu_addr + out->size < out->cpu_addr)
		return -EINVAL;
	return 0;
}

static int report_range(const struct device_node *bus, const char *property)
{
	pr_err("device tree: %s: malformed %s", bus->fwnode.name, property);
	return -EINVAL;
}

/* One step: ADDR on BUS to an address on BUS's parent. */
static int translate_step(const struct device_node *bus, u64 *addr)
{
	struct of_range range;
	int len, err;

	if (!of_get_property(bus, "ranges", &len))
		return -EINVAL;
	if (!len)
		return 0;
	for (unsigned int i = 0; !(err = raw_range(bus, "ranges", i, &range)); i++) {
		if (*addr >= range.bus_addr && *addr - range.bus_addr < range.size) {
			*addr += range.cpu_addr - range.bus_addr;
			return 0;
		}
	}
	return err == -ENOENT ? -EINVAL : report_range(bus, "ranges");
}

int of_translate_address(const struct device_node *bus, u64 *addr)
{
	for (; bus && bus->parent; bus = bus->parent)
		if (translate_step(bus, addr))
			return -EINVAL;
	return 0;
}

int of_range_at(const struct device_node *bus, const char *property, unsigned int index,
		struct of_range *out)
{
	int err = raw_range(bus, property, index, out);

	if (err == -EINVAL)
		return report_range(bus, property);
	if (!err && of_translate_address(bus->parent, &out->cpu_addr))
		return report_range(bus, property);
	return err;
}

int of_address_to_resource(const struct device_node *np, unsigned int index, struct resource *res)
{
	int len, na, ns;
	const u8 *cell = of_get_property(np, "reg", &len);

	if (!cell || !np->parent)
		return -EINVAL;
	na = of_n_addr_cells(np->parent);
	ns = of_n_size_cells(np->parent);
	if (na < 1 || na > 2 || ns < 1 || ns > 2 || len % (4 * (na + ns))) {
		pr_err("device tree: %s: reg of %d bytes does not fit %d address and %d size cells",
		       np->fwnode.name, len, na, ns);
		return -EINVAL;
	}
	if (index >= (unsigned int)(len / (4 * (na + ns))))
		return -EINVAL;
	cell += 4 * (na + ns) * index;
	res->start = of_read_number(cell, na);
	res->size = of_read_number(cell + 4 * na, ns);
	return of_translate_address(np->parent, &res->start);
}

void *of_iomap(const struct device_node *np, unsigned int index)
{
	struct resource res;

	if (of_address_to_resource(np, index, &res) || !res.size) {
		pr_err("device tree: %s: region %u of its reg is missing or leads nowhere",
		       np->fwnode.name, index);
		return NULL;
	}
	return ioremap(res.start, res.size);
}
