/* The kernel's own memory management, kernel/mm.c, page.c and heap.c, on a pretended machine. */
#include "support/real-mm.h"

#include <kernel/mm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"
#include "support/die.h"
#include "support/random.h"
#include "support/rec.h"
#include "support/tree.h"

/* 64 MiB of RAM with a hole; the image, the tree and a reserved region in it. */
#define RAM_SIZE	(64UL << 20)
#define IMAGE		0x200000
#define IMAGE_END	0x2f0000
#define TREE		0x300000
#define RESERVED	0x800000
#define RESERVED_SIZE	0x123456
#define HOLE		0x2000000UL
#define HOLE_SIZE	0x1000000UL

char test_ram[RAM_SIZE] __attribute__((aligned(1 << 24)));
__asm__(".globl real_text_start, real_image_end\n"
	".set real_text_start, test_ram + 0x200000\n"
	".set real_image_end, test_ram + 0x2f0000\n");

static struct tree t;
static u64 seed;

static void cells64(u32 *cell, u64 v)
{
	cell[0] = v >> 32;
	cell[1] = v;
}

static void *make_tree(void)
{
	u64 ram = (u64)test_ram;
	u32 reg[8];
	size_t size;
	const void *blob;

	tree_begin(&t);
	tree_cells(&t, "#address-cells", 1, 2);
	tree_cells(&t, "#size-cells", 1, 2);
	tree_node(&t, "memory@1");
	tree_string(&t, "device_type", "memory");
	cells64(reg, ram);
	cells64(reg + 2, HOLE);
	cells64(reg + 4, ram + HOLE + HOLE_SIZE);
	cells64(reg + 6, RAM_SIZE - HOLE - HOLE_SIZE);
	tree_cell_array(&t, "reg", reg, 8);
	tree_end(&t);
	tree_node(&t, "reserved-memory");
	tree_cells(&t, "#address-cells", 1, 2);
	tree_cells(&t, "#size-cells", 1, 2);
	tree_empty(&t, "ranges");
	tree_node(&t, "fw");
	cells64(reg, ram + RESERVED);
	cells64(reg + 2, RESERVED_SIZE);
	tree_cell_array(&t, "reg", reg, 4);
	tree_end(&t);
	tree_end(&t);
	blob = tree_finish(&t, &size);
	return memcpy(test_ram + TREE, blob, size);
}

/* Once: these files have their state outside of what host_init() restores. */
static int start(void **state)
{
	(void)state;
	host_init(1);
	seed = random_seed();
	memset(test_ram, 0xa5, sizeof(test_ram));
	mm_early_init(make_tree());
	for (int i = 0; i < 5; i++) {
		char *page = mm_table_page();

		assert_int_equal((u64)page % PAGE_SIZE, 0);
		assert_int_equal(page[0] | page[4095], 0);
		memset(page, 0xee, PAGE_SIZE);
	}
	mm_init();
	return 0;
}

static bool overlaps(u64 a, u64 an, u64 b, u64 bn)
{
	return a < b + bn && b < a + an;
}

static void check_allowed(u64 addr, u64 size)
{
	u64 at = addr - (u64)test_ram;

	assert_true(at < RAM_SIZE && size <= RAM_SIZE - at);
	assert_false(overlaps(at, size, IMAGE, IMAGE_END - IMAGE));
	assert_false(overlaps(at, size, TREE, 1));
	assert_false(overlaps(at, size, RESERVED, RESERVED_SIZE));
	assert_false(overlaps(at, size, HOLE, HOLE_SIZE));
	assert_false(overlaps(addr, size, mem_stack_arena.start,
			      mem_stack_arena.end - mem_stack_arena.start));
}

static void ram_is_what_the_tree_says(void **state)
{
	(void)state;
	assert_true(mem_is_ram((u64)test_ram + RESERVED, 1));
	assert_true(mem_is_ram((u64)test_ram + HOLE - 1, 2));
	assert_false(mem_is_ram((u64)test_ram + HOLE, HOLE_SIZE));
	assert_in_range(mem_total(), RAM_SIZE - HOLE_SIZE - (6UL << 20), RAM_SIZE - HOLE_SIZE);
	assert_int_equal(mem_free(), mem_total());
}

/* ---- Pages ------------------------------------------------------------------------------------------- */

static void all_pages_are_given_once_and_come_back_whole(void **state)
{
	static char *page[RAM_SIZE / PAGE_SIZE];
	size_t before = mem_free(), n = 0;
	void *big;

	(void)state;
	while ((page[n] = alloc_pages(0))) {
		check_allowed((u64)page[n], PAGE_SIZE);
		for (unsigned int i = 0; i < PAGE_SIZE; i += 512)
			assert_int_equal(page[n][i], 0);
		memset(page[n], n, PAGE_SIZE);
		n++;
	}
	assert_int_equal(n, before / PAGE_SIZE);
	assert_int_equal(mem_free(), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal((u8)page[i][4095], (u8)i);
	for (size_t i = 0; i < n; i++)		/* every other one first: nothing merges at once */
		if (i % 2)
			free_pages(page[i], 0);
	assert_null(alloc_pages(1));
	for (size_t i = 0; i < n; i += 2)
		free_pages(page[i], 0);
	assert_int_equal(mem_free(), before);
	big = alloc_pages(11);			/* 8 MiB: all has merged again */
	assert_non_null(big);
	assert_int_equal((u64)big % (8UL << 20), 0);
	free_pages(big, 11);
	assert_null(alloc_pages(13));
	assert_null(alloc_pages(64));
}

#define BLOCKS	400

static void random_blocks_never_overlap(void **state)
{
	static struct {
		char *p;
		unsigned int order;
	} block[BLOCKS];
	size_t before = mem_free();
	u64 r = seed;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		unsigned int i = host_random(&r) % BLOCKS, order = host_random(&r) % 7;

		if (block[i].p) {
			size_t size = PAGE_SIZE << block[i].order;

			assert_int_equal((u8)block[i].p[0], (u8)i);
			assert_int_equal((u8)block[i].p[size - 1], (u8)i);
			free_pages(block[i].p, block[i].order);
			block[i].p = NULL;
			continue;
		}
		block[i].p = alloc_pages(order);
		block[i].order = order;
		if (!block[i].p)
			continue;
		check_allowed((u64)block[i].p, PAGE_SIZE << order);
		assert_int_equal((u64)block[i].p % (PAGE_SIZE << order), 0);
		assert_int_equal(block[i].p[0] | block[i].p[(PAGE_SIZE << order) - 1], 0);
		memset(block[i].p, i, PAGE_SIZE << order);
	}
	for (unsigned int i = 0; i < BLOCKS; i++)
		if (block[i].p)
			free_pages(block[i].p, block[i].order);
	assert_int_equal(mem_free(), before);
}

static bool all_zero(const char *p, size_t size)
{
	return !p[0] && !memcmp(p, p + 1, size - 1);
}

/* Of what was in use before, whether or not the CPU clears by the cache block. */
static void pages_are_zero(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		for (unsigned int order = 0; order < 5; order++) {
			size_t size = PAGE_SIZE << order, before = host_cleared;
			char *p = alloc_pages(order);

			memset(p, 0xa5, size);
			free_pages(p, order);
			host_clears = way;
			assert_ptr_equal(alloc_pages(order), p);
			host_clears = false;
			assert_true(all_zero(p, size));
			assert_int_equal(host_cleared - before, way ? size : 0);
			free_pages(p, order);
		}
	}
}

static void orders(void **state)
{
	(void)state;
	assert_int_equal(get_order(1), 0);
	assert_int_equal(get_order(PAGE_SIZE), 0);
	assert_int_equal(get_order(PAGE_SIZE + 1), 1);
	assert_int_equal(get_order(16 * PAGE_SIZE), 4);
	assert_null(alloc_pages(get_order(1UL << 60)));
}

/* ---- The heap ------------------------------------------------------------------------------------------ */

#define OBJECTS	2000

static size_t random_size(u64 *r)
{
	switch (host_random(r) % 8) {
	case 0:
		return 1UL << host_random(r) % 14;
	case 1:
		return 1 + host_random(r) % 20000;
	default:
		return 1 + host_random(r) % 300;
	}
}

static void random_objects_never_overlap(void **state)
{
	static struct {
		u8 *p;
		size_t size;
	} object[OBJECTS];
	size_t before = mem_free();
	u64 r = seed;

	(void)state;
	for (int step = 0; step < 60000; step++) {
		unsigned int i = host_random(&r) % OBJECTS;
		size_t size = random_size(&r);

		if (object[i].p) {
			for (size_t k = 0; k < object[i].size; k += 1 + object[i].size / 16)
				assert_int_equal(object[i].p[k], (u8)(i + k));
			kfree(object[i].p);
			object[i].p = NULL;
			continue;
		}
		object[i].p = kmalloc(size);
		object[i].size = size;
		assert_non_null(object[i].p);
		check_allowed((u64)object[i].p, size);
		assert_int_equal((u64)object[i].p % 16, 0);
		if (!(size & (size - 1)))
			assert_int_equal((u64)object[i].p % min(size, PAGE_SIZE), 0);
		for (size_t k = 0; k < size; k++)
			object[i].p[k] = i + k;
	}
	for (unsigned int i = 0; i < OBJECTS; i++)
		kfree(object[i].p);
	assert_true(before - mem_free() <= 64 * PAGE_SIZE);	/* a page of each kind may stay */
}

static void heap_helpers(void **state)
{
	char *p = kzalloc(5000), *q;

	(void)state;
	for (int i = 0; i < 5000; i++)
		assert_int_equal(p[i], 0);
	memset(p, 1, 5000);
	kfree(p);
	p = kcalloc(25, 4);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	kfree(p);
	assert_null(kcalloc(1UL << 61, 8));
	assert_null(kmalloc(1UL << 40));
	kfree(NULL);
	p = kasprintf("%s-%d", "disk", 12);
	q = kstrdup(p);
	assert_string_equal(q, "disk-12");
	kfree(p);
	kfree(q);
}

/* First never used, then freed between others that stay, and so to be given again. */
static void small_objects_are_zeroed(void **state)
{
	static char *object[1000];

	(void)state;
	for (int round = 0; round < 4; round++) {
		size_t before = mem_free();

		for (int i = 0; i < 1000; i++) {
			if (object[i])
				continue;
			object[i] = kzalloc(100);
			assert_true(all_zero(object[i], 100));
			memset(object[i], 0xa5, 100);
		}
		assert_true(!round || mem_free() + PAGE_SIZE >= before);
		for (int i = 0; i < 1000; i++) {
			if (round < 3 && i % 2 == round % 2)
				continue;
			kfree(object[i]);
			object[i] = NULL;
		}
	}
}

static void nothing_and_far_too_much(void **state)
{
	void *p = kmalloc(0), *q = kzalloc(0);

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	assert_ptr_not_equal(p, q);
	kfree(p);
	kfree(q);
	for (unsigned int i = 0; i < 20; i++)
		assert_null(kzalloc(-1UL - i));
}

/* All but one for the next object, and that of the one that stays: the oldest, the newest or none. */
static void empty_slabs_go_back(void **state)
{
	static void *object[600];

	(void)state;
	for (size_t size = 16; size <= 1024; size += 16) {
		kfree(kmalloc(size));		/* the one that stays is there */
		for (int way = 0; way < 6; way++) {
			int stays = (const int[]){ 0, 599, -1 }[way / 2];
			size_t before = mem_free();

			for (int i = 0; i < 600; i++)
				object[i] = kmalloc(size);
			for (int i = 0; i < 600; i++) {
				int n = way % 2 ? i : 599 - i;

				if (n != stays)
					kfree(object[n]);
			}
			assert_true(mem_free() + PAGE_SIZE >= before);
			if (stays >= 0)
				kfree(object[stays]);
			assert_int_equal(mem_free(), before);
		}
	}
}

static void heap_says_no_when_memory_is_out(void **state)
{
	static void *block[4096], *object[4096];
	unsigned int n = 0, m = 0;
	size_t before = mem_free();

	(void)state;
	for (int order = 12; order >= 0; order--)
		while (n < 4096 && (block[n] = alloc_pages(order)))
			block[n] = (char *)block[n] + order, n++;
	while (m < 4096 && (object[m] = kmalloc(512)))
		m++;
	assert_true(m < 4096);
	assert_null(kmalloc(5000));
	while (m--)
		kfree(object[m]);
	while (n--)
		free_pages((void *)ALIGN_DOWN((u64)block[n], PAGE_SIZE), (u64)block[n] % PAGE_SIZE);
	assert_true(before - mem_free() <= PAGE_SIZE);
}

static void free_page_twice(void)
{
	void *p = alloc_pages(1);

	free_pages(p, 1);
	free_pages(p, 1);
}

static void free_wrong_order(void) { free_pages(alloc_pages(2), 1); }

static void free_object_twice(void)
{
	void *p = kmalloc(40), *q = kmalloc(40);

	kfree(p);
	kfree(p);
	kfree(q);
}

static void free_inside(void) { kfree((char *)kmalloc(100) + 16); }
/* Slots follow each other: the one behind a slab's last that was given. */
static void free_what_comes_next(void)
{
	char *p = kmalloc(112), *q = kmalloc(112);

	kfree(q + (q - p));
}

static void free_large_twice(void)
{
	void *p = kmalloc(9000);

	kfree(p);
	kfree(p);
}

static void wrong_frees_end_the_kernel(void **state)
{
	(void)state;
	must_die(free_page_twice, "free_pages");
	must_die(free_wrong_order, "free_pages");
	must_die(free_object_twice, "kfree");
	must_die(free_inside, "kfree");
	must_die(free_what_comes_next, "kfree");
	must_die(free_large_twice, "kfree");
}

/* ---- Stacks -------------------------------------------------------------------------------------------- */

static void free_stack_twice(void)
{
	void *p = stack_alloc();

	stack_free(p);
	stack_free(p);
}

static void stacks_have_a_guard_page_and_an_end(void **state)
{
	char *stack[1024];
	unsigned int n = 0;

	(void)state;
	while (n < 1024 && (stack[n] = stack_alloc())) {
		assert_true((u64)stack[n] - PAGE_SIZE >= mem_stack_arena.start);
		assert_true((u64)stack[n] + STACK_SIZE <= mem_stack_arena.end);
		assert_int_equal(((u64)stack[n] - PAGE_SIZE - mem_stack_arena.start) % STACK_SLOT, 0);
		memset(stack[n], n, STACK_SIZE);
		n++;
	}
	assert_in_range(n, 64, 1023);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal((u8)stack[i][0], (u8)i);
		stack_free(stack[i]);
	}
	assert_ptr_equal(stack_alloc(), stack[0]);
	stack_free(stack[0]);
	must_die(free_stack_twice, "stack_free");
}

/* ---- A header that lies: found before the tree is read for memory ---- */

static void tree_that_claims_too_much(void)
{
	u8 *blob = make_tree();

	blob[4] = 0x10;			/* the size's highest byte */
	mm_early_init(blob);
}

static void tree_at_an_odd_address(void)
{
	u8 *blob = make_tree();

	mm_early_init(memmove(blob + 4, blob, PAGE_SIZE));
}

static void headers_that_lie_end_the_boot(void **state)
{
	(void)state;
	must_die(tree_that_claims_too_much, "its header claims");
	must_die(tree_at_an_odd_address, "is not that of a tree");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_is_what_the_tree_says),
		cmocka_unit_test(all_pages_are_given_once_and_come_back_whole),
		cmocka_unit_test(random_blocks_never_overlap),
		cmocka_unit_test(pages_are_zero),
		cmocka_unit_test(orders),
		cmocka_unit_test(random_objects_never_overlap),
		cmocka_unit_test(heap_helpers),
		cmocka_unit_test(small_objects_are_zeroed),
		cmocka_unit_test(nothing_and_far_too_much),
		cmocka_unit_test(empty_slabs_go_back),
		cmocka_unit_test(heap_says_no_when_memory_is_out),
		cmocka_unit_test(wrong_frees_end_the_kernel),
		cmocka_unit_test(stacks_have_a_guard_page_and_an_end),
		cmocka_unit_test(headers_that_lie_end_the_boot),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
