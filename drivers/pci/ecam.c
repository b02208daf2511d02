/*
 * A PCI host that needs no driver of its own kind: configuration space is memory (ECAM), and fixed
 * windows of CPU addresses become bus cycles.
 *
 *	configuration: ecam base + (bus << 20 | device << 15 | function << 12 | register)
 *	memory, I/O:   CPU address in a row of "ranges"  -->  bus address of that row
 *	DMA, MSI:      bus address in a row of "dma-ranges"  -->  CPU address (same if absent)
 *
 * Only the megabyte of a bus that exists is mapped. Manuals: [PCIE 7.2.2], [DT, PCI bus binding].
 */
#include <drivers/pci/internals.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

/* The space code in the first cell of a PCI address. */
#define RANGE_SPACE(flags)	((flags) >> 24 & 3)
enum { SPACE_CONFIG, SPACE_IO, SPACE_MEM32, SPACE_MEM64 };

#define FOUR_GIB	(1ULL << 32)
#define BUS_SHIFT	20
#define DEVFN_SHIFT	12
#define CONFIG_SIZE	4096

/* ---- Configuration accesses ----------------------------------------------------------------- */

static void *config_addr(const struct pci_bus *bus, unsigned int devfn, unsigned int where)
{
	return (char *)bus->config + (devfn << DEVFN_SHIFT) + where % CONFIG_SIZE;
}

u32 pci_bus_read_config32(const struct pci_bus *bus, unsigned int devfn, unsigned int where)
{
	return readl(config_addr(bus, devfn, where));
}

u8 pci_read_config8(const struct pci_dev *dev, unsigned int where)
{
	return readb(config_addr(dev->bus, dev->devfn, where));
}

u16 pci_read_config16(const struct pci_dev *dev, unsigned int where)
{
	return readw(config_addr(dev->bus, dev->devfn, where));
}

u32 pci_read_config32(const struct pci_dev *dev, unsigned int where)
{
	return readl(config_addr(dev->bus, dev->devfn, where));
}

void pci_write_config8(const struct pci_dev *dev, unsigned int where, u8 value)
{
	writeb(value, config_addr(dev->bus, dev->devfn, where));
}

void pci_write_config16(const struct pci_dev *dev, unsigned int where, u16 value)
{
	writew(value, config_addr(dev->bus, dev->devfn, where));
}

void pci_write_config32(const struct pci_dev *dev, unsigned int where, u32 value)
{
	writel(value, config_addr(dev->bus, dev->devfn, where));
}

int pci_map_config(struct pci_bus *bus)
{
	const struct pci_host *host = bus->host;
	u64 offset = (u64)(bus->number - host->first_bus) << BUS_SHIFT;

	bus->config = ioremap(host->ecam.start + offset, 1UL << BUS_SHIFT);
	return bus->config ? 0 : -ENOMEM;
}

/* ---- The host, from its node ---------------------------------------------------------------- */

static int read_windows(struct pci_host *host)
{
	const char *path = host->node->fwnode.name;
	struct of_range range;
	int err;

	for (unsigned int i = 0; !(err = of_range_at(host->node, "ranges", i, &range)); i++) {
		unsigned int space = RANGE_SPACE(range.flags);

		if (space == SPACE_CONFIG || !range.size)
			continue;
		if (host->nr_windows == PCI_MAX_WINDOWS) {
			pr_warn("pci: %s: more than %d ranges, the rest is not used", path,
				PCI_MAX_WINDOWS);
			break;
		}
		host->window[host->nr_windows++] = (struct pci_window){
			.space = space == SPACE_IO ? PCI_SPACE_IO :
				 range.bus_addr >= FOUR_GIB ? PCI_SPACE_PREF : PCI_SPACE_MEM,
			.bus_addr = range.bus_addr,
			.cpu_addr = range.cpu_addr,
			.size = range.size,
		};
	}
	return err == -ENOENT ? 0 : err;
}

/* Where RAM appears on the bus. */
static int read_dma_offset(struct pci_host *host)
{
	struct of_range range;
	int err = of_range_at(host->node, "dma-ranges", 0, &range);

	if (err)
		return err == -ENOENT ? 0 : err;
	host->dma_offset = range.bus_addr - range.cpu_addr;
	return 0;
}

static int read_host(struct pci_host *host)
{
	struct device_node *np = host->node;
	u32 first = 0, last = 0xff;
	u64 buses;

	if (of_property_present(np, "dma-noncoherent")) {
		pr_err("pci: %s: its DMA is not coherent with the caches, which Cascade needs",
		       np->fwnode.name);
		return -EOPNOTSUPP;
	}
	if (of_address_to_resource(np, 0, &host->ecam) || !host->ecam.size >> BUS_SHIFT) {
		pr_err("pci: %s: no configuration space in its reg", np->fwnode.name);
		return -EINVAL;
	}
	of_property_read_u32_index(np, "bus-range", 0, &first);
	of_property_read_u32_index(np, "bus-range", 1, &last);
	buses = host->ecam.size >> BUS_SHIFT;
	if (first > last || last > 0xff || !buses) {
		pr_err("pci: %s: bus-range %u to %u in %llu bytes of configuration space",
		       np->fwnode.name, first, last, (unsigned long long)host->ecam.size);
		return -EINVAL;
	}
	host->first_bus = first;
	host->last_bus = min((u64)last, first + buses - 1);
	return read_windows(host) ? -EINVAL : read_dma_offset(host);
}

static int ecam_probe(struct platform_device *pdev)
{
	struct pci_host *host = kzalloc(sizeof(*host));
	int err;

	if (!host)
		return -ENOMEM;
	host->node = pdev->node;
	err = read_host(host);
	if (!err)
		err = pci_host_probe(host);
	if (err) {
		kfree(host);
		return err;
	}
	pdev->dev.driver_data = host;
	return 0;
}

static void ecam_remove(struct platform_device *pdev)
{
	pci_host_remove(pdev->dev.driver_data);
	kfree(pdev->dev.driver_data);
}

static const char *const ecam_compatible[] = { "pci-host-ecam-generic", NULL };

static const struct of_driver ecam_driver = {
	.name = "pci-host-ecam",
	.compatible = ecam_compatible,
	.stage = PROBE_NORMAL,
	.probe = ecam_probe,
	.remove = ecam_remove,
};
OF_DRIVER(ecam_driver);
