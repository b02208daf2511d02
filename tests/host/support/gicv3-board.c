/* The aarch64 machine of the tests: see gicv3-board.h. */
#include "models/pci.h"
#include "support/gicv3-board.h"
#include "support/machine.h"

enum { PH_GIC = 1, PH_ITS };

#define BOOT_HWID	0x103

static const u64 hwids[GICV3_CPUS] = { 0x100000002, 0x000, BOOT_HWID, 0x001 };
static const u64 frames[] = { 0x001, 0x100000002, 0x005, 0x000, BOOT_HWID };

static struct gicv3_board now;
static struct tree tree;

static void add_gic(struct tree *t)
{
	tree_node(t, "intc@8000000");
	tree_string(t, "compatible", "arm,gic-v3");
	tree_cells(t, "reg", 8, 0, GICV3_DIST, 0, 0x10000, 0, GICV3_REDIST, 0, 0x100000);
	tree_cells(t, "#redistributor-regions", 1, 1);
	tree_cells(t, "#interrupt-cells", 1, now.cells ?: 3);
	tree_cells(t, "#address-cells", 1, 2);
	tree_cells(t, "#size-cells", 1, 2);
	tree_empty(t, "ranges");
	tree_empty(t, "interrupt-controller");
	tree_cells(t, "phandle", 1, PH_GIC);
	if (!now.no_its) {
		tree_node(t, "its@8080000");
		tree_string(t, "compatible", "arm,gic-v3-its");
		tree_empty(t, "msi-controller");
		tree_cells(t, "#msi-cells", 1, 1);
		tree_cells(t, "reg", 4, 0, GICV3_ITS, 0, 0x20000);
		tree_cells(t, "phandle", 1, PH_ITS);
		tree_end(t);
	}
	tree_end(t);
}

static void add_pci(struct tree *t)
{
	machine_pci(t);
	tree_cells(t, "msi-map-mask", 1, GICV3_PCI_MASK);
	if (!now.no_its)
		tree_cells(t, "msi-map", 4, 0, PH_ITS, GICV3_PCI_OFFSET, 0x8000);
	tree_end(t);
}

static const void *make_tree(void)
{
	struct tree *t = &tree;

	machine_begin(t);
	tree_cells(t, "interrupt-parent", 1, PH_GIC);
	machine_chosen(t, "bootargs", now.arguments ?: "");
	machine_memory(t);
	machine_cpus(t, 2, hwids, GICV3_CPUS);
	add_gic(t);
	if (now.pci)
		add_pci(t);
	return tree_finish(t, NULL);
}

static void models(void)
{
	struct gicv3_setup setup = now.gic;

	if (!setup.nr) {
		setup.nr = ARRAY_SIZE(frames);
		setup.hwid = frames;
	}
	setup.requester_offset = GICV3_PCI_OFFSET;
	setup.requester_mask = GICV3_PCI_MASK;
	gicv3_model(&setup);
	if (now.pci)
		pci_model();
	if (now.more)
		now.more();
}

void gicv3_boot(const struct gicv3_board *board)
{
	now = *board;
	host_boot(make_tree(), BOOT_HWID, models);
}
