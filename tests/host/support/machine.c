/* Parts of machines: see machine.h. */
#include <stdio.h>
#include "support/machine.h"

void machine_begin(struct tree *t)
{
	tree_begin(t);
	tree_cells(t, "#address-cells", 1, 2);
	tree_cells(t, "#size-cells", 1, 2);
}

void machine_memory(struct tree *t)
{
	tree_node(t, "memory@80000000");
	tree_string(t, "device_type", "memory");
	tree_cells(t, "reg", 4, 0, MACHINE_MEMORY, 0, 0x20000000);
	tree_end(t);
}

void machine_chosen(struct tree *t, const char *name, const char *value)
{
	tree_node(t, "chosen");
	tree_string(t, name, value);
	tree_end(t);
}

void machine_cpu(struct tree *t, unsigned int cells, u64 hwid)
{
	u32 reg[] = { hwid >> 32, hwid };
	char name[32];

	snprintf(name, sizeof(name), "cpu@%llx", (unsigned long long)hwid);
	tree_node(t, name);
	tree_string(t, "device_type", "cpu");
	tree_cell_array(t, "reg", reg + 2 - cells, cells);
}

void machine_cpus(struct tree *t, unsigned int cells, const u64 *hwid, unsigned int n)
{
	tree_node(t, "cpus");
	tree_cells(t, "#address-cells", 1, cells);
	tree_cells(t, "#size-cells", 1, 0);
	for (unsigned int i = 0; i < n; i++) {
		machine_cpu(t, cells, hwid[i]);
		tree_end(t);
	}
	tree_end(t);
}

void machine_pci(struct tree *t)
{
	tree_node(t, "pci@30000000");
	tree_string(t, "compatible", "pci-host-ecam-generic");
	tree_string(t, "device_type", "pci");
	tree_cells(t, "#address-cells", 1, 3);
	tree_cells(t, "#size-cells", 1, 2);
	tree_cells(t, "reg", 4, 0, 0x30000000, 0, 0x10000000);
	tree_cells(t, "bus-range", 2, 0, 0xff);
	tree_empty(t, "dma-coherent");
	tree_cells(t, "ranges", 21,
		   0x1000000, 0, 0, 0, 0x3000000, 0, 0x10000,
		   0x2000000, 0, 0x40000000, 0, 0x40000000, 0, 0x40000000,
		   0x3000000, 4, 0, 4, 0, 4, 0);
}
