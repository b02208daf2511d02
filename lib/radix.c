/*
 * The radix tree. A node covers 2^(shift + 6) consecutive keys, a slot 2^shift of them; the
 * slots of a node with shift 0 hold the items.
 *
 *	root, shift 6                 key 0x1043 = 01 000001 000011
 *	+---+---+-- … --+---+                       (root grows to shift 12 for it)
 *	| . | . |       |   |
 *	+-|-+---+-- … --+---+
 *	  v  shift 0
 *	+---+---+-- … --+---+
 *	| item of key 0 … 63 |
 *
 * A reader needs no lock because each node knows its own shift: whichever root it loads, old or
 * new, is a complete tree of its own. The tree grows at the top (a new root whose slot 0 is the
 * old one) and never shrinks.
 */
#include <lib/errno.h>
#include <lib/heap.h>
#include <lib/radix.h>

struct radix_node {
	void *slot[RADIX_SLOTS];	/* struct radix_node, or items where shift is 0 */
	unsigned int shift;
};

static void *load(void *const *place)
{
	return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}

static void publish(void **place, void *p)
{
	__atomic_store_n(place, p, __ATOMIC_RELEASE);
}

static unsigned int slot_index(const struct radix_node *node, unsigned long key)
{
	return key >> node->shift & (RADIX_SLOTS - 1);
}

/* In two steps, as one of 64 bits would be none. */
static bool covers(const struct radix_node *node, unsigned long key)
{
	return !(key >> node->shift >> RADIX_BITS);
}

static struct radix_node *load_root(const struct radix_tree *tree)
{
	return __atomic_load_n(&tree->root, __ATOMIC_ACQUIRE);
}

static struct radix_node *node_alloc(unsigned int shift)
{
	struct radix_node *node = kzalloc(sizeof(*node));

	if (node)
		node->shift = shift;
	return node;
}

/* The slot that holds KEY's item; NULL if the tree has no node for it. */
static __always_inline void **find_slot(const struct radix_tree *tree, unsigned long key)
{
	struct radix_node *node = load_root(tree);

	if (!node || !covers(node, key))
		return NULL;
	while (node->shift) {
		node = load(&node->slot[slot_index(node, key)]);
		if (!node)
			return NULL;
	}
	return &node->slot[key & (RADIX_SLOTS - 1)];
}

void *radix_lookup(const struct radix_tree *tree, unsigned long key)
{
	void **slot = find_slot(tree, key);

	return slot ? load(slot) : NULL;
}

/* Puts roots on top until KEY is covered. */
static int grow(struct radix_tree *tree, unsigned long key)
{
	while (!tree->root || !covers(tree->root, key)) {
		struct radix_node *old = tree->root;
		struct radix_node *root = node_alloc(old ? old->shift + RADIX_BITS : 0);

		if (!root)
			return -ENOMEM;
		root->slot[0] = old;
		__atomic_store_n(&tree->root, root, __ATOMIC_RELEASE);
	}
	return 0;
}

/* As find_slot(), and makes the nodes that are missing. NULL when out of memory. */
static void **make_slot(struct radix_tree *tree, unsigned long key)
{
	struct radix_node *node = tree->root;

	while (node->shift) {
		void **slot = &node->slot[slot_index(node, key)];

		if (!*slot) {
			struct radix_node *child = node_alloc(node->shift - RADIX_BITS);

			if (!child)
				return NULL;
			publish(slot, child);
		}
		node = *slot;
	}
	return &node->slot[slot_index(node, key)];
}

static int fill(struct radix_tree *tree, void **slot, void *item)
{
	if (*slot)
		return -EEXIST;
	publish(slot, item);
	tree->count++;
	return 0;
}

static int __attribute__((noinline)) insert_in_new_node(struct radix_tree *tree, unsigned long key,
							 void *item)
{
	void **slot = grow(tree, key) ? NULL : make_slot(tree, key);

	return slot ? fill(tree, slot, item) : -ENOMEM;
}

int radix_insert(struct radix_tree *tree, unsigned long key, void *item)
{
	void **slot = find_slot(tree, key);

	return slot ? fill(tree, slot, item) : insert_in_new_node(tree, key, item);
}

void *radix_replace(struct radix_tree *tree, unsigned long key, void *item)
{
	void **slot = find_slot(tree, key);
	void *old = *slot;

	publish(slot, item);
	return old;
}

void *radix_delete(struct radix_tree *tree, unsigned long key)
{
	void **slot = find_slot(tree, key);
	void *old = slot ? *slot : NULL;

	if (old) {
		publish(slot, NULL);
		tree->count--;
	}
	return old;
}

/*
 * The slot of the first item at or after *KEY in NODE, which covers *KEY. Leaves *KEY at the
 * item's, or, if there is none, at the first key behind NODE (0 behind the last node of all).
 */
static void **node_next(struct radix_node *node, unsigned long *key)
{
	unsigned long first = *key >> node->shift & ~(RADIX_SLOTS - 1UL);

	for (unsigned int i = slot_index(node, *key); i < RADIX_SLOTS; i++) {
		void *found = load(&node->slot[i]), **slot = &node->slot[i];

		if (found && node->shift)
			slot = node_next(found, key);
		if (found && slot)
			return slot;
		*key = (first + i + 1) << node->shift;
	}
	return NULL;
}

struct radix_cursor radix_first(const struct radix_tree *tree, unsigned long key)
{
	struct radix_cursor at = { key, find_slot(tree, key) };
	struct radix_node *root;

	if (at.slot && load(at.slot))	/* nearly always: keys come in runs */
		return at;
	root = load_root(tree);
	at.slot = root && covers(root, key) ? node_next(root, &at.key) : NULL;
	return at;
}

void *radix_next(const struct radix_tree *tree, unsigned long *key)
{
	struct radix_cursor at = radix_first(tree, *key);

	*key = at.key;
	return at.slot ? load(at.slot) : NULL;
}

static void node_free(struct radix_node *node)
{
	if (node->shift)
		for (unsigned int i = 0; i < RADIX_SLOTS; i++)
			if (node->slot[i])
				node_free(node->slot[i]);
	kfree(node);
}

void radix_destroy(struct radix_tree *tree)
{
	if (tree->root)
		node_free(tree->root);
	*tree = (struct radix_tree){ 0 };
}
