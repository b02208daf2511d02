/* The riscv64 machine of the tests: see board.h. */
#include <kernel/cpu.h>
#include <kernel/irqdomain.h>
#include <kernel/of.h>
#include "model.h"
#include "models/aplic-direct.h"
#include "models/imsic.h"
#include "models/plic.h"
#include "support/board.h"
#include "support/machine.h"

const u64 board_harts[BOARD_HARTS] = { 4, 1, 7, 2 };
const u64 board_files[BOARD_HARTS] = { 1, 2, 4, 7 };

enum { PH_INTC = 0x10 /* + hart */, PH_IMSIC = 0x20, PH_APLIC, PH_M_IMSIC, PH_PLIC };

static struct tree tree;

static void interrupts_extended(struct tree *t, u32 cause)
{
	u32 cells[2 * BOARD_HARTS];

	for (unsigned int i = 0; i < BOARD_HARTS; i++) {
		cells[2 * i] = PH_INTC + board_files[i];
		cells[2 * i + 1] = cause;
	}
	tree_cell_array(t, "interrupts-extended", cells, 2 * BOARD_HARTS);
}

static void add_cpus(struct tree *t)
{
	tree_node(t, "cpus");
	tree_cells(t, "#address-cells", 1, 1);
	tree_cells(t, "#size-cells", 1, 0);
	tree_cells(t, "timebase-frequency", 1, 10000000);
	for (unsigned int i = 0; i < BOARD_HARTS; i++) {
		machine_cpu(t, 1, board_harts[i]);
		tree_string(t, "status", "okay");
		tree_string(t, "compatible", "riscv");
		tree_string(t, "riscv,isa", "rv64imac_zicsr_smaia_ssaia_sstc");
		tree_node(t, "interrupt-controller");
		tree_cells(t, "#interrupt-cells", 1, 1);
		tree_empty(t, "interrupt-controller");
		tree_string(t, "compatible", "riscv,cpu-intc");
		tree_cells(t, "phandle", 1, PH_INTC + (u32)board_harts[i]);
		tree_end(t);
		tree_end(t);
	}
	tree_end(t);
}

/* Left open: to whom it delivers is still to be said. */
static void add_aplic(struct tree *t)
{
	tree_node(t, "interrupt-controller@d000000");
	tree_string(t, "compatible", "riscv,aplic");
	tree_cells(t, "reg", 4, 0, APLIC_BASE, 0, 0x8000);
	tree_cells(t, "#interrupt-cells", 1, 2);
	tree_empty(t, "interrupt-controller");
	tree_cells(t, "riscv,num-sources", 1, APLIC_SOURCES);
	tree_cells(t, "phandle", 1, PH_APLIC);
}

/* The APLIC before its IMSIC, and a machine-level IMSIC that firmware has taken. */
static void add_controllers(struct tree *t)
{
	add_aplic(t);
	tree_cells(t, "msi-parent", 1, PH_IMSIC);
	tree_end(t);

	tree_node(t, "interrupt-controller@24000000");
	tree_string(t, "compatible", "riscv,imsics");
	tree_string(t, "status", "disabled");
	tree_cells(t, "reg", 4, 0, 0x24000000, 0, BOARD_HARTS << 12);
	tree_cells(t, "phandle", 1, PH_M_IMSIC);
	interrupts_extended(t, 11);
	tree_end(t);

	tree_node(t, "interrupt-controller@28000000");
	tree_string(t, "compatible", "riscv,imsics");
	tree_cells(t, "reg", 4, 0, IMSIC_BASE, 0, BOARD_HARTS << 12);
	tree_cells(t, "#interrupt-cells", 1, 0);
	tree_empty(t, "interrupt-controller");
	tree_empty(t, "msi-controller");
	tree_cells(t, "riscv,num-ids", 1, IMSIC_IDS);
	tree_cells(t, "phandle", 1, PH_IMSIC);
	interrupts_extended(t, 9);
	tree_end(t);
}

/* Firmware has made the M-mode contexts unusable. */
static void add_plic(struct tree *t, u32 cells)
{
	u32 outputs[2 * BOARD_CONTEXTS], *o = outputs;

	for (unsigned int i = 0; i < BOARD_HARTS; i++) {
		*o++ = PH_INTC + board_files[i];
		*o++ = ~0U;
		*o++ = PH_INTC + board_files[i];
		*o++ = 9;
	}
	tree_node(t, "plic@c000000");
	tree_strings(t, "compatible", "sifive,plic-1.0.0\0riscv,plic0", 29);
	tree_cells(t, "reg", 4, 0, PLIC_BASE, 0, PLIC_SIZE);
	tree_cells(t, "#interrupt-cells", 1, cells);
	tree_empty(t, "interrupt-controller");
	tree_cells(t, "riscv,ndev", 1, PLIC_SOURCES);
	tree_cells(t, "phandle", 1, PH_PLIC);
	tree_cell_array(t, "interrupts-extended", outputs, 2 * BOARD_CONTEXTS);
	tree_end(t);
}

static void add_direct_aplic(struct tree *t)
{
	add_aplic(t);
	interrupts_extended(t, 9);
	tree_end(t);
}

/* Slots' pins rotate over sources 32 to 35, under a mask of two device bits and the pin. */
static void add_pci(struct tree *t)
{
	u32 map[16 * 7], *m = map;

	for (u32 dev = 0; dev < 4; dev++)
		for (u32 pin = 1; pin <= 4; pin++) {
			u32 entry[7] = { dev << 11, 0, 0, pin, PH_APLIC, 32 + (dev + pin - 1) % 4,
					 4 };

			for (unsigned int i = 0; i < 7; i++)
				*m++ = entry[i];
		}
	machine_pci(t);
	tree_cells(t, "#interrupt-cells", 1, 1);
	tree_cells(t, "msi-parent", 1, PH_IMSIC);
	tree_cells(t, "interrupt-map-mask", 4, 0x1800, 0, 0, 7);
	tree_cell_array(t, "interrupt-map", map, 16 * 7);
	tree_end(t);
}

static void add_serial(struct tree *t)
{
	tree_node(t, "serial@10000000");
	tree_string(t, "compatible", "ns16550a");
	tree_cells(t, "reg", 4, 0, 0x10000000, 0, 0x100);
	tree_cells(t, "clock-frequency", 1, 3686400);
	tree_cells(t, "interrupts", 2, 10, 4);
	tree_cells(t, "interrupt-parent", 1, PH_APLIC);
	tree_end(t);
}

const void *board_tree(unsigned int parts, size_t *size)
{
	struct tree *t = &tree;

	machine_begin(t);
	tree_string(t, "compatible", "riscv-virtio");
	if (parts & BOARD_SERIAL)
		machine_chosen(t, "stdout-path", "/soc/serial@10000000");
	machine_memory(t);
	add_cpus(t);
	tree_node(t, "soc");
	tree_cells(t, "#address-cells", 1, 2);
	tree_cells(t, "#size-cells", 1, 2);
	tree_string(t, "compatible", "simple-bus");
	tree_empty(t, "ranges");
	if (parts & BOARD_SERIAL)
		add_serial(t);
	if (parts & BOARD_ANY_PLIC)
		add_plic(t, parts & BOARD_PLIC_2 ? 2 : 1);
	else if (parts & BOARD_ANY_APLIC)
		add_direct_aplic(t);
	else
		add_controllers(t);
	if (parts & BOARD_PCI)
		add_pci(t);
	tree_end(t);
	return tree_finish(t, size);
}

unsigned int board_file(unsigned int cpu)
{
	unsigned int i = 0;

	while (board_files[i] != cpus[cpu].hwid)
		i++;
	return i;
}

unsigned int board_context(unsigned int cpu)
{
	return 2 * board_file(cpu) + 1;
}

static void (*more_models)(void);
static unsigned int parts_now;

static void models(void)
{
	u64 contexts[BOARD_CONTEXTS];

	for (unsigned int i = 0; i < BOARD_CONTEXTS; i++)
		contexts[i] = i % 2 ? board_files[i / 2] : ~0ULL;
	if (parts_now & BOARD_ANY_PLIC) {
		plic_model(parts_now & BOARD_PLIC_QEMU ? PLIC_LIKE_QEMU : PLIC_BY_THE_BOOK,
			   BOARD_CONTEXTS, contexts);
	} else if (parts_now & BOARD_ANY_APLIC) {
		aplic_direct_model(parts_now & BOARD_APLIC_QEMU, BOARD_HARTS, board_files);
	} else {
		imsic_model(BOARD_HARTS, board_files);
		aplic_model();
	}
	if (more_models)
		more_models();
}

void board_boot(unsigned int parts, void (*more)(void))
{
	parts_now = parts;
	more_models = more;
	host_boot(board_tree(parts, NULL), BOARD_BOOT_HART, models);
}

unsigned int board_map(u32 source, u32 type)
{
	const char *chip = parts_now & BOARD_ANY_PLIC ? "riscv,plic0" : "riscv,aplic";
	struct irq_fwspec spec = {
		.fwnode = &of_find_compatible_node(NULL, chip)->fwnode, .param = { source, type },
		.param_count = parts_now & (BOARD_PLIC | BOARD_PLIC_QEMU) ? 1 : 2,
	};

	return irq_create_fwspec_mapping(&spec);
}
