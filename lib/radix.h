/*
 * A radix tree from unsigned long to a non-NULL pointer, 64 slots a node, for sparse keys
 * (the reverse map of a domain whose hwirqs are far apart). The caller locks writers against each
 * other; lookups may run at the same time as one writer, as every node and slot is published with
 * a release store and nodes are freed only by radix_destroy().
 */
#ifndef LIB_RADIX_H
#define LIB_RADIX_H

#include <lib/types.h>

#define RADIX_BITS	6
#define RADIX_SLOTS	(1U << RADIX_BITS)

struct radix_node;

struct radix_tree {
	struct radix_node *root;
	unsigned int count;	/* keys present */
};

/* The pointer stored at KEY, or NULL. Any context, no lock needed. */
void *radix_lookup(const struct radix_tree *tree, unsigned long key);

/*
 * Stores ITEM (not NULL) at KEY. 0; -EEXIST if the key is taken; -ENOMEM, and then the tree's
 * content is unchanged. Thread context (allocates).
 */
int __must_check radix_insert(struct radix_tree *tree, unsigned long key, void *item);

/* Replaces what is at KEY, which must be present, by ITEM (not NULL); returns the old pointer. */
void *radix_replace(struct radix_tree *tree, unsigned long key, void *item);

/* Empties KEY and returns what was there, or NULL. Nodes stay for later keys. */
void *radix_delete(struct radix_tree *tree, unsigned long key);

/* The first present key >= *KEY: stores it in *KEY and returns its pointer; NULL if none. */
void *radix_next(const struct radix_tree *tree, unsigned long *key);

/* A walk, for whoever holds writers off: the first at or after KEY, and the one after that, unless
 * that was the last key of all. */
struct radix_cursor {
	unsigned long key;
	void **slot;		/* NULL: there is no more */
};
struct radix_cursor radix_first(const struct radix_tree *tree, unsigned long key);
static inline struct radix_cursor radix_after(const struct radix_tree *tree, struct radix_cursor at)
{
	at.key++;
	at.slot++;
	return at.key % RADIX_SLOTS && *at.slot ? at : radix_first(tree, at.key);
}

/* Frees the nodes (not the items). Nobody else may use the tree at the time. */
void radix_destroy(struct radix_tree *tree);

#endif
