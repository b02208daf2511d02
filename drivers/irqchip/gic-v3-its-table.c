/*
 * ITS, its tables: memory that the kernel gives and only the ITS reads and writes. Each GITS_BASER
 * register asks for one kind. Manual: GICv3 architecture, 5.2 and GITS_BASER<n>.
 *
 *   flat                              two-level (Indirect)
 *   | entry | entry | entry | …       | page 0 | - | page 2 | …     8 bytes each, bit 63: valid
 *                                        '-> | entry | entry | …    a page, when first needed
 *
 * A device table has a place for every possible DeviceID, which for PCI are 65536, nearly all
 * empty; so it gets two levels where flat would be large. Page sizes are tried from the smallest:
 * an ITS may know only one, and tells by what reads back.
 */
#include <drivers/irqchip/gic-v3.h>
#include <drivers/irqchip/gic-v3-its.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

#define BASER_TYPE(v)		((v) >> 56 & 7)
#define  TYPE_DEVICE		1
#define  TYPE_COLLECTION	4
#define BASER_ENTRY_SIZE(v)	(((v) >> 48 & 0x1f) + 1)
#define BASER_PAGE_SIZE(i)	((u64)(i) << 8)		/* 0: 4 KiB, 1: 16, 2: 64 */
#define BASER_MAX_PAGES		256

#define FLAT_LIMIT		0x10000UL	/* bytes; beyond, two levels save memory */

struct table {
	unsigned int page_shift_index;	/* of BASER_PAGE_SIZE */
	u64 page_size;
	u64 pages;
	bool two_level;
	char *base;
	unsigned int order;
};

static void free_table(struct its *its, unsigned int n)
{
	if (!its->table[n].base)
		return;
	writeq(0, its->regs + GITS_BASER(n));
	free_pages(its->table[n].base, its->table[n].order);
	its->table[n].base = NULL;
}

void its_tables_free(struct its *its)
{
	for (unsigned int n = 0; n < GITS_NR_BASER; n++)
		free_table(its, n);
}

/* How a table of BYTES would look with such pages; false if it does not fit. */
static bool plan(struct table *t, unsigned int index, u64 bytes, bool may_split)
{
	t->page_shift_index = index;
	t->page_size = 0x1000UL << 2 * index;
	t->two_level = may_split && bytes > max(FLAT_LIMIT, t->page_size);
	if (t->two_level)
		bytes = DIV_ROUND_UP(bytes, t->page_size) * sizeof(le64);
	t->pages = DIV_ROUND_UP(bytes, t->page_size);
	return t->pages <= BASER_MAX_PAGES;
}

static u64 table_address(const struct table *t)
{
	u64 address = (uintptr_t)t->base;

	/* 64 KiB pages leave bits 15:12 free for bits 51:48. [GIC3 GITS_BASER<n>] */
	return t->page_size == 0x10000 ? (address & GENMASK(47, 16)) | (address >> 48 & 0xf) << 12
				       : address;
}

/* Offers the table; true if it is taken as it is. */
static bool offer(struct its *its, unsigned int n, const struct table *t)
{
	u64 value = GITS_BASER_Valid | GITS_BASER_CACHED | table_address(t) |
		    (t->two_level ? GITS_BASER_Indirect : 0) |
		    BASER_PAGE_SIZE(t->page_shift_index) | (t->pages - 1);
	u64 shape = GITS_BASER_Indirect | BASER_PAGE_SIZE(3), back;

	writeq(value, its->regs + GITS_BASER(n));
	back = readq(its->regs + GITS_BASER(n));
	return (back & shape) == (value & shape) && (back & GIC_BASER_Shareability);
}

/* First with two levels, if that is worth it and the ITS can, then flat. */
static int make_table(struct its *its, unsigned int n, u64 bytes, bool may_split,
		      struct table *t)
{
	for (int split = may_split; split >= 0; split--) {
		for (unsigned int index = 0; index < 3; index++) {
			if (!plan(t, index, bytes, split))
				continue;
			t->order = get_order(t->pages * t->page_size);
			t->base = alloc_pages(t->order);
			if (!t->base)
				return -ENOMEM;
			its->table[n].base = t->base;
			its->table[n].order = t->order;
			if (offer(its, n, t))
				return 0;
			free_table(its, n);
		}
	}
	pr_err("%s: GITS_BASER%u takes no table of %llu bytes in any page size, shared and cached",
	       its->name, n, (unsigned long long)bytes);
	return -ENODEV;
}

static int make_device_table(struct its *its, unsigned int n, unsigned int entry_size)
{
	struct table t;
	int ret = make_table(its, n, (u64)entry_size << its->device_bits, true, &t);

	if (ret || !t.two_level)
		return ret;
	its->level1 = (le64 *)t.base;
	its->level1_page = t.page_size;
	its->device_entry_size = entry_size;
	return 0;
}

/* Collections are numbered like CPUs; one that has no table holds as many itself. */
int its_tables_init(struct its *its)
{
	for (unsigned int n = 0; n < GITS_NR_BASER; n++) {
		u64 value = readq(its->regs + GITS_BASER(n));
		unsigned int entry_size = BASER_ENTRY_SIZE(value);
		struct table t;
		int ret = 0;

		writeq(value & ~GITS_BASER_Valid, its->regs + GITS_BASER(n));
		if (BASER_TYPE(value) == TYPE_DEVICE)
			ret = make_device_table(its, n, entry_size);
		else if (BASER_TYPE(value) == TYPE_COLLECTION)
			ret = make_table(its, n, (u64)entry_size * nr_cpu_ids, false, &t);
		if (ret) {
			its_tables_free(its);
			return ret;
		}
	}
	return 0;
}

int its_table_reach(struct its *its, u32 device_id)
{
	unsigned int index;
	void *page;

	if ((u64)device_id >> its->device_bits) {
		pr_err("%s: device id %#x, where it knows ids of %u bits", its->name, device_id,
		       its->device_bits);
		return -ERANGE;
	}
	if (!its->level1)
		return 0;
	index = device_id / (its->level1_page / its->device_entry_size);
	if (le64_to_cpu(its->level1[index]))
		return 0;
	page = alloc_pages(get_order(its->level1_page));
	if (!page)
		return -ENOMEM;
	its->level1[index] = cpu_to_le64((uintptr_t)page | BIT(63));
	return 0;	/* the MAPD that follows is written behind it */
}
