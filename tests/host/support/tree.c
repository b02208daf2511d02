/* A writer of flattened device trees: see tree.h. */
#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include "tree.h"

enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, END = 9 };

static void put_u32(struct tree *t, u32 v)
{
	u32 be = __builtin_bswap32(v);

	assert(t->nr_structs + 4 <= TREE_MAX);
	memcpy(t->structs + t->nr_structs, &be, 4);
	t->nr_structs += 4;
}

static void put_bytes(struct tree *t, const void *p, size_t len)
{
	size_t padded = ALIGN_UP(len, 4UL);

	assert(t->nr_structs + padded <= TREE_MAX);
	memset(t->structs + t->nr_structs, 0, padded);
	memcpy(t->structs + t->nr_structs, p, len);
	t->nr_structs += padded;
}

static u32 string_offset(struct tree *t, const char *name)
{
	size_t len = strlen(name) + 1, at = 0;

	for (; at < t->nr_strings; at += strlen(t->strings + at) + 1)
		if (!strcmp(t->strings + at, name))
			return at;
	assert(at + len <= TREE_MAX);
	memcpy(t->strings + at, name, len);
	t->nr_strings += len;
	return at;
}

void tree_begin(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	tree_node(t, "");
}

void tree_node(struct tree *t, const char *name)
{
	put_u32(t, BEGIN_NODE);
	put_bytes(t, name, strlen(name) + 1);
}

void tree_end(struct tree *t)
{
	put_u32(t, END_NODE);
}

void tree_prop(struct tree *t, const char *name, const void *value, size_t len)
{
	put_u32(t, PROP);
	put_u32(t, len);
	put_u32(t, string_offset(t, name));
	put_bytes(t, value, len);
}

void tree_empty(struct tree *t, const char *name)
{
	tree_prop(t, name, "", 0);
}

void tree_strings(struct tree *t, const char *name, const char *value, size_t len)
{
	tree_prop(t, name, value, len + 1);
}

void tree_string(struct tree *t, const char *name, const char *value)
{
	tree_prop(t, name, value, strlen(value) + 1);
}

void tree_cell_array(struct tree *t, const char *name, const u32 *cells, unsigned int n)
{
	u32 be[256];

	assert(n <= ARRAY_SIZE(be));
	for (unsigned int i = 0; i < n; i++)
		be[i] = __builtin_bswap32(cells[i]);
	tree_prop(t, name, be, n * 4);
}

void tree_cells(struct tree *t, const char *name, unsigned int n, ...)
{
	u32 cells[256];
	va_list args;

	assert(n <= ARRAY_SIZE(cells));
	va_start(args, n);
	for (unsigned int i = 0; i < n; i++)
		cells[i] = va_arg(args, u32);
	va_end(args);
	tree_cell_array(t, name, cells, n);
}

/* Header (40 bytes), an empty reservation block (16), structure, strings. */
const void *tree_finish(struct tree *t, size_t *size)
{
	u32 structs_at = 56, strings_at, total, header[10];

	tree_end(t);
	put_u32(t, END);
	strings_at = structs_at + t->nr_structs;
	total = strings_at + t->nr_strings;
	u32 fields[10] = { 0xd00dfeed, total, structs_at, strings_at, 40, 17, 16, 0,
			   t->nr_strings, t->nr_structs };

	for (unsigned int i = 0; i < 10; i++)
		header[i] = __builtin_bswap32(fields[i]);
	memset(t->blob, 0, structs_at);
	memcpy(t->blob, header, sizeof(header));
	memcpy(t->blob + structs_at, t->structs, t->nr_structs);
	memcpy(t->blob + strings_at, t->strings, t->nr_strings);
	if (size)
		*size = total;
	return t->blob;
}
