/*
 * Domains: a controller's number space and its reverse map, hwirq -> irq_data.
 *
 *   linear   revmap[hwirq]            dense numbers: one array load
 *   tree     radix tree               sparse numbers, and those beyond the array
 *   nomap    irq number == hwirq      nothing is stored, the descriptor itself is asked
 *
 * Here: their life, the list of all, lookup, and mapping in domains without a parent. What comes
 * from firmware is in fwspec.c, hierarchies are in hierarchy.c. (Linux: kernel/irq/irqdomain.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>
#include <kernel/mm.h>
#include <kernel/of.h>
#include <stdio.h>
#include <string.h>

LIST_HEAD(irq_domain_list);
struct mutex irq_domain_mutex = MUTEX_INIT(irq_domain_mutex);
static struct irq_domain *irq_default_domain;

/* ---- Names and fwnodes ---------------------------------------------------------------------- */

/* Takes NAME over, NULL or not. */
static struct fwnode_handle *alloc_fwnode(char *name)
{
	struct fwnode_handle *fwnode = name ? kzalloc(sizeof(*fwnode)) : NULL;

	if (!fwnode) {
		kfree(name);
		return NULL;
	}
	fwnode->kind = FWNODE_NAMED;
	fwnode->name = name;
	return fwnode;
}

struct fwnode_handle *irq_domain_alloc_named_fwnode(const char *name)
{
	return alloc_fwnode(kstrdup(name));
}

struct fwnode_handle *irq_domain_alloc_named_id_fwnode(const char *name, int id)
{
	return alloc_fwnode(kasprintf("%s-%d", name, id));
}

void irq_domain_free_fwnode(struct fwnode_handle *fwnode)
{
	if (!fwnode || WARN_ON(fwnode->kind != FWNODE_NAMED))
		return;
	kfree(fwnode->name);
	kfree(fwnode);
}

struct fwnode_handle *of_fwnode(struct device_node *np)
{
	return of_fwnode_handle(np);
}

static bool name_taken(const struct irq_domain *self, const char *name)
{
	struct irq_domain *d;

	list_for_each_entry(d, &irq_domain_list, link)
		if (d != self && d->name && !strcmp(d->name, name))
			return true;
	return false;
}

/* NAME, or NAME-2, NAME-3 … if it is taken; NULL when out of memory. Under irq_domain_mutex. */
static char *unique_name(const struct irq_domain *self, const char *name)
{
	char *text = kstrdup(name);

	for (unsigned int n = 2; text && name_taken(self, text); n++) {
		kfree(text);
		text = kasprintf("%s-%u", name, n);
	}
	return text;
}

void irq_domain_set_name(struct irq_domain *d, const char *name)
{
	char *text;

	mutex_lock(&irq_domain_mutex);
	text = unique_name(d, name);
	if (text) {
		kfree(d->name);
		d->name = text;
	}
	mutex_unlock(&irq_domain_mutex);
}

static char *default_name(const struct irq_domain_info *info)
{
	const char *base = info->fwnode ? info->fwnode->name : "domain", *slash;
	char *full, *unique;

	/* The last component of a tree path says enough. */
	if (info->fwnode && info->fwnode->kind == FWNODE_OF && (slash = strrchr(base, '/')))
		base = slash[1] ? slash + 1 : base;
	full = info->name_suffix ? kasprintf("%s-%s", base, info->name_suffix) : kstrdup(base);
	unique = full ? unique_name(NULL, full) : NULL;
	kfree(full);
	return unique;
}

/* ---- Life ----------------------------------------------------------------------------------- */

static int check_info(const struct irq_domain_info *info)
{
	if (info->size && info->direct_max)
		return -EINVAL;
	if (info->direct_max && (irq_hw_number_t)info->direct_max != info->hwirq_max)
		return -EINVAL;
	return 0;
}

static struct irq_domain *domain_create(const struct irq_domain_info *info)
{
	struct irq_domain *d = kzalloc(sizeof(*d) + info->size * sizeof(d->revmap[0]));

	if (!d)
		return NULL;
	d->revmap_size = info->size;
	d->hwirq_max = info->hwirq_max ? info->hwirq_max : ~0UL;
	d->flags = info->domain_flags | (info->direct_max ? IRQ_DOMAIN_FLAG_NO_MAP : 0);
	d->fwnode = info->fwnode;
	d->bus_token = info->bus_token;
	d->ops = info->ops;
	d->host_data = info->host_data;
	d->dev = info->dev;
	d->exit = info->exit;
	d->parent = info->parent;
	d->root = info->parent ? info->parent->root : d;
	d->nr_parents = info->parent ? info->parent->nr_parents + 1 : 0;
	if (info->ops && info->ops->alloc)
		d->flags |= IRQ_DOMAIN_FLAG_HIERARCHY;
	mutex_init(&d->mutex);
	return d;
}

static int domain_publish(struct irq_domain *d, const struct irq_domain_info *info)
{
	int ret;

	mutex_lock(&irq_domain_mutex);
	d->name = default_name(info);
	mutex_unlock(&irq_domain_mutex);
	if (!d->name)
		return -ENOMEM;
	ret = info->init ? info->init(d) : 0;
	if (ret)
		return ret;
	mutex_lock(&irq_domain_mutex);
	list_add_tail(&d->link, &irq_domain_list);
	mutex_unlock(&irq_domain_mutex);
	return 0;
}

struct irq_domain *irq_domain_instantiate(const struct irq_domain_info *info)
{
	const char *who = info->fwnode ? info->fwnode->name : "domain";
	struct irq_domain *d = NULL;
	int ret = check_info(info);

	if (!ret) {
		d = domain_create(info);
		ret = d ? domain_publish(d, info) : -ENOMEM;
	}
	if (ret) {
		pr_err("%s: interrupt domain not created (%s)", who, errname(ret));
		if (d)
			kfree(d->name);
		kfree(d);
		return NULL;
	}
	if (info->virq_base)
		irq_domain_associate_many(d, info->virq_base, info->hwirq_base,
					  info->size - info->hwirq_base);
	return d;
}

void irq_domain_remove(struct irq_domain *d)
{
	if (d->exit)
		d->exit(d);
	mutex_lock(&irq_domain_mutex);
	if (d->mapcount || d->revmap_tree.count)
		pr_warn("domain %s removed with %u mappings", d->name, d->mapcount);
	list_del_init(&d->link);
	if (irq_default_domain == d)
		irq_default_domain = NULL;
	mutex_unlock(&irq_domain_mutex);
	radix_destroy(&d->revmap_tree);
	kfree(d->name);
	kfree(d);
}

struct irq_domain *irq_domain_create_linear(struct fwnode_handle *fwnode, unsigned int size,
					    const struct irq_domain_ops *ops, void *host_data)
{
	return irq_domain_instantiate(&(struct irq_domain_info){
		.fwnode = fwnode, .size = size, .hwirq_max = size, .ops = ops,
		.host_data = host_data });
}

struct irq_domain *irq_domain_create_tree(struct fwnode_handle *fwnode,
					  const struct irq_domain_ops *ops, void *host_data)
{
	return irq_domain_instantiate(&(struct irq_domain_info){
		.fwnode = fwnode, .ops = ops, .host_data = host_data });
}

struct irq_domain *irq_domain_create_nomap(struct fwnode_handle *fwnode, unsigned int max_irq,
					   const struct irq_domain_ops *ops, void *host_data)
{
	return irq_domain_instantiate(&(struct irq_domain_info){
		.fwnode = fwnode, .hwirq_max = max_irq, .direct_max = max_irq, .ops = ops,
		.host_data = host_data });
}

struct irq_domain *irq_domain_create_legacy(struct fwnode_handle *fwnode, unsigned int size,
					    unsigned int first_irq, irq_hw_number_t first_hwirq,
					    const struct irq_domain_ops *ops, void *host_data)
{
	return irq_domain_instantiate(&(struct irq_domain_info){
		.fwnode = fwnode, .size = first_hwirq + size, .hwirq_max = first_hwirq + size,
		.hwirq_base = first_hwirq, .virq_base = first_irq, .ops = ops,
		.host_data = host_data });
}

struct irq_domain *irq_domain_create_simple(struct fwnode_handle *fwnode, unsigned int size,
					    unsigned int first_irq,
					    const struct irq_domain_ops *ops, void *host_data)
{
	if (first_irq && irq_alloc_descs(first_irq, first_irq, size, -1) < 0)
		pr_info("irqs %u..%u are there already", first_irq, first_irq + size - 1);
	return irq_domain_instantiate(&(struct irq_domain_info){
		.fwnode = fwnode, .size = size, .hwirq_max = size, .virq_base = first_irq,
		.ops = ops, .host_data = host_data });
}

struct irq_domain *irq_domain_create_hierarchy(struct irq_domain *parent, unsigned int flags,
					       unsigned int size, struct fwnode_handle *fwnode,
					       const struct irq_domain_ops *ops, void *host_data)
{
	return irq_domain_instantiate(&(struct irq_domain_info){
		.fwnode = fwnode, .domain_flags = flags, .size = size, .hwirq_max = size,
		.ops = ops, .host_data = host_data, .parent = parent });
}

void irq_set_default_domain(struct irq_domain *d)
{
	irq_default_domain = d;
}

struct irq_domain *irq_get_default_domain(void)
{
	return irq_default_domain;
}

void irq_domain_update_bus_token(struct irq_domain *d, enum irq_domain_bus_token bus_token)
{
	mutex_lock(&irq_domain_mutex);
	d->bus_token = bus_token;
	mutex_unlock(&irq_domain_mutex);
}

struct irq_domain *irq_domain_next(struct irq_domain *d)
{
	struct list_head *next = d ? d->link.next : irq_domain_list.next;

	return next == &irq_domain_list ? NULL : list_entry(next, struct irq_domain, link);
}
