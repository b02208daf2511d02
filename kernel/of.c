/*
 * The device tree: firmware's description of the machine, a flat blob of nodes and properties.
 *
 *	blob (firmware's memory)          nodes (ours, one array in the blob's order)
 *	/ soc { plic { reg … } pci {…} }  [/] [/soc] [/soc/plic] [/soc/pci]
 *	                                   child, sibling and parent point inside the array
 *
 * of_init() checks all of the blob once, so that later code may walk it freely, and makes one
 * struct device_node per node with a table of its properties: libfdt would find each one by reading
 * the node again, byte by byte. Names and values stay in the blob; cells are big-endian and only
 * 4-byte aligned. libfdt, the only reader of the blob's format, is used here and nowhere else after
 * early boot. Manual: [DT 2.2, 2.3, 5].
 */
#include <kernel/driver.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define OF_MAX_DEPTH	32
#define OF_MAX_SIZE	(16U << 20)	/* a larger blob is a damaged header */

struct device_node *of_root;
static const void *of_fdt;
static unsigned int of_nr_nodes;

/* ---- Building ------------------------------------------------------------------------------- */

/* True if every property of the node at OFFSET can be read. */
static bool properties_readable(const void *fdt, int offset)
{
	int p;

	fdt_for_each_property_offset(p, fdt, offset) {
		const char *name;

		if (!fdt_getprop_by_offset(fdt, p, &name, NULL))
			return false;
	}
	return p == -FDT_ERR_NOTFOUND;
}

/* Appends the node's name to its parent's path, whose length is in LEN[DEPTH - 1]. */
static void extend_path(const void *fdt, int offset, int depth, char *path, size_t size,
			size_t *len)
{
	const char *name = fdt_get_name(fdt, offset, NULL);
	size_t start = depth > 1 ? len[depth - 1] : 0;

	snprintf(path + start, size - start, "/%s", name ? name : "?");
	len[depth] = strlen(path);
}

/* Says what is wrong and names the last node before the damage. */
static int report_damage(const void *fdt, int err)
{
	char path[128] = "the header";
	size_t len[OF_MAX_DEPTH] = { 0 };
	int depth = -1, offset = fdt_check_header(fdt) ? -1 : fdt_next_node(fdt, -1, &depth);

	while (offset >= 0 && depth >= 0 && depth < OF_MAX_DEPTH) {
		extend_path(fdt, offset, depth, path, sizeof(path), len);
		if (!properties_readable(fdt, offset))
			break;
		offset = fdt_next_node(fdt, offset, &depth);
	}
	pr_err("device tree: %s, in or after %s; the firmware (or -dtb) must pass a valid tree",
	       fdt_strerror(err), path);
	return -EINVAL;
}

int of_check_header(const void *fdt)
{
	u32 size;
	int err;

	if (!fdt || (uintptr_t)fdt % 8) {
		pr_err("device tree: address %p is not that of a tree", fdt);
		return -EINVAL;
	}
	size = fdt_totalsize(fdt);
	if (fdt_magic(fdt) != FDT_MAGIC) {
		pr_err("device tree: no tree at %p, its magic number is 0x%08x", fdt,
		       fdt_magic(fdt));
		return -EINVAL;
	}
	if (size < FDT_V17_SIZE || size > OF_MAX_SIZE) {
		pr_err("device tree: its header claims %u bytes, which cannot be", size);
		return -EINVAL;
	}
	if (fdt_off_mem_rsvmap(fdt) % 8 || fdt_off_dt_struct(fdt) % 4) {	/* [DT 5.6] */
		pr_err("device tree: the blocks in it are not aligned");
		return -EINVAL;
	}
	err = fdt_check_header(fdt);
	return err ? report_damage(fdt, err) : 0;
}

static int check_blob(const void *fdt)
{
	int err = of_check_header(fdt);

	if (err)
		return err;
	err = fdt_check_full(fdt, fdt_totalsize(fdt));
	return err ? report_damage(fdt, err) : 0;
}

/* Counts the nodes, their properties, and the bytes of all their paths. */
static int measure(const void *fdt, unsigned int *nodes, unsigned int *properties, size_t *bytes)
{
	size_t path[OF_MAX_DEPTH];
	int depth = -1, p;

	*nodes = *properties = *bytes = 0;
	for (int off = fdt_next_node(fdt, -1, &depth); off >= 0 && depth >= 0;
	     off = fdt_next_node(fdt, off, &depth)) {
		int len = 0;

		if (!fdt_get_name(fdt, off, &len))
			return report_damage(fdt, len);
		if (depth >= OF_MAX_DEPTH) {
			pr_err("device tree: node %s is nested deeper than %d levels",
			       fdt_get_name(fdt, off, NULL), OF_MAX_DEPTH);
			return -EINVAL;
		}
		path[depth] = (depth > 1 ? path[depth - 1] : 0) + 1 + len;
		*bytes += path[depth] + 1;
		++*nodes;
		fdt_for_each_property_offset(p, fdt, off)
			++*properties;
	}
	if (!*nodes)
		pr_err("device tree: it has no root node");
	return *nodes ? 0 : -EINVAL;
}

static u32 read_phandle(const struct device_node *np)
{
	u32 phandle = 0;

	if (of_property_read_u32(np, "phandle", &phandle))
		of_property_read_u32(np, "linux,phandle", &phandle);
	return phandle == ~0U ? 0 : phandle;
}

static bool read_available(const struct device_node *np)
{
	const char *status;

	if (np->parent && !np->parent->available)
		return false;
	if (!of_property_present(np, "status"))
		return true;
	return !of_property_read_string(np, "status", &status) &&
	       (!strcmp(status, "okay") || !strcmp(status, "ok"));
}

/* The table of the properties of the node at OFFSET, at P; returns its end. */
static struct property *make_properties(struct device_node *np, int offset, struct property *p)
{
	int at;

	np->properties = p;
	fdt_for_each_property_offset(at, of_fdt, offset) {
		p->value = fdt_getprop_by_offset(of_fdt, at, &p->name, &p->length);
		p++;
	}
	np->nr_properties = p - np->properties;
	return p;
}

/* Fills one node; PATH is where its full path goes. Returns the end of the path. */
static char *make_node(struct device_node *np, struct device_node *parent, int offset, char *path)
{
	const char *base = parent && parent->parent ? parent->fwnode.name : "";

	np->name = fdt_get_name(of_fdt, offset, NULL);
	np->fwnode.kind = FWNODE_OF;
	np->fwnode.name = path;
	np->parent = parent;
	np->phandle = read_phandle(np);
	np->available = read_available(np);
	strcpy(path, base);
	strcat(path, "/");
	strcat(path, np->name);
	return path + strlen(path) + 1;
}

int of_init(const void *fdt)
{
	struct device_node *last[OF_MAX_DEPTH] = { NULL };	/* the newest node of each level */
	struct device_node *np;
	unsigned int nodes, properties;
	struct property *p;
	size_t bytes;
	char *path;
	int depth = -1;

	kfree(of_root);
	of_root = NULL;
	of_nr_nodes = 0;
	if (check_blob(fdt) || measure(fdt, &nodes, &properties, &bytes))
		return -EINVAL;
	np = kzalloc(nodes * sizeof(*np) + properties * sizeof(*p) + bytes);
	if (!np) {
		pr_err("device tree: no memory for its %u nodes", nodes);
		return -ENOMEM;
	}
	of_fdt = fdt;
	of_root = np;
	of_nr_nodes = nodes;
	p = (struct property *)(np + nodes);
	path = (char *)(p + properties);
	for (int off = fdt_next_node(fdt, -1, &depth); off >= 0 && depth >= 0;
	     off = fdt_next_node(fdt, off, &depth), np++) {
		struct device_node *parent = depth ? last[depth - 1] : NULL;

		p = make_properties(np, off, p);
		path = make_node(np, parent, off, path);
		if (parent && !parent->child)
			parent->child = np;
		else if (parent)
			last[depth]->sibling = np;
		last[depth] = np;
	}
	return 0;
}

/* ---- What the rest of the tree code reads it by --------------------------------------------- */

struct device_node *of_node_next(struct device_node *np)
{
	if (!np)
		return of_root;
	return np + 1 < of_root + of_nr_nodes ? np + 1 : NULL;
}

bool of_device_is_compatible(const struct device_node *np, const char *string)
{
	int len;
	const char *list = of_get_property(np, "compatible", &len);

	return list && fdt_stringlist_contains(list, len, string);
}

const void *of_get_property(const struct device_node *np, const char *name, int *len)
{
	const struct property *p = np ? np->properties : NULL;
	const struct property *end = np ? p + np->nr_properties : NULL;

	while (p < end && (*p->name != *name || strcmp(p->name, name)))
		p++;
	if (len)
		*len = p < end ? p->length : 0;
	return p < end ? p->value : NULL;
}
