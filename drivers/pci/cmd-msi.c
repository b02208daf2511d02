/*
 * Shell command: msi, the rows of a device's MSI-X table or its MSI message, read back from the
 * device.
 */
#include <drivers/pci/internals.h>
#include <kernel/io.h>
#include <kernel/shell.h>

struct msi_row {
	struct msi_msg msg;
	bool masked, pending;
	unsigned int irq;
};

/* The pending bits are 64 to a quadword, in a BAR of their own choice. [PCI 6.8.2.10] */
static bool msix_pending(struct pci_dev *dev, unsigned int i)
{
	u32 pba = pci_read_config32(dev, dev->msix_cap + PCI_MSIX_PBA);
	const struct pci_bar *bar = &dev->bar[min(pba & PCI_MSIX_BIR, PCI_NUM_BARS - 1U)];
	u32 offset = (pba & ~(u32)PCI_MSIX_BIR) + i / 32 * 4;
	char *words;

	if (!bar->assigned || offset + 4 > bar->size)
		return false;
	words = ioremap(bar->cpu_addr, bar->size);
	return words && readl(words + offset) >> i % 32 & 1;
}

static void read_msix_row(struct pci_dev *dev, unsigned int i, struct msi_row *row)
{
	row->masked = readl(pci_msix_row(dev, i) + PCI_MSIX_ENTRY_VECTOR_CTRL) &
		      PCI_MSIX_ENTRY_CTRL_MASKBIT;
	row->pending = msix_pending(dev, i);
	row->irq = msi_get_virq(&dev->dev, i);
}

static void read_msi_row(struct pci_dev *dev, unsigned int i, struct msi_row *row)
{
	u16 flags = pci_read_config16(dev, dev->msi_cap + PCI_MSI_FLAGS);
	unsigned int mask = pci_msi_data_reg(dev, flags & PCI_MSI_FLAGS_64BIT) + 4;

	row->msg.data += i;
	if (flags & PCI_MSI_FLAGS_MASKBIT) {
		row->masked = pci_read_config32(dev, mask) >> i & 1;
		row->pending = pci_read_config32(dev, mask + 4) >> i & 1;
	}
	row->irq = dev->irq + i;
}

static void show_row(unsigned int i, const struct msi_row *row)
{
	unsigned long long address = msi_msg_address(&row->msg);
	u32 data = row->msg.data;
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		if (row->irq)
			shell_printf("  row %u: write %u to 0x%llx%s%s  -> irq %u\n", i, data,
				     address, row->masked ? ", masked" : "",
				     row->pending ? ", pending" : "", row->irq);
		return;
	}
	json_open(j, "{");
	json_key(j, "index"), json_uint(j, i);
	json_key(j, "address"), json_stringf(j, "0x%llx", address);
	json_key(j, "data"), json_uint(j, data);
	json_key(j, "masked"), json_bool(j, row->masked);
	json_key(j, "pending"), json_bool(j, row->pending);
	json_key(j, "irq"), json_uint(j, row->irq);
	json_close(j, "}");
}

static void show_rows(struct pci_dev *dev)
{
	unsigned int n = dev->msi_enabled ? dev->nr_vectors : 0;

	if (dev->msix_enabled)
		n = pci_msix_vec_count(dev);
	for (unsigned int i = 0; i < n; i++) {
		struct msi_row row = { 0 };

		pci_read_msi_msg(dev, i, &row.msg);
		if (dev->msix_enabled)
			read_msix_row(dev, i, &row);
		else
			read_msi_row(dev, i, &row);
		show_row(i, &row);
	}
}

static void show_msi(struct pci_dev *dev, bool enabled, bool function_mask)
{
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("%s: %s, %s%s\n", dev->name, pci_irq_mode(dev),
			     enabled ? "enabled" : "not enabled",
			     function_mask ? ", function masked" : "");
		show_rows(dev);
		return;
	}
	json_open(j, "{");
	json_key(j, "bdf"), json_string(j, dev->name);
	json_key(j, "mode"), json_string(j, pci_irq_mode(dev));
	json_key(j, "enabled"), json_bool(j, enabled);
	json_key(j, "function_mask"), json_bool(j, function_mask);
	json_key(j, "rows"), json_open(j, "[");
	show_rows(dev);
	json_close(j, "]");
	json_close(j, "}");
}

static int run_msi(int argc, char **argv)
{
	struct pci_dev *dev = argc == 2 ? pci_find_dev(argv[1]) : NULL;
	u16 flags;

	if (argc != 2)
		return shell_usage("msi");
	if (!dev)
		return shell_error(-ENODEV, "there is no PCI device '%s'; 'lspci' lists them",
				   argv[1]);
	if (dev->msix_cap && !dev->msi_enabled) {
		flags = pci_read_config16(dev, dev->msix_cap + PCI_MSIX_FLAGS);
		show_msi(dev, flags & PCI_MSIX_FLAGS_ENABLE, flags & PCI_MSIX_FLAGS_MASKALL);
	} else if (dev->msi_cap) {
		flags = pci_read_config16(dev, dev->msi_cap + PCI_MSI_FLAGS);
		show_msi(dev, flags & PCI_MSI_FLAGS_ENABLE, false);
	} else {
		show_msi(dev, false, false);
	}
	return 0;
}

static const struct shell_command msi_command = {
	.name = "msi",
	.usage = "msi BDF [--json]",
	.help = "the interrupt messages of a PCI device, read back from it",
	.run = run_msi,
	.holds_devices = true,
};
SHELL_COMMAND(msi_command);
