/*
 * irq_domain: one controller's number space, and the map from its hwirqs to irqs.
 *
 * A domain whose parent is NULL maps hwirqs one at a time (map()); its controller is a root, or
 * hangs on a parent's line by a chained handler. A domain with a parent is one level of a
 * hierarchy: its alloc() makes its own level and asks its parent for the next.
 * (Linux: <linux/irqdomain.h>)
 *
 * Everything here is thread context under the tree mutex of the hierarchy's root domain, except
 * lookups (irq_find_mapping, irq_resolve_mapping, generic_handle_domain_irq): any context.
 */
#ifndef KERNEL_IRQDOMAIN_H
#define KERNEL_IRQDOMAIN_H

#include <kernel/irq.h>
#include <lib/list.h>
#include <lib/radix.h>

struct device_node;
struct device;
struct irq_affinity_desc;
struct irq_domain_chip_generic;
struct msi_parent_ops;
struct of_phandle_args;

#define IRQ_DOMAIN_IRQ_SPEC_PARAMS 16

struct irq_fwspec {
	struct fwnode_handle *fwnode;
	int param_count;
	u32 param[IRQ_DOMAIN_IRQ_SPEC_PARAMS];
};

/* Distinguishes several domains on one fwnode. */
enum irq_domain_bus_token {
	DOMAIN_BUS_ANY = 0,
	DOMAIN_BUS_WIRED,
	DOMAIN_BUS_GENERIC_MSI,
	DOMAIN_BUS_PCI_MSI,
	DOMAIN_BUS_PLATFORM_MSI,
	DOMAIN_BUS_NEXUS,
	DOMAIN_BUS_IPI,
	DOMAIN_BUS_PCI_DEVICE_MSI,
	DOMAIN_BUS_PCI_DEVICE_MSIX,
	DOMAIN_BUS_WIRED_TO_MSI,
};

/* Callbacks of a domain's owner; names and meaning are Linux's. */
struct irq_domain_ops {
	int (*match)(struct irq_domain *d, struct device_node *node,
		     enum irq_domain_bus_token bus_token);
	int (*select)(struct irq_domain *d, struct irq_fwspec *fwspec,
		      enum irq_domain_bus_token bus_token);
	int (*map)(struct irq_domain *d, unsigned int virq, irq_hw_number_t hw);
	void (*unmap)(struct irq_domain *d, unsigned int virq);
	int (*xlate)(struct irq_domain *d, struct device_node *node, const u32 *intspec,
		     unsigned int intsize, unsigned long *out_hwirq, unsigned int *out_type);
	int (*alloc)(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs, void *arg);
	void (*free)(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs);
	int (*activate)(struct irq_domain *d, struct irq_data *irq_data, bool reserve);
	void (*deactivate)(struct irq_domain *d, struct irq_data *irq_data);
	int (*translate)(struct irq_domain *d, struct irq_fwspec *fwspec,
			 unsigned long *out_hwirq, unsigned int *out_type);
};

enum {
	IRQ_DOMAIN_FLAG_HIERARCHY	= 1 << 0,
	IRQ_DOMAIN_NAME_ALLOCATED	= 1 << 1,
	IRQ_DOMAIN_FLAG_IPI_PER_CPU	= 1 << 2,
	IRQ_DOMAIN_FLAG_MSI		= 1 << 4,
	IRQ_DOMAIN_FLAG_NO_MAP		= 1 << 6,
	IRQ_DOMAIN_FLAG_MSI_PARENT	= 1 << 8,
	IRQ_DOMAIN_FLAG_MSI_DEVICE	= 1 << 9,
};

struct irq_domain {
	/* What every interrupt touches comes first. */
	unsigned int revmap_size;	/* entries of revmap[]; above: revmap_tree */
	struct radix_tree revmap_tree;
	struct list_head link;
	const char *name;
	const struct irq_domain_ops *ops;
	void *host_data;
	unsigned int flags;
	unsigned int mapcount;
	struct mutex mutex;
	struct irq_domain *root;	/* whose mutex serves the whole hierarchy */
	struct irq_domain *parent;
	unsigned int nr_parents;	/* up to the root */
	struct fwnode_handle *fwnode;
	enum irq_domain_bus_token bus_token;
	struct irq_domain_chip_generic *gc;
	struct device *dev;
	const struct msi_parent_ops *msi_parent_ops;
	void (*exit)(struct irq_domain *d);
	irq_hw_number_t hwirq_max;	/* first number that is too large */
	unsigned int chained_on;	/* the parent's line that feeds us; 0: none */
	struct irq_data *revmap[];
};

/* Everything a domain can be created from. */
struct irq_domain_info {
	struct fwnode_handle *fwnode;
	unsigned int domain_flags;
	unsigned int size;		/* linear part of the reverse map */
	irq_hw_number_t hwirq_max;	/* 0: any */
	int direct_max;			/* nomap: numbers below that, irq == hwirq */
	unsigned int hwirq_base, virq_base;	/* virq_base > 0: map SIZE of them at once */
	enum irq_domain_bus_token bus_token;
	const char *name_suffix;
	const struct irq_domain_ops *ops;
	void *host_data;
	struct irq_domain *parent;
	struct device *dev;
	int (*init)(struct irq_domain *d);
	void (*exit)(struct irq_domain *d);
};

/* Creates a domain and puts it on the list. NULL, with a message that names the error: -EINVAL
 * (S-008), -ENOMEM, or what init said. */
struct irq_domain *irq_domain_instantiate(const struct irq_domain_info *info);
/* Unlinks and frees it; its exit hook runs first; warns if mappings are left. */
void irq_domain_remove(struct irq_domain *d);

struct irq_domain *irq_domain_create_linear(struct fwnode_handle *fwnode, unsigned int size,
					    const struct irq_domain_ops *ops, void *host_data);
struct irq_domain *irq_domain_create_tree(struct fwnode_handle *fwnode,
					  const struct irq_domain_ops *ops, void *host_data);
struct irq_domain *irq_domain_create_nomap(struct fwnode_handle *fwnode, unsigned int max_irq,
					   const struct irq_domain_ops *ops, void *host_data);
/* FIRST_IRQ > 0: associates the whole range at creation (S-019). */
struct irq_domain *irq_domain_create_simple(struct fwnode_handle *fwnode, unsigned int size,
					    unsigned int first_irq,
					    const struct irq_domain_ops *ops, void *host_data);
/* Of irqs that exist: FIRST_IRQ on are associated with SIZE hwirqs from FIRST_HWIRQ on. */
struct irq_domain *irq_domain_create_legacy(struct fwnode_handle *fwnode, unsigned int size,
					    unsigned int first_irq, irq_hw_number_t first_hwirq,
					    const struct irq_domain_ops *ops, void *host_data);
/* SIZE 0: a tree. FLAGS are or-ed in. */
struct irq_domain *irq_domain_create_hierarchy(struct irq_domain *parent, unsigned int flags,
					       unsigned int size, struct fwnode_handle *fwnode,
					       const struct irq_domain_ops *ops, void *host_data);
/* The names before 6.16, by device tree node. */
#define irq_domain_add_linear(np, ...)	irq_domain_create_linear(of_fwnode(np), __VA_ARGS__)
#define irq_domain_add_tree(np, ...)	irq_domain_create_tree(of_fwnode(np), __VA_ARGS__)
#define irq_domain_add_nomap(np, ...)	irq_domain_create_nomap(of_fwnode(np), __VA_ARGS__)
#define irq_domain_add_simple(np, ...)	irq_domain_create_simple(of_fwnode(np), __VA_ARGS__)
#define irq_domain_add_legacy(np, ...)	irq_domain_create_legacy(of_fwnode(np), __VA_ARGS__)
#define irq_domain_add_hierarchy(parent, flags, size, np, ...)				\
	irq_domain_create_hierarchy(parent, flags, size, of_fwnode(np), __VA_ARGS__)

/* Which domain speaks for that specifier (S-020). NULL if none. */
struct irq_domain *irq_find_matching_fwspec(struct irq_fwspec *fwspec,
					    enum irq_domain_bus_token bus_token);
struct irq_domain *irq_find_matching_fwnode(struct fwnode_handle *fwnode,
					    enum irq_domain_bus_token bus_token);
void irq_set_default_domain(struct irq_domain *d);
struct irq_domain *irq_get_default_domain(void);
#define irq_set_default_host	irq_set_default_domain
#define irq_get_default_host	irq_get_default_domain
void irq_domain_update_bus_token(struct irq_domain *d, enum irq_domain_bus_token bus_token);

/* ---- Mapping, one hwirq of a flat domain ---------------------------------------------------- */

/* The irq of HWIRQ, made if need be; AFFINITY may be NULL; 0 on failure (said). */
unsigned int irq_create_mapping_affinity(struct irq_domain *d, irq_hw_number_t hwirq,
					 const struct irq_affinity_desc *affinity);
static inline unsigned int irq_create_mapping(struct irq_domain *d, irq_hw_number_t hwirq)
{
	return irq_create_mapping_affinity(d, hwirq, NULL);
}
/* nomap: an irq that is its own hwirq; 0 on failure (S-016). */
unsigned int irq_create_direct_mapping(struct irq_domain *d);
/* From firmware's description; records the trigger (semantics C). 0 on failure (said). */
unsigned int irq_create_fwspec_mapping(struct irq_fwspec *fwspec);
/* Undoes either (S-015). 0 and unknown numbers are ignored. */
void irq_dispose_mapping(unsigned int virq);
/* Binds an allocated irq to HWIRQ: 0; -EINVAL (hwirq too large, irq has a domain or is none);
 * -EEXIST (hwirq is mapped); what map() said. */
int irq_domain_associate(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq);
/* The way back, by irq_dispose_mapping(); the number stays allocated. */
void irq_domain_disassociate(struct irq_domain *d, unsigned int virq);
/* CNT of them; stops being silent at the first that fails, goes on. */
void irq_domain_associate_many(struct irq_domain *d, unsigned int irq_base,
			       irq_hw_number_t hwirq_base, int count);

/* Numbers for HWIRQ's irqs, near it if they are free (S-003); as irq_alloc_descs(). */
int irq_domain_alloc_descs(int virq, unsigned int cnt, irq_hw_number_t hwirq, int node,
			   const struct irq_affinity_desc *affinity);

/* ---- Translations: semantics S-022 … S-026 -------------------------------------------------- */

int irq_domain_translate_onecell(struct irq_domain *d, struct irq_fwspec *fwspec,
				 unsigned long *out_hwirq, unsigned int *out_type);
int irq_domain_translate_twocell(struct irq_domain *d, struct irq_fwspec *fwspec,
				 unsigned long *out_hwirq, unsigned int *out_type);
int irq_domain_xlate_onecell(struct irq_domain *d, struct device_node *node, const u32 *intspec,
			     unsigned int intsize, unsigned long *out_hwirq,
			     unsigned int *out_type);
int irq_domain_xlate_twocell(struct irq_domain *d, struct device_node *node, const u32 *intspec,
			     unsigned int intsize, unsigned long *out_hwirq,
			     unsigned int *out_type);
int irq_domain_xlate_onetwocell(struct irq_domain *d, struct device_node *node, const u32 *intspec,
				unsigned int intsize, unsigned long *out_hwirq,
				unsigned int *out_type);
/* One cell, or two: enough for most controllers without a hierarchy. */
extern const struct irq_domain_ops irq_domain_simple_ops;

/* ---- Introspection -------------------------------------------------------------------------- */

/* All domains, oldest first: D NULL gives the first; NULL at the end. Thread context. */
struct irq_domain *irq_domain_next(struct irq_domain *d);
static inline const char *irq_domain_map_kind(const struct irq_domain *d)
{
	return d->flags & IRQ_DOMAIN_FLAG_NO_MAP ? "nomap" : d->revmap_size ? "linear" : "tree";
}
/* The irq whose chained handler feeds D, or 0. A controller says so once it is installed. */
static inline unsigned int irq_domain_chained_on(const struct irq_domain *d)
{
	return d->chained_on;
}
static inline void irq_domain_set_chained_on(struct irq_domain *d, unsigned int irq)
{
	d->chained_on = irq;
}
/* A short name, "imsic"; made unique if it is taken. The default is the fwnode's last component. */
void irq_domain_set_name(struct irq_domain *d, const char *name);

struct fwnode_handle *of_fwnode(struct device_node *np);
/* Firmware's cells as a specifier for the domain of NP. */
void of_phandle_args_to_fwspec(struct device_node *np, const u32 *args, unsigned int count,
			       struct irq_fwspec *fwspec);
static inline struct irq_domain *irq_find_matching_host(struct device_node *np,
							enum irq_domain_bus_token bus_token)
{
	return irq_find_matching_fwnode(of_fwnode(np), bus_token);
}
/* Of several domains on one node, the one for its wires. */
static inline struct irq_domain *irq_find_host(struct device_node *np)
{
	struct irq_domain *d = irq_find_matching_host(np, DOMAIN_BUS_WIRED);

	return d ? d : irq_find_matching_host(np, DOMAIN_BUS_ANY);
}

#include <kernel/irqhierarchy.h>
#include <kernel/irqlookup.h>

#endif
