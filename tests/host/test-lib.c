/* lib: bit arrays, the radix tree, JSON and CRC-32, against naive models and known answers. */
#include <lib/bitmap.h>
#include <lib/crc32.h>
#include <lib/errno.h>
#include <lib/json.h>
#include <lib/list.h>
#include <lib/radix.h>
#include <string.h>
#include "model.h"
#include "support/random.h"
#include "support/rec.h"

/* ---- Bitmaps --------------------------------------------------------------------------------- */

#define BITS	200U

static unsigned int naive_next(const bool *model, bool value, unsigned int from)
{
	while (from < BITS && model[from] != value)
		from++;
	return from;
}

static unsigned int naive_area(const bool *model, unsigned int from, unsigned int count,
			       unsigned int align)
{
	for (unsigned int at = ALIGN_UP(from, align); at + count <= BITS; at += align) {
		unsigned int i = 0;

		while (i < count && !model[at + i])
			i++;
		if (i == count)
			return at;
	}
	return BITS;
}

static void bitmap_agrees_with_an_array_of_bools(void **state)
{
	DECLARE_BITMAP(map, BITS) = { 0 };
	bool model[BITS] = { false };
	u64 r = random_seed();

	(void)state;
	for (int round = 0; round < 20000; round++) {
		unsigned int at = host_random(&r) % BITS, n = host_random(&r) % (BITS - at + 1);
		unsigned int align = 1U << host_random(&r) % 6, count = 1 + host_random(&r) % 40;
		unsigned int weight = 0, found;
		bool set = host_random(&r) % 2;

		if (host_random(&r) % 4)
			n = min(n, host_random(&r) % 5);
		set ? bitmap_set(map, at, n) : bitmap_clear(map, at, n);
		for (unsigned int i = at; i < at + n; i++)
			model[i] = set;
		for (unsigned int i = 0; i < BITS; i++)
			weight += model[i];
		assert_int_equal(bitmap_weight(map, BITS), weight);
		at = host_random(&r) % (BITS + 1);
		assert_int_equal(find_next_bit(map, BITS, at), naive_next(model, true, at));
		assert_int_equal(find_next_zero_bit(map, BITS, at), naive_next(model, false, at));
		found = bitmap_find_next_zero_area(map, BITS, at, count, align);
		assert_int_equal(min(found, BITS), naive_area(model, at, count, align));
		if (at < BITS)
			assert_int_equal(test_bit(at, map), model[at]);
	}
}

static void bitmap_never_looks_beyond_its_size(void **state)
{
	unsigned long map[2] = { 0, ~0UL };	/* bits 64 .. 69 belong to it, the rest does not */

	(void)state;
	assert_int_equal(bitmap_weight(map, 70), 6);
	assert_int_equal(find_next_zero_bit(map, 70, 64), 70);
	assert_int_equal(find_next_bit(map, 64, 0), 64);
	assert_int_equal(find_next_bit(map, 0, 0), 0);
	assert_true(bitmap_find_next_zero_area(map, 70, 0, 65, 1) >= 70);
}

/* ---- Radix tree ------------------------------------------------------------------------------ */

#define KEYS	64

struct naive {
	unsigned long key[KEYS];
	void *item[KEYS];
};

static void *naive_next_key(const struct naive *m, unsigned long *key)
{
	void *item = NULL;
	unsigned long best = 0;

	for (unsigned int i = 0; i < KEYS; i++)
		if (m->item[i] && m->key[i] >= *key && (!item || m->key[i] < best)) {
			best = m->key[i];
			item = m->item[i];
		}
	if (item)
		*key = best;
	return item;
}

static void radix_step(struct radix_tree *tree, struct naive *m, u64 *r)
{
	unsigned int i = host_random(r) % KEYS;
	unsigned long key = m->key[i], at, naive_at;
	void *item = (void *)(unsigned long)(16 * (1 + host_random(r)));

	switch (host_random(r) % 4) {
	case 0:
		assert_int_equal(radix_insert(tree, key, item), m->item[i] ? -EEXIST : 0);
		m->item[i] = m->item[i] ? m->item[i] : item;
		break;
	case 1:
		assert_ptr_equal(radix_delete(tree, key), m->item[i]);
		m->item[i] = NULL;
		break;
	case 2:
		if (m->item[i])
			assert_ptr_equal(radix_replace(tree, key, item), m->item[i]);
		m->item[i] = m->item[i] ? item : NULL;
		break;
	}
	at = naive_at = host_random(r) % 2 ? key : key + 1;
	if (key != ~0UL) {
		item = naive_next_key(m, &naive_at);
		assert_ptr_equal(radix_next(tree, &at), item);
		if (item)
			assert_int_equal(at, naive_at);
	}
	for (i = 0; i < KEYS; i++)
		assert_ptr_equal(radix_lookup(tree, m->key[i]), m->item[i]);
}

static void check_walk(const struct radix_tree *tree)
{
	struct radix_cursor at = radix_first(tree, 0);
	unsigned long key = 0;
	void *item;

	for (; (item = radix_next(tree, &key)); key++, at = radix_after(tree, at)) {
		assert_non_null(at.slot);
		assert_ptr_equal(*at.slot, item);
		assert_int_equal(at.key, key);
		if (key == ~0UL)
			return;
	}
	assert_null(at.slot);
}

static void radix_agrees_with_a_list(void **state)
{
	u64 r = random_seed();

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct radix_tree tree = { 0 };
		struct naive m = { .key = { 0, ~0UL, 62, 63, 64, 4095, 4096 } };
		size_t live = host_bytes_live();
		unsigned int count = 0;

		for (unsigned int i = 7; i < KEYS; i++)		/* all different: by the top bits */
			m.key[i] = (unsigned long)i << 57 >> host_random(&r) % 2 * 45 | i << 8;
		for (int step = 0; step < 200; step++)
			radix_step(&tree, &m, &r);
		check_walk(&tree);
		for (unsigned int i = 0; i < KEYS; i++)
			count += m.item[i] != NULL;
		assert_int_equal(tree.count, count);
		radix_destroy(&tree);
		assert_int_equal(host_bytes_live(), live);
	}
}

static bool insert_far(void *arg)
{
	struct radix_tree *tree = arg;
	unsigned int count = tree->count;
	bool ok = radix_insert(tree, 1UL << 60, tree) == 0;

	assert_ptr_equal(radix_lookup(tree, 5), arg);
	assert_ptr_equal(radix_lookup(tree, 1UL << 60), ok ? arg : NULL);
	assert_int_equal(tree->count, count + ok);
	return ok;
}

static void radix_insert_without_memory_leaves_the_content_as_it_was(void **state)
{
	(void)state;
	for (long n = 1;; n++) {
		struct radix_tree tree = { 0 };
		size_t live = host_bytes_live();
		bool ok;

		assert_int_equal(radix_insert(&tree, 5, &tree), 0);
		host_fail_after(n);
		ok = insert_far(&tree);
		host_fail_after(-1);
		radix_destroy(&tree);
		assert_int_equal(host_bytes_live(), live);
		if (ok)
			break;
	}
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static char json_text[4096];

static void json_put(void *arg, const char *text, size_t len)
{
	(void)arg;
	strncat(json_text, text, len);
}

static void json_puts_commas_and_escapes(void **state)
{
	struct json j;

	(void)state;
	json_text[0] = '\0';
	json_init(&j, json_put, NULL);
	json_open(&j, "{");
	json_key(&j, "a");
	json_int(&j, -9223372036854775807LL - 1);
	json_key(&j, "b");
	json_open(&j, "[");
	json_uint(&j, 18446744073709551615ULL);
	json_open(&j, "[");
	json_close(&j, "]");
	json_bool(&j, true);
	json_bool(&j, false);
	json_null(&j);
	json_close(&j, "]");
	json_key(&j, "c");
	json_string(&j, "q\"b\\n\n\t\x01/\x7f\xc3\xa9");
	json_key(&j, "d");
	json_open(&j, "{");
	json_close(&j, "}");
	json_key(&j, "e");
	json_string(&j, NULL);
	json_key(&j, "f");
	json_stringf(&j, "%04x", 0x1f);
	json_close(&j, "}");
	assert_string_equal(json_text,
		"{\"a\":-9223372036854775808,\"b\":[18446744073709551615,[],true,false,null],"
		"\"c\":\"q\\\"b\\\\n\\u000a\\u0009\\u0001/\\u007f\xc3\xa9\",\"d\":{},\"e\":null,\"f\":\"001f\"}");
}

static void json_cuts_formatted_strings_at_255_bytes(void **state)
{
	struct json j;

	(void)state;
	json_text[0] = '\0';
	json_init(&j, json_put, NULL);
	json_stringf(&j, "%0300d", 7);
	assert_int_equal(strlen(json_text), 255 + 2);
}

/* ---- CRC, errno, list ------------------------------------------------------------------------ */

static void crc32_gives_zlibs_values(void **state)
{
	u8 zeros[512] = { 0 };

	(void)state;
	assert_int_equal(crc32(0, "", 0), 0);
	assert_int_equal(crc32(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32(crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
	assert_int_equal(crc32(0, zeros, sizeof(zeros)), 0xb2aa7578);
	assert_int_equal(crc32(0, "The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
}

static void errname_knows_both_signs(void **state)
{
	(void)state;
	assert_string_equal(errname(ENOMEM), "ENOMEM");
	assert_string_equal(errname(-ENOMEM), "ENOMEM");
	assert_string_equal(errname(-ENOTSUPP), "ENOTSUPP");
	assert_string_equal(errname(-9999), "E?");
}

struct item {
	int n;
	struct list_head link;
};

static void list_survives_removal_while_walked(void **state)
{
	struct item items[5], *pos, *next;
	LIST_HEAD(head);
	int sum = 0;

	(void)state;
	for (int i = 0; i < 5; i++) {
		items[i].n = i;
		list_add_tail(&items[i].link, &head);
	}
	list_for_each_entry_safe(pos, next, &head, link)
		if (pos->n % 2)
			list_del_init(&pos->link);
	list_for_each_entry(pos, &head, link)
		sum = sum * 10 + pos->n;
	assert_int_equal(sum, 24);
	assert_true(list_empty(&items[1].link));
	assert_int_equal(list_first_entry(&head, struct item, link)->n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bitmap_agrees_with_an_array_of_bools),
		T(bitmap_never_looks_beyond_its_size),
		T(radix_agrees_with_a_list),
		T(radix_insert_without_memory_leaves_the_content_as_it_was),
		T(json_puts_commas_and_escapes),
		T(json_cuts_formatted_strings_at_255_bytes),
		T(crc32_gives_zlibs_values),
		T(errname_knows_both_signs),
		T(list_survives_removal_while_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
