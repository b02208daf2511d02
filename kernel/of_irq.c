/*
 * Interrupts of the device tree: from a device's property to the controller that takes the line,
 * and to the irq number.
 *
 *	pci { interrupt-map }  --(unit address, pin) looked up-->  aplic  (specifier: source, type)
 *	serial { interrupts = <10 4>; interrupt-parent = <&aplic> }  -->  aplic
 *
 * A node with an interrupt-map is not the end: it turns (unit address, specifier) into another
 * node's specifier, under a mask, and the walk goes on there until a controller without a map.
 * of_irq_init() orders the controllers by the same links. Manual: [DT 2.4].
 */
#include <kernel/driver.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <string.h>

#define MAX_STEPS	32	/* a longer walk goes in a circle */
#define MAX_CELLS	16	/* of a unit address and a specifier in a map */

static bool interrupt_cells(const struct device_node *np, u32 *cells)
{
	return !of_property_read_u32(np, "#interrupt-cells", cells) && *cells <= MAX_CELLS;
}

struct device_node *of_irq_find_parent(struct device_node *np)
{
	for (int step = 0; np && step < MAX_STEPS; step++) {
		if (of_property_present(np, "interrupt-parent"))
			np = of_parse_phandle(np, "interrupt-parent", 0);
		else
			np = np->parent;
		if (np && of_property_present(np, "#interrupt-cells"))
			return np;
	}
	return NULL;
}

/* ---- interrupt-map -------------------------------------------------------------------------- */

struct map_row {
	struct device_node *target;
	const u8 *child;		/* unit address and specifier to compare with */
	const u8 *unit;			/* the target's unit address */
	const u8 *spec;			/* the target's specifier */
	u32 spec_cells;
};

static int map_error(const struct device_node *np, const char *what)
{
	pr_err("device tree: %s: interrupt-map: %s", np->fwnode.name, what);
	return -EINVAL;
}

/* Reads the row at *CELL, of *LEFT cells that remain, and steps over it. */
static int next_row(const struct device_node *np, const u8 **cell, u32 *left, u32 child_cells,
		    struct map_row *row)
{
	u32 unit_cells = 0, size;

	if (*left < child_cells + 1)
		return map_error(np, "ends within a row");
	row->child = *cell;
	row->target = of_find_node_by_phandle(of_read_number(*cell + 4 * child_cells, 1));
	if (!row->target)
		return map_error(np, "a row points to a phandle that no node has");
	if (!interrupt_cells(row->target, &row->spec_cells))
		return map_error(np, "a row points to a node without usable #interrupt-cells");
	of_property_read_u32(row->target, "#address-cells", &unit_cells);
	size = child_cells + 1 + unit_cells + row->spec_cells;
	if (unit_cells > 4 || *left < size)
		return map_error(np, "ends within a row");
	row->unit = *cell + 4 * (child_cells + 1);
	row->spec = row->unit + 4 * unit_cells;
	*cell += 4 * size;
	*left -= size;
	return 0;
}

/* KEY is compared with the row's child part under MASK (NULL: all ones). */
static bool row_matches(const struct map_row *row, const u32 *key, const u8 *mask, u32 cells)
{
	for (u32 i = 0; i < cells; i++) {
		u32 bits = mask ? of_read_number(mask + 4 * i, 1) : ~0U;

		if ((key[i] ^ (u32)of_read_number(row->child + 4 * i, 1)) & bits)
			return false;
	}
	return true;
}

static void row_target(const struct map_row *row, struct of_phandle_args *out)
{
	out->np = row->target;
	out->args_count = row->spec_cells;
	for (u32 i = 0; i < row->spec_cells; i++)
		out->args[i] = of_read_number(row->spec + 4 * i, 1);
}

/* Passes *OUT and *UNIT through the map of OUT->np. */
static int apply_map(struct of_phandle_args *out, const u8 **unit)
{
	struct device_node *np = out->np;
	int len, mask_len;
	const u8 *cell = of_get_property(np, "interrupt-map", &len);
	const u8 *mask = of_get_property(np, "interrupt-map-mask", &mask_len);
	u32 left = len / 4, unit_cells = of_n_addr_cells(np), cells, key[4 + MAX_CELLS];
	struct map_row row;

	if (unit_cells > 4 || len % 4)
		return map_error(np, "malformed");
	if (unit_cells && !*unit)
		return map_error(np, "looked up for a device without reg");
	cells = unit_cells + out->args_count;
	if (mask && (u32)mask_len < 4 * cells)
		return map_error(np, "interrupt-map-mask is too short");
	for (u32 i = 0; i < unit_cells; i++)
		key[i] = of_read_number(*unit + 4 * i, 1);
	memcpy(&key[unit_cells], out->args, 4 * out->args_count);
	while (left) {
		int err = next_row(np, &cell, &left, cells, &row);

		if (err)
			return err;
		if (!row.target->available || !row_matches(&row, key, mask, cells))
			continue;
		row_target(&row, out);
		*unit = row.unit;
		return 0;
	}
	return map_error(np, "no row for the interrupt of a device on this bus");
}

int of_irq_map_at(struct device_node *np, unsigned int index, struct of_phandle_args *out)
{
	int len;
	const u8 *cell = of_get_property(np, "interrupt-map", &len);
	u32 left, cells;
	struct map_row row;

	if (!cell || !interrupt_cells(np, &cells))
		return -ENXIO;
	left = len / 4;
	cells += of_n_addr_cells(np);
	for (unsigned int i = 0; i <= index; i++) {
		if (!left)
			return -ENXIO;
		if (next_row(np, &cell, &left, cells, &row))
			return -EINVAL;
	}
	row_target(&row, out);
	return 0;
}

/* ---- From a device to its controller -------------------------------------------------------- */

/* One step: 1 when OUT->np is the controller, 0 when the walk must go on. */
static int parse_step(struct of_phandle_args *out, const u8 **unit)
{
	struct device_node *np = out->np;
	u32 cells;

	if (!interrupt_cells(np, &cells) || cells != out->args_count) {
		pr_err("device tree: %s: an interrupt of %d cells, where %s wants another number",
		       np->fwnode.name, out->args_count, "#interrupt-cells");
		return -EINVAL;
	}
	if (of_property_present(np, "interrupt-map")) {
		int err = apply_map(out, unit);

		return err ? err : out->np == np;
	}
	if (of_property_present(np, "interrupt-controller"))
		return 1;
	out->np = of_irq_find_parent(np);
	if (!out->np || out->np == np) {
		pr_err("device tree: %s: interrupts lead here, but it is no controller",
		       np->fwnode.name);
		return -EINVAL;
	}
	return 0;
}

int of_irq_parse_raw(const void *addr, struct of_phandle_args *out)
{
	const u8 *unit = addr;

	for (int step = 0; step < MAX_STEPS; step++) {
		int found = parse_step(out, &unit);

		if (found)
			return found < 0 ? found : 0;
	}
	pr_err("device tree: %s: interrupts lead in a circle", out->np->fwnode.name);
	return -EINVAL;
}

/* Entry INDEX of "interrupts", relative to the interrupt parent. */
static int parse_interrupts(struct device_node *np, unsigned int index,
			    struct of_phandle_args *out)
{
	int len;
	const u8 *cell = of_get_property(np, "interrupts", &len);
	u32 cells;

	if (!cell)
		return -ENXIO;
	out->np = of_irq_find_parent(np);
	if (!out->np || !interrupt_cells(out->np, &cells) || !cells || len % (4 * cells)) {
		pr_err("device tree: %s: interrupts of %d bytes do not fit their controller %s",
		       np->fwnode.name, len, out->np ? out->np->fwnode.name : "(none)");
		return -EINVAL;
	}
	if (index >= len / (4 * cells))
		return -ENXIO;
	out->args_count = cells;
	for (u32 i = 0; i < cells; i++)
		out->args[i] = of_read_number(cell + 4 * (cells * index + i), 1);
	return 0;
}

int of_irq_parse_one(struct device_node *np, unsigned int index, struct of_phandle_args *out)
{
	u8 unit[16] = { 0 };
	int len, err;
	const void *reg = of_get_property(np, "reg", &len);

	if (of_property_present(np, "interrupts-extended"))
		err = of_parse_phandle_with_args(np, "interrupts-extended", "#interrupt-cells",
						 index, out);
	else
		err = parse_interrupts(np, index, out);
	if (err)
		return err == -ENOENT ? -ENXIO : err;
	if (reg)
		memcpy(unit, reg, min((size_t)len, sizeof(unit)));
	return of_irq_parse_raw(reg ? unit : NULL, out);
}

int of_irq_count(struct device_node *np)
{
	struct of_phandle_args args;
	int count = 0;

	while (!of_irq_parse_one(np, count, &args))
		count++;
	return count;
}

/* ---- From the device tree to irqs ----------------------------------------------------------- */

void of_phandle_args_to_fwspec(struct device_node *np, const u32 *args, unsigned int count,
			       struct irq_fwspec *fwspec)
{
	fwspec->fwnode = of_fwnode_handle(np);
	fwspec->param_count = count;
	memcpy(fwspec->param, args, sizeof(args[0]) * count);
}

unsigned int irq_create_of_mapping(const struct of_phandle_args *args)
{
	struct irq_fwspec fwspec;

	of_phandle_args_to_fwspec(args->np, args->args, args->args_count, &fwspec);
	return irq_create_fwspec_mapping(&fwspec);
}

int of_irq_get(struct device_node *np, unsigned int index)
{
	struct of_phandle_args args;
	int err = of_irq_parse_one(np, index, &args);

	return err ? err : (int)irq_create_of_mapping(&args);
}

int of_irq_get_byname(struct device_node *np, const char *name)
{
	int index = of_property_match_string(np, "interrupt-names", name);

	return index < 0 ? index : of_irq_get(np, index);
}

unsigned int irq_of_parse_and_map(struct device_node *np, unsigned int index)
{
	int irq = of_irq_get(np, index);

	return irq > 0 ? irq : 0;
}
