/*
 * The device tree's nodes by path, phandle and compatible; its properties as numbers, strings and
 * lists of phandles.
 *
 * A phandle is a number by which one node points to another. In a list, each is followed by as
 * many argument cells as the node it points to asks for:
 *
 *	interrupts-extended = <&cpu0_intc 9  &cpu1_intc 9>;	#interrupt-cells of each is 1
 *
 * Manual: [DT 2.2.4, 2.3].
 */
#include <kernel/of.h>
#include <kernel/printk.h>
#include <string.h>

/* ---- Nodes ---------------------------------------------------------------------------------- */

struct device_node *of_find_node_by_path(const char *path)
{
	struct device_node *np;

	for_each_of_node(np)
		if (!strcmp(np->fwnode.name, path))
			return np;
	return NULL;
}

struct device_node *of_find_node_by_phandle(u32 phandle)
{
	struct device_node *np;

	for_each_of_node(np)
		if (phandle && np->phandle == phandle)
			return np;
	return NULL;
}

/* stdout-path is a path or an alias, perhaps with options behind a colon. [DT 3.6] */
struct device_node *of_console(void)
{
	struct device_node *chosen = of_find_node_by_path("/chosen");
	struct device_node *aliases = of_find_node_by_path("/aliases");
	const char *path;
	char name[128];
	size_t len;

	if (!chosen || of_property_read_string(chosen, "stdout-path", &path))
		return NULL;
	len = strcspn(path, ":");
	if (len >= sizeof(name))
		return NULL;
	memcpy(name, path, len);
	name[len] = '\0';
	if (*path != '/' && aliases && !of_property_read_string(aliases, name, &path))
		return of_find_node_by_path(path);
	return of_find_node_by_path(name);
}

struct device_node *of_find_compatible_node(struct device_node *from, const char *string)
{
	struct device_node *np = from;

	while ((np = of_node_next(np)))
		if (np->available && of_device_is_compatible(np, string))
			return np;
	return NULL;
}

/* ---- Properties ----------------------------------------------------------------------------- */

int of_property_read_u32_index(const struct device_node *np, const char *name, unsigned int index,
			       u32 *value)
{
	int len;
	const u8 *cell = of_get_property(np, name, &len);

	if (!cell)
		return -EINVAL;
	if ((unsigned int)len / 4 <= index)
		return -ENODATA;
	*value = of_read_number(cell + 4 * index, 1);
	return 0;
}

int of_property_read_u32(const struct device_node *np, const char *name, u32 *value)
{
	return of_property_read_u32_index(np, name, 0, value);
}

int of_property_read_string(const struct device_node *np, const char *name, const char **value)
{
	int len;
	const char *text = of_get_property(np, name, &len);

	if (!text)
		return -EINVAL;
	if (!memchr(text, '\0', len))
		return -ENODATA;
	*value = text;
	return 0;
}

int of_property_match_string(const struct device_node *np, const char *name, const char *string)
{
	int len = 0, index = 0;
	const char *text = of_get_property(np, name, &len), *end = text + len;

	for (; text && text < end; text += strlen(text) + 1, index++) {
		if (!memchr(text, '\0', end - text))
			return -EINVAL;
		if (!strcmp(text, string))
			return index;
	}
	return text ? -ENODATA : -EINVAL;
}

u64 of_read_number(const void *cell, int size)
{
	const u8 *byte = cell;
	u64 number = 0;

	for (int i = 0; i < 4 * size; i++)
		number = number << 8 | byte[i];
	return number;
}

/* 255 is as wrong as any greater number, and can be counted with. */
static int read_cells(const struct device_node *np, const char *name, u32 fallback)
{
	of_property_read_u32(np, name, &fallback);
	return min(fallback, 255U);
}

int of_n_addr_cells(const struct device_node *np)
{
	return read_cells(np, "#address-cells", 2);
}

int of_n_size_cells(const struct device_node *np)
{
	return read_cells(np, "#size-cells", 1);
}

/* ---- Lists of phandles ---------------------------------------------------------------------- */

/* The node PHANDLE and how many argument cells it wants, at most LEFT; NULL with a message. */
static struct device_node *list_target(const struct device_node *np, const char *list,
				       const char *cells_name, u32 phandle, u32 left, u32 *count)
{
	struct device_node *target = of_find_node_by_phandle(phandle);

	*count = 0;
	if (!target) {
		pr_err("device tree: %s: %s points to phandle 0x%x, which no node has",
		       np->fwnode.name, list, phandle);
		return NULL;
	}
	if (cells_name && of_property_read_u32(target, cells_name, count)) {
		pr_err("device tree: %s: %s points to %s, which has no %s", np->fwnode.name, list,
		       target->fwnode.name, cells_name);
		return NULL;
	}
	if (*count > left || *count > ARRAY_SIZE(((struct of_phandle_args *)0)->args)) {
		pr_err("device tree: %s: %s ends within the %u cells for %s", np->fwnode.name, list,
		       *count, target->fwnode.name);
		return NULL;
	}
	return target;
}

int of_parse_phandle_with_args(const struct device_node *np, const char *list,
			       const char *cells_name, unsigned int index,
			       struct of_phandle_args *out)
{
	int len;
	const u8 *cell = of_get_property(np, list, &len);
	u32 left = len / 4, count;

	if (len % 4) {
		pr_err("device tree: %s: %s is %d bytes, not a whole number of cells",
		       np->fwnode.name, list, len);
		return -EINVAL;
	}
	for (; left; index--, cell += 4 * count, left -= count) {
		u32 phandle = of_read_number(cell, 1);
		struct device_node *target = NULL;

		cell += 4;
		left--;
		count = 0;
		if (phandle) {
			target = list_target(np, list, cells_name, phandle, left, &count);
			if (!target)
				return -EINVAL;
		}
		if (index)
			continue;
		if (!target)
			return -ENOENT;
		out->np = target;
		out->args_count = count;
		for (u32 i = 0; i < count; i++)
			out->args[i] = of_read_number(cell + 4 * i, 1);
		return 0;
	}
	return -ENOENT;
}

struct device_node *of_parse_phandle(const struct device_node *np, const char *name,
				     unsigned int index)
{
	struct of_phandle_args args;

	return of_parse_phandle_with_args(np, name, NULL, index, &args) ? NULL : args.np;
}
