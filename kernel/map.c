/*
 * What the page tables map: one identity map for all CPUs, with W^X. How an entry looks only the
 * ISA knows: arch_map().
 *
 *	image	text r-x, constants r--, data and bss rw- (but for the page below the boot stack)
 *	RAM	rw-; what firmware keeps is not there
 *	stacks	rw- in 4 KiB pages, the lowest page of each slot is not there
 *	devices	rw-, of device kind, exactly the pages that somebody asked for
 *
 * Nothing is ever unmapped.
 */
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/thread.h>
#include <lib/errno.h>

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[], __data_start[];
extern char __image_end[];

static struct mutex map_lock = MUTEX_INIT(map_lock);

static void map(u64 start, u64 end, enum map_kind kind)
{
	int err = arch_map(ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE), kind);

	if (err)
		panic("memory at 0x%llx cannot be mapped (%s)", (unsigned long long)start,
		      errname(err));
}

/* Maps the parts of [start, end) that lie in none of N holes. */
static void map_around(u64 start, u64 end, const struct mem_range *holes, unsigned int n)
{
	if (start >= end)
		return;
	if (!n) {
		map(start, end, MAP_DATA);
		return;
	}
	map_around(start, min(end, holes->start), holes + 1, n - 1);
	map_around(max(start, holes->end), end, holes + 1, n - 1);
}

static void map_image(void)
{
	u64 stack = (u64)arch_boot_stack();

	map((u64)__text_start, (u64)__text_end, MAP_TEXT);
	map((u64)__rodata_start, (u64)__rodata_end, MAP_CONSTANTS);
	map((u64)__data_start, stack - PAGE_SIZE, MAP_DATA);
	map(stack, (u64)__image_end, MAP_DATA);
}

static void map_stacks(void)
{
	u64 slot = mem_stack_arena.start;

	for (; slot + STACK_SLOT <= mem_stack_arena.end; slot += STACK_SLOT)
		map(slot + PAGE_SIZE, slot + STACK_SLOT, MAP_DATA);
}

void mm_map(void)
{
	const struct mem_range holes[] = {
		{ (u64)__text_start, (u64)__image_end }, mem_stack_arena,
	};

	map_image();
	map_stacks();
	map(mem_fdt.start, mem_fdt.end, MAP_CONSTANTS);
	map(mem_console.start, mem_console.end, MAP_DEVICE);
	for (unsigned int i = 0; i < mem_nr_usable; i++)
		map_around(mem_usable[i].start, mem_usable[i].end, holes, ARRAY_SIZE(holes));
	arch_mm_init();
}

static const char *map_device(u64 start, u64 end)
{
	int err;

	if (mem_is_ram(start, end - start))
		return "overlaps RAM";
	mutex_lock(&map_lock);
	err = arch_map(start, end, MAP_DEVICE);
	mutex_unlock(&map_lock);
	if (err == -ENOMEM)
		return "finds no memory for page tables";
	return err ? "is out of this CPU's reach" : NULL;
}

void *ioremap(phys_addr_t phys, size_t size)
{
	const char *why = "is no range of addresses";

	if (size && phys + size > phys)
		why = map_device(ALIGN_DOWN(phys, PAGE_SIZE), ALIGN_UP(phys + size, PAGE_SIZE));
	if (!why)
		return (void *)phys;
	pr_err("ioremap: 0x%llx size 0x%zx %s", (unsigned long long)phys, size, why);
	return NULL;
}
