/*
 * Makes flattened device trees [DT 5] for tests:
 *
 *	tree_begin(&t);				opens the root
 *	tree_node(&t, "cpus"); … tree_end(&t);
 *	tree_cells(&t, "reg", 2, 0, 0x1000);
 *	blob = tree_finish(&t, &size);		closes the root
 */
#ifndef TESTS_HOST_TREE_H
#define TESTS_HOST_TREE_H

#include <lib/types.h>

#define TREE_MAX	32768

struct tree {
	u8 blob[2 * TREE_MAX + 64];
	u8 structs[TREE_MAX];
	char strings[TREE_MAX];
	size_t nr_structs, nr_strings;
};

void tree_begin(struct tree *t);
void tree_node(struct tree *t, const char *name);
void tree_end(struct tree *t);
void tree_prop(struct tree *t, const char *name, const void *value, size_t len);
void tree_empty(struct tree *t, const char *name);
/* "a\0b" for several: LEN counts all but the last terminator. */
void tree_strings(struct tree *t, const char *name, const char *value, size_t len);
void tree_string(struct tree *t, const char *name, const char *value);
/* N 32-bit cells, big-endian. */
void tree_cells(struct tree *t, const char *name, unsigned int n, ...);
void tree_cell_array(struct tree *t, const char *name, const u32 *cells, unsigned int n);
const void *tree_finish(struct tree *t, size_t *size);

#endif
