/*
 * Memory as the device tree describes it, sorted out before there is an allocator. [DT 3.4, 5.3]
 *
 *	memory nodes ----------------------------> mem_ram
 *	  less memreserve block, /reserved-memory  mem_usable	what the page tables cover
 *	  less image, tree, stack arena, early pages ---------> the page allocator (page.c)
 *
 * The stack arena lies at the start of the first range that is large enough; early pages (page
 * tables) are taken behind it. A stack slot is a guard page with the stack above it:
 *
 *	| guard | stack 16 KiB | guard | stack 16 KiB | …
 */
#include <kernel/cpu.h>
#include <kernel/mm.h>
#include <kernel/of.h>
#include <kernel/page.h>
#include <kernel/printk.h>
#include <lib/bitmap.h>
#include <libfdt.h>
#include <string.h>

#define MAX_RANGES	32
#define NR_STACKS	128

extern char __text_start[], __image_end[];

struct mem_range mem_ram[MAX_RANGES], mem_usable[MAX_RANGES];
unsigned int mem_nr_ram, mem_nr_usable;
struct mem_range mem_fdt, mem_stack_arena;

static struct mem_range early;		/* where early pages come from */

static spinlock_t stack_lock;
static DECLARE_BITMAP(stack_used, NR_STACKS);

/* ---- Sets of ranges ------------------------------------------------------------------------- */

/* Takes [start, end) out of each of the N ranges; returns the new number. */
static unsigned int subtract(struct mem_range *set, unsigned int n, u64 start, u64 end)
{
	unsigned int old = n;

	for (unsigned int i = 0; i < old; i++) {
		struct mem_range *r = &set[i];

		if (end <= r->start || start >= r->end)
			continue;
		if (start > r->start && end < r->end) {
			if (n == MAX_RANGES)
				panic("memory: more than %d ranges", MAX_RANGES);
			set[n++] = (struct mem_range){ end, r->end };
			r->end = start;
		} else if (start > r->start) {
			r->end = start;
		} else {
			r->start = min(end, r->end);
		}
	}
	return n;
}

static void reserve(u64 start, u64 end)
{
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = end > ~0ULL - PAGE_SIZE ? ALIGN_DOWN(end, PAGE_SIZE) : ALIGN_UP(end, PAGE_SIZE);
	mem_nr_usable = subtract(mem_usable, mem_nr_usable, start, end);
}

static void add_ram(u64 start, u64 size)
{
	u64 end = start + size < start ? ~0ULL : start + size;

	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (start >= end)
		return;
	mem_nr_ram = subtract(mem_ram, mem_nr_ram, start, end);	/* nodes may overlap */
	if (mem_nr_ram == MAX_RANGES)
		panic("memory: more than %d ranges", MAX_RANGES);
	mem_ram[mem_nr_ram++] = (struct mem_range){ start, end };
}

bool mem_is_ram(phys_addr_t start, size_t size)
{
	for (unsigned int i = 0; i < mem_nr_ram; i++)
		if (start < mem_ram[i].end && start + size > mem_ram[i].start)
			return true;
	return false;
}

/* ---- The tree ------------------------------------------------------------------------------- */

static u64 read_cells(const fdt32_t *cell, int n)
{
	u64 v = 0;

	while (n-- > 0)
		v = v << 32 | fdt32_ld(cell++);
	return v;
}

/* Calls FN for each (address, size) of a node's reg. */
static void for_each_reg(const void *fdt, int node, int parent, void (*fn)(u64 start, u64 size))
{
	int ac = fdt_address_cells(fdt, parent), sc = fdt_size_cells(fdt, parent), len;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || ac < 1 || ac > 2 || sc < 1 || sc > 2)
		return;
	for (len /= sizeof(*reg); len >= ac + sc; len -= ac + sc, reg += ac + sc)
		fn(read_cells(reg, ac), read_cells(reg + ac, sc));
}

static bool is_memory(const void *fdt, int node)
{
	const char *type = fdt_getprop(fdt, node, "device_type", NULL);
	const char *status = fdt_getprop(fdt, node, "status", NULL);

	return type && !strcmp(type, "memory") && (!status || !strcmp(status, "okay"));
}

static void reserve_reg(u64 start, u64 size)
{
	reserve(start, start + size < start ? ~0ULL : start + size);
}

static void read_tree(const void *fdt)
{
	int node, reserved = -1;
	const char *name;

	fdt_for_each_subnode(node, fdt, 0) {
		if (is_memory(fdt, node))
			for_each_reg(fdt, node, 0, add_ram);
		name = fdt_get_name(fdt, node, NULL);
		if (name && !strcmp(name, "reserved-memory"))
			reserved = node;
	}
	memcpy(mem_usable, mem_ram, sizeof(mem_ram));
	mem_nr_usable = mem_nr_ram;

	for (int i = fdt_num_mem_rsv(fdt) - 1; i >= 0; i--) {
		u64 start = 0, size = 0;

		fdt_get_mem_rsv(fdt, i, &start, &size);
		reserve_reg(start, size);
	}
	if (reserved >= 0)
		fdt_for_each_subnode(node, fdt, reserved)
			for_each_reg(fdt, node, reserved, reserve_reg);
}

/* ---- What the kernel takes before its allocator --------------------------------------------- */

/* Usable ranges without the image and the tree: returns their number. */
static unsigned int free_ranges(struct mem_range *set)
{
	unsigned int n = mem_nr_usable;

	memcpy(set, mem_usable, sizeof(mem_usable));
	n = subtract(set, n, (u64)__text_start, (u64)__image_end);
	return subtract(set, n, mem_fdt.start, mem_fdt.end);
}

static void set_stacks_aside(void)
{
	struct mem_range set[MAX_RANGES];
	unsigned int n = free_ranges(set);
	u64 arena = NR_STACKS * STACK_SLOT;

	for (unsigned int i = 0; i < n; i++) {
		if (set[i].end - set[i].start < arena * 2)
			continue;
		mem_stack_arena = (struct mem_range){ set[i].start, set[i].start + arena };
		early = (struct mem_range){ set[i].start + arena, set[i].end };
		return;
	}
	panic("memory: no range of %llu KiB is free for stacks and page tables",
	      (unsigned long long)arena * 2 / 1024);
}

void mm_early_init(const void *fdt)
{
	if (of_check_header(fdt))
		panic("without a device tree there is nothing to run on");
	mem_fdt.start = ALIGN_DOWN((u64)fdt, PAGE_SIZE);
	mem_fdt.end = ALIGN_UP((u64)fdt + fdt_totalsize(fdt), PAGE_SIZE);
	read_tree(fdt);
	if (!mem_nr_usable)
		panic("device tree at %p describes no usable memory", fdt);
	set_stacks_aside();
}

void *mm_table_page(void)
{
	void *page = (void *)early.start;

	if (early.start == early.end)
		return alloc_pages(0);
	early.start += PAGE_SIZE;
	return memset(page, 0, PAGE_SIZE);
}

void mm_init(void)
{
	struct mem_range set[MAX_RANGES];
	unsigned int n = free_ranges(set);

	n = subtract(set, n, mem_stack_arena.start, early.start);
	early.end = early.start;
	for (unsigned int i = 0; i < n; i++)
		page_add_range(set[i].start, set[i].end);
}

/* ---- Stacks --------------------------------------------------------------------------------- */

void *stack_alloc(void)
{
	unsigned long flags = spin_lock_irqsave(&stack_lock);
	unsigned int slot = find_next_zero_bit(stack_used, NR_STACKS, 0);

	if (slot < NR_STACKS)
		__set_bit(slot, stack_used);
	spin_unlock_irqrestore(&stack_lock, flags);
	if (slot == NR_STACKS)
		return NULL;
	return (void *)(mem_stack_arena.start + slot * STACK_SLOT + PAGE_SIZE);
}

void stack_free(void *stack)
{
	u64 offset = (u64)stack - PAGE_SIZE - mem_stack_arena.start;
	unsigned long flags = spin_lock_irqsave(&stack_lock);

	if (offset / STACK_SLOT >= NR_STACKS || offset % STACK_SLOT ||
	    !test_bit(offset / STACK_SLOT, stack_used))
		panic("stack_free: %p is no stack in use", stack);
	__clear_bit(offset / STACK_SLOT, stack_used);
	spin_unlock_irqrestore(&stack_lock, flags);
}
