/*
 * The device tree, as nodes with parents and children, and its interrupt and address rules.
 * Names as Linux's <linux/of.h>, of_irq.h, of_address.h. [DT 2.3, 2.4]
 * The tree is built once and never changes; readers need no lock. Thread context unless said.
 */
#ifndef KERNEL_OF_H
#define KERNEL_OF_H

#include <kernel/fwnode.h>
#include <kernel/irqdomain.h>

struct property {
	const char *name;
	const void *value;		/* in the blob */
	int length;
};

struct device_node {
	struct fwnode_handle fwnode;	/* first member; fwnode.name is the full path */
	const char *name;		/* "plic@c000000" */
	const struct property *properties;
	unsigned int nr_properties;
	u32 phandle;			/* 0: none */
	bool available;			/* status is absent, "okay" or "ok" [DT 2.3.4] */
	struct device_node *parent, *child, *sibling;
};

struct of_phandle_args {
	struct device_node *np;
	unsigned int args_count;
	u32 args[16];
};

/* Reads what is needed before there is an allocator: boot arguments, and stdout-path, whose
 * console it starts (EARLYCON_DECLARE). Boot CPU, once, the MMU off; damage is for of_init(). */
void of_early_init(const void *fdt);
const char *of_boot_args(void);		/* /chosen/bootargs, or NULL. Any context */
/* The node of the console, NULL if the tree names none. */
struct device_node *of_console(void);

struct resource {
	phys_addr_t start;
	u64 size;
};

/* Whether it can be read at all: 0, or -EINVAL with a message. Then libfdt does no harm in it. */
int of_check_header(const void *fdt);
/* Checks the whole blob and builds the nodes. 0, or -EINVAL with a message that says what is
 * wrong and where. Boot CPU, once; the host port may call it again (frees the former tree). */
int of_init(const void *fdt);
extern struct device_node *of_root;

static inline struct device_node *to_of_node(const struct fwnode_handle *fwnode)
{
	return fwnode && fwnode->kind == FWNODE_OF ? (struct device_node *)fwnode : NULL;
}
static inline struct fwnode_handle *of_fwnode_handle(struct device_node *np)
{
	return np ? &np->fwnode : NULL;
}

static inline struct device_node *irq_domain_get_of_node(struct irq_domain *d)
{
	return to_of_node(d->fwnode);
}

/* Depth-first successor, NULL at the end; of_node_next(NULL) is the root. */
struct device_node *of_node_next(struct device_node *np);
#define for_each_of_node(np) \
	for ((np) = of_root; (np); (np) = of_node_next(np))
#define for_each_child_of_node(parent, np) \
	for ((np) = (parent)->child; (np); (np) = (np)->sibling)
struct device_node *of_find_node_by_path(const char *path);
struct device_node *of_find_node_by_phandle(u32 phandle);
/* The next available node after FROM (NULL: from the start) that is compatible with STRING. */
struct device_node *of_find_compatible_node(struct device_node *from, const char *string);
bool of_device_is_compatible(const struct device_node *np, const char *string);

/* Raw property: its bytes and length (may be NULL), or NULL. Cells are only 4-byte aligned. */
const void *of_get_property(const struct device_node *np, const char *name, int *len);
static inline bool of_property_present(const struct device_node *np, const char *name)
{
	return of_get_property(np, name, NULL) != NULL;
}
/* 0; -EINVAL if absent; -ENODATA if too short. */
int of_property_read_u32_index(const struct device_node *np, const char *name, unsigned int index,
			       u32 *value);
int of_property_read_u32(const struct device_node *np, const char *name, u32 *value);
int of_property_read_string(const struct device_node *np, const char *name, const char **value);
/* Which of a property's strings is STRING: an index; -EINVAL if absent or malformed; -ENODATA. */
int of_property_match_string(const struct device_node *np, const char *name, const char *string);
/* SIZE cells at CELL (big-endian), 0 to 2 of them, as one number. */
u64 of_read_number(const void *cell, int size);
/* The cells that NP's children use; inherited defaults 2 and 1. [DT 2.3.5] */
int of_n_addr_cells(const struct device_node *np);
int of_n_size_cells(const struct device_node *np);

/* Entry INDEX of a list of phandles, each followed by as many cells as the target's CELLS_NAME
 * says (NULL: none). 0; -ENOENT past the end; -EINVAL with a message if malformed. */
int of_parse_phandle_with_args(const struct device_node *np, const char *list,
			       const char *cells_name, unsigned int index,
			       struct of_phandle_args *out);
struct device_node *of_parse_phandle(const struct device_node *np, const char *name,
				     unsigned int index);

/* Region INDEX of "reg", translated to CPU addresses through every bus's "ranges".
 * 0, or -EINVAL (absent, malformed, or not translatable). */
int of_address_to_resource(const struct device_node *np, unsigned int index, struct resource *res);
/* The same, mapped; NULL with a message. */
void *of_iomap(const struct device_node *np, unsigned int index);
/* *ADDR, in the numbering of BUS's children, becomes the CPU's: 0, or -EINVAL. */
int of_translate_address(const struct device_node *bus, u64 *addr);

/* One row of a bus's "ranges" or "dma-ranges". [DT 2.3.8, 2.3.9] */
struct of_range {
	u32 flags;			/* first cell of a 3-cell (PCI) address, else 0 */
	u64 bus_addr;			/* on BUS */
	phys_addr_t cpu_addr;
	u64 size;
};
/* Row INDEX, its parent address translated up to the CPU: 0; -ENOENT past the end or absent;
 * -EINVAL, with a message, if malformed. (Linux: of_pci_range_parser_one) */
int of_range_at(const struct device_node *bus, const char *property, unsigned int index,
		struct of_range *out);

/* ---- Interrupts ----------------------------------------------------------------------------- */

/* The controller NP's interrupts go to by default: interrupt-parent, or the nearest ancestor with
 * #interrupt-cells. NULL if there is none. */
struct device_node *of_irq_find_parent(struct device_node *np);
/*
 * Interrupt INDEX of NP as (controller, specifier): interrupts-extended wins over interrupts, and
 * interrupt-maps on the way are applied. 0; -ENXIO past the end or without any; -EINVAL, with a
 * message, for what is malformed or maps nowhere. (S-029 … S-031)
 */
int of_irq_parse_one(struct device_node *np, unsigned int index, struct of_phandle_args *out);
/*
 * The walk alone: OUT holds a specifier relative to OUT->np, ADDR the child's unit address cells
 * (big-endian, may be NULL); both are translated through interrupt-maps until a controller.
 */
int of_irq_parse_raw(const void *addr, struct of_phandle_args *out);
/* What row INDEX of NP's interrupt-map maps to, whoever it is for: 0; -ENXIO past the end or
 * without a map; -EINVAL, with a message, if malformed. */
int of_irq_map_at(struct device_node *np, unsigned int index, struct of_phandle_args *out);
int of_irq_count(struct device_node *np);
/* Parse, then irq_create_of_mapping(); 0 on any error. (Linux: the same name) */
unsigned int irq_of_parse_and_map(struct device_node *np, unsigned int index);
unsigned int irq_create_of_mapping(const struct of_phandle_args *args);
/* As irq_of_parse_and_map(), but a negative errno if NP has no such interrupt; 0 still means that
 * it cannot be mapped (said). By NAME: the one that "interrupt-names" calls so. */
int of_irq_get(struct device_node *np, unsigned int index);
int of_irq_get_byname(struct device_node *np, const char *name);
/*
 * The MSI controller that requester ID of NP uses and the id it sees: msi-map, else msi-parent.
 * 0; -ENODEV if the tree names none. (Linux: of_msi_map_id, of_msi_map_get_device_domain)
 */
int of_msi_map_id(struct device_node *np, u32 id, struct device_node **controller, u32 *out_id);

/*
 * Starts every available interrupt controller that has an IRQCHIP_DECLARE entry, parents first.
 * "Parent" is the first phandle of msi-parent, else of interrupts-extended, else the
 * interrupt-parent walk. What cannot start is named with its path and code; the rest goes on.
 * Boot thread, once.
 */
void of_irq_init(void);

#endif
