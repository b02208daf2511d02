/*
 * fwnode_handle: what firmware described, whatever the firmware. A device tree node
 * and a node made up by software both contain one, and the irq core only compares and names them.
 * (Linux: <linux/fwnode.h>)
 */
#ifndef KERNEL_FWNODE_H
#define KERNEL_FWNODE_H

#include <lib/types.h>

enum fwnode_kind { FWNODE_OF, FWNODE_NAMED };

struct fwnode_handle {
	enum fwnode_kind kind;
	const char *name;		/* unique path, for messages */
};

/* A node made up by software; NULL when out of memory. NAME is copied. Thread context. */
struct fwnode_handle *irq_domain_alloc_named_fwnode(const char *name);
/* Named "NAME-ID". */
struct fwnode_handle *irq_domain_alloc_named_id_fwnode(const char *name, int id);
/* Frees one of those; its domain must be gone. */
void irq_domain_free_fwnode(struct fwnode_handle *fwnode);

#endif
