/*
 * Shell command: lspci, the tree of buses, their devices and what those interrupt with. As text,
 * what is behind a bridge is indented below it; as JSON, the devices are in the order of their
 * buses.
 */
#include <drivers/pci/internals.h>
#include <kernel/shell.h>

#define INDENT	3			/* columns for each bridge on the way */
#define DEEPEST	10			/* no further to the right than for so many */

static const char *bar_type(const struct pci_bar *bar)
{
	return bar->type == PCI_BAR_IO ? "io" : bar->type == PCI_BAR_MEM64 ? "mem64" : "mem32";
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void json_bars(struct json *j, const struct pci_dev *dev)
{
	json_key(j, "bars");
	json_open(j, "[");
	for (unsigned int i = 0; i < PCI_NUM_BARS; i++) {
		const struct pci_bar *bar = &dev->bar[i];

		if (!bar->size)
			continue;
		json_open(j, "{");
		json_key(j, "index"), json_uint(j, i);
		json_key(j, "type"), json_string(j, bar_type(bar));
		json_key(j, "addr");
		if (bar->assigned)
			json_stringf(j, "0x%llx", (unsigned long long)bar->addr);
		else
			json_null(j);
		json_key(j, "size"), json_uint(j, bar->size);
		json_close(j, "}");
	}
	json_close(j, "]");
}

static void json_bus_range(struct json *j, const struct pci_dev *dev)
{
	json_key(j, "bus_range");
	if (!pci_is_bridge(dev)) {
		json_null(j);
		return;
	}
	json_open(j, "[");
	json_uint(j, pci_read_config8(dev, PCI_SECONDARY_BUS));
	json_uint(j, pci_read_config8(dev, PCI_SUBORDINATE_BUS));
	json_close(j, "]");
}

static void json_errors(struct json *j, const struct pci_dev *dev)
{
	json_key(j, "errors");
	json_open(j, "{");
	for (int severity = 0; severity < PCI_NR_SEVERITIES; severity++)
		json_key(j, pci_severity_name(severity)), json_uint(j, dev->errors[severity]);
	json_close(j, "}");
}

static void json_device(struct json *j, struct pci_dev *dev)
{
	const struct irq_domain *parent = dev->dev.msi.domain;

	json_open(j, "{");
	json_key(j, "bdf"), json_string(j, dev->name);
	json_key(j, "vendor"), json_stringf(j, "%04x", dev->vendor);
	json_key(j, "device"), json_stringf(j, "%04x", dev->device);
	json_key(j, "class"), json_stringf(j, "%06x", dev->class);
	json_key(j, "driver"), json_string(j, dev->driver ? dev->driver->name : NULL);
	json_key(j, "irq_mode"), json_string(j, pci_irq_mode(dev));
	json_key(j, "msi_parent"), json_string(j, parent ? parent->name : NULL);
	json_key(j, "vectors"), json_uint(j, dev->nr_vectors);
	json_bars(j, dev);
	json_bus_range(j, dev);
	json_errors(j, dev);
	json_close(j, "}");
}

/* ---- Text ----------------------------------------------------------------------------------- */

/* Of the base class. [PCI D] */
static const char *class_name(u32 class)
{
	static const char *const names[] = {
		"unclassified", "storage", "network", "display", "multimedia", "memory", "bridge",
		"communication", "system", "input", "docking", "processor", "serial bus",
	};

	return class >> 16 < ARRAY_SIZE(names) ? names[class >> 16] : "other";
}

static void print_window(const char *name, const struct pci_window *w)
{
	if (w->size)
		shell_printf(", %s 0x%llx to 0x%llx", name, (unsigned long long)w->bus_addr,
			     (unsigned long long)(w->bus_addr + w->size - 1));
}

/* Behind COLUMN: what is behind the bridge. */
static void print_bridge(const struct pci_bus *bus, int column)
{
	if (bus->number == bus->last)
		shell_printf("%*sbus %02x", column, "", bus->number);
	else
		shell_printf("%*sbus %02x to %02x", column, "", bus->number, bus->last);
	print_window("I/O", &bus->window[PCI_SPACE_IO]);
	print_window("memory", &bus->window[PCI_SPACE_MEM]);
	print_window("prefetchable", &bus->window[PCI_SPACE_PREF]);
	shell_printf("\n");
}

static void print_bars(const struct pci_dev *dev, int column)
{
	for (unsigned int i = 0; i < PCI_NUM_BARS; i++) {
		const struct pci_bar *bar = &dev->bar[i];

		if (!bar->size)
			continue;
		shell_printf("%*sBAR %u: %-5s ", column, "", i, bar_type(bar));
		if (bar->assigned)
			shell_printf("0x%llx, ", (unsigned long long)bar->addr);
		else
			shell_printf("no address, ");
		shell_printf("%llu bytes\n", (unsigned long long)bar->size);
	}
}

static int depth(const struct pci_dev *dev)
{
	int n = 0;

	while ((dev = dev->bus->bridge))
		n++;
	return min(n, DEEPEST);
}

static void print_device(const struct pci_dev *dev)
{
	int indent = INDENT * depth(dev), column = indent + 9;

	shell_printf("%*s%s  %04x:%04x  %06x %s: ", indent, "", dev->name, dev->vendor,
		     dev->device, dev->class, class_name(dev->class));
	if (dev->driver)
		shell_printf("%s, ", dev->driver->name);
	else
		shell_printf("no driver%s, ", dev->unusable ? " (no room for a BAR)" : "");
	if (dev->nr_vectors)
		shell_printf("%s: %u vector%s to %s\n", pci_irq_mode(dev), dev->nr_vectors,
			     dev->nr_vectors == 1 ? "" : "s",
			     dev->intx_enabled ? "a wire" : dev->dev.msi.domain->name);
	else
		shell_printf("no interrupts in use\n");
	if (dev->subordinate)
		print_bridge(dev->subordinate, column);
	print_bars(dev, column);
}

/* What comes after DEV in the tree: behind it, beside it, or beside a bridge on the way up. */
static const struct pci_dev *next_in_tree(const struct pci_dev *dev)
{
	if (dev->subordinate && dev->subordinate->devices)
		return dev->subordinate->devices;
	while (dev && !dev->next)
		dev = dev->bus->bridge;
	return dev ? dev->next : NULL;
}

static void print_tree(void)
{
	const struct pci_host *host;

	list_for_each_entry(host, &pci_hosts, link)
		for (const struct pci_dev *dev = host->root->devices; dev; dev = next_in_tree(dev))
			print_device(dev);
	if (!pci_next_dev(NULL))
		shell_printf("no PCI devices\n");
}

static void json_devices(struct json *j)
{
	struct pci_dev *dev;

	json_open(j, "[");
	for_each_pci_dev(dev)
		json_device(j, dev);
	json_close(j, "]");
}

static int run_lspci(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return shell_usage("lspci");
	if (shell_wants_json())
		json_devices(shell_json());
	else
		print_tree();
	return 0;
}

static const struct shell_command lspci_command = {
	.name = "lspci",
	.usage = "lspci [--json]",
	.help = "PCI devices as a tree, their drivers, addresses and interrupts",
	.run = run_lspci,
	.holds_devices = true,
};
SHELL_COMMAND(lspci_command);
