/*
 * The device tree before there is memory to make nodes of: boot arguments, and the console that
 * stdout-path names. Nothing has been checked yet but the header, so libfdt is asked for each thing
 * from the start of the blob; what is damaged is left for of_init() to report. Manual: [DT 3.6].
 */
#include <kernel/driver.h>
#include <kernel/mm.h>
#include <kernel/of.h>
#include <kernel/printk.h>
#include <libfdt.h>
#include <string.h>

DECLARE_TABLE(earlycon, const struct earlycon_decl);

struct mem_range mem_console;
static const char *early_boot_args;

/* A string property, NULL if it is absent or has no end. */
static const char *early_string(const void *fdt, int node, const char *name)
{
	int len;
	const char *text = fdt_getprop(fdt, node, name, &len);

	return text && memchr(text, '\0', len) ? text : NULL;
}

/* The node's first address; 0 if it has none or a bus above it gives it another meaning. */
static u64 early_address(const void *fdt, int node)
{
	int bus = fdt_parent_offset(fdt, node), cells = fdt_address_cells(fdt, bus), len;
	const void *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || cells < 1 || cells > 2 || len < 4 * cells)
		return 0;
	for (; bus > 0; bus = fdt_parent_offset(fdt, bus)) {
		const void *ranges = fdt_getprop(fdt, bus, "ranges", &len);

		if (!ranges || len)
			return 0;
	}
	return of_read_number(reg, cells);
}

static void early_console(const void *fdt, const char *path)
{
	int node = fdt_path_offset_namelen(fdt, path, strcspn(path, ":"));
	u64 addr = node < 0 ? 0 : early_address(fdt, node);

	if (!addr)
		return;
	for_each_table(pos, earlycon, const struct earlycon_decl) {
		if (fdt_node_check_compatible(fdt, node, (*pos)->compatible))
			continue;
		mem_console.start = ALIGN_DOWN(addr, PAGE_SIZE);
		mem_console.end = mem_console.start + PAGE_SIZE;
		console_register((*pos)->setup((void *)addr));
		return;
	}
}

void of_early_init(const void *fdt)
{
	int chosen = fdt && !fdt_check_header(fdt) ? fdt_path_offset(fdt, "/chosen") : -1;
	const char *path;

	if (chosen < 0)
		return;
	early_boot_args = early_string(fdt, chosen, "bootargs");
	path = early_string(fdt, chosen, "stdout-path");
	if (path)
		early_console(fdt, path);
}

const char *of_boot_args(void)
{
	struct device_node *chosen = of_find_node_by_path("/chosen");
	const char *args = of_root ? NULL : early_boot_args;

	if (chosen)
		of_property_read_string(chosen, "bootargs", &args);
	return args;
}
