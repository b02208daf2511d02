/*
 * Page tables: one identity map for all CPUs, with W^X. [ARM D8]
 *
 *	image	text r-x, constants r--, data and bss rw- (but for the page below the boot stack)
 *	RAM	rw-; what firmware keeps is not there
 *	stacks	rw- in 4 KiB pages, the lowest page of each slot is not there
 *	devices	rw-, of device kind, exactly the pages that somebody asked for
 *
 * Four levels of 512 entries reach 48 bits. An entry with bits 1:0 = 3 points to a table, or at the
 * last level to a page; with 1, at levels 1 and 2, to a block of 1 GiB or 2 MiB; with bit 0 clear
 * to nothing, and no CPU remembers such an entry, so that a new mapping needs no invalidation.
 * Nothing is ever unmapped.
 */
#include <asm/layout.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/thread.h>
#include <lib/errno.h>

/* [ARM D8.3] */
#define DESC_VALID	0x001UL
#define DESC_TABLE	0x002UL			/* at level 3: a page */
#define DESC_ATTR(mt)	((u64)(mt) << 2)	/* index into MAIR_EL1 */
#define DESC_RO		0x080UL
#define DESC_INNER	0x300UL			/* inner shareable */
#define DESC_AF		0x400UL			/* access flag: no fault to set it */
#define DESC_PXN	(1UL << 53)
#define DESC_UXN	(1UL << 54)
#define DESC_ADDR	0x0000fffffffff000UL

#define MAP_NORMAL	(DESC_VALID | DESC_AF | DESC_INNER | DESC_UXN | DESC_ATTR(MT_NORMAL))
#define MAP_RX		(MAP_NORMAL | DESC_RO)
#define MAP_R		(MAP_NORMAL | DESC_RO | DESC_PXN)
#define MAP_RW		(MAP_NORMAL | DESC_PXN)
#define MAP_DEVICE	(DESC_VALID | DESC_AF | DESC_UXN | DESC_PXN | DESC_ATTR(MT_DEVICE))

#define LAST_LEVEL	3
#define FIRST_BLOCK	1			/* level 0 has only tables */

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[], __data_start[];
extern char __bss_end[], boot_guard[];
void mmu_on(void);

u64 root_table[512] __attribute__((aligned(4096)));	/* of mmu_on() too */

static u64 address_end;			/* of physical addresses */
static struct mutex ioremap_lock = MUTEX_INIT(ioremap_lock);
static void *(*new_table)(void) = mm_early_page;

/* ---- Tables --------------------------------------------------------------------------------- */

static u64 entry_size(int level)
{
	return PAGE_SIZE << 9 * (LAST_LEVEL - level);
}

static bool is_leaf(u64 desc, int level)
{
	return desc & DESC_VALID && (level == LAST_LEVEL || !(desc & DESC_TABLE));
}

/* The table below ENTRY, which is made if there is none; NULL when out of memory. */
static u64 *child_table(u64 *entry)
{
	if (!(*entry & DESC_VALID)) {
		void *table = new_table();

		if (!table)
			return NULL;
		__atomic_store_n(entry, (u64)table | DESC_TABLE | DESC_VALID, __ATOMIC_RELEASE);
	}
	return (u64 *)(*entry & DESC_ADDR);
}

/* Maps what is not yet mapped of [start, end), whose ends are page boundaries. */
static int map_level(u64 *table, int level, u64 start, u64 end, u64 flags)
{
	u64 size = entry_size(level), kind = level == LAST_LEVEL ? DESC_TABLE : 0;

	while (start < end) {
		u64 *entry = &table[start / size % 512];
		u64 next = min(ALIGN_DOWN(start, size) + size, end);

		if (!(*entry & DESC_VALID) && next - start == size && level >= FIRST_BLOCK) {
			__atomic_store_n(entry, start | kind | flags, __ATOMIC_RELEASE);
		} else if (!is_leaf(*entry, level)) {
			u64 *child = child_table(entry);

			if (!child || map_level(child, level + 1, start, next, flags))
				return -ENOMEM;
		}
		start = next;
	}
	return 0;
}

static void map(u64 start, u64 end, u64 flags)
{
	if (end > address_end)
		panic("RAM at 0x%llx is out of this CPU's reach", (unsigned long long)start);
	map_level(root_table, 0, ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE), flags);
}

/* ---- At boot -------------------------------------------------------------------------------- */

/* Maps the parts of [start, end) that lie in none of N holes. */
static void map_around(u64 start, u64 end, const struct mem_range *holes, unsigned int n)
{
	if (start >= end)
		return;
	if (!n) {
		map(start, end, MAP_RW);
		return;
	}
	map_around(start, min(end, holes->start), holes + 1, n - 1);
	map_around(max(start, holes->end), end, holes + 1, n - 1);
}

static void map_image(void)
{
	map((u64)__text_start, (u64)__text_end, MAP_RX);
	map((u64)__rodata_start, (u64)__rodata_end, MAP_R);
	map((u64)__data_start, (u64)boot_guard, MAP_RW);
	map((u64)boot_guard + PAGE_SIZE, (u64)__bss_end, MAP_RW);
}

static void map_stacks(void)
{
	u64 slot = mem_stack_arena.start;

	for (; slot + STACK_SLOT <= mem_stack_arena.end; slot += STACK_SLOT)
		map(slot + PAGE_SIZE, slot + STACK_SLOT, MAP_RW);
}

static void *late_table(void)
{
	return alloc_pages(0);
}

/* What the CPU can do stands in a code each: [ARM ID_AA64MMFR0_EL1] */
static void read_abilities(void)
{
	static const u8 address_bits[] = { 32, 36, 40, 42, 44, 48 };
	u64 mmfr0 = sysreg_read(id_aa64mmfr0_el1);

	address_end = 1UL << address_bits[min(mmfr0 & 0xf, ARRAY_SIZE(address_bits) - 1)];
	if ((mmfr0 >> 28 & 0xf) == 0xf)
		panic("this CPU has no 4 KiB pages");
}

void arch_mm_init(void)
{
	const struct mem_range holes[] = {
		{ (u64)__text_start, (u64)__bss_end }, mem_stack_arena,
	};

	read_abilities();
	map_image();
	map_stacks();
	map(mem_fdt.start, mem_fdt.end, MAP_R);
	map(mem_console.start, mem_console.end, MAP_DEVICE);
	for (unsigned int i = 0; i < mem_nr_usable; i++)
		map_around(mem_usable[i].start, mem_usable[i].end, holes, ARRAY_SIZE(holes));
	new_table = late_table;
	mmu_on();
}

/* ---- Later ---------------------------------------------------------------------------------- */

void *arch_ioremap(phys_addr_t phys, size_t size)
{
	u64 start = ALIGN_DOWN(phys, PAGE_SIZE), end = ALIGN_UP(phys + size, PAGE_SIZE);
	const char *why = NULL;
	int err;

	if (!size || phys + size < phys || end > address_end)
		why = "is out of this CPU's reach";
	else if (mem_is_ram(start, end - start))
		why = "overlaps RAM";
	if (why) {
		pr_err("ioremap: 0x%llx size 0x%zx %s", (unsigned long long)phys, size, why);
		return NULL;
	}
	mutex_lock(&ioremap_lock);
	err = map_level(root_table, 0, start, end, MAP_DEVICE);
	dsb(ishst);				/* every CPU's walks see it from here on, … */
	isb();					/* … and this one's next access */
	mutex_unlock(&ioremap_lock);
	if (err) {
		pr_err("ioremap: 0x%llx size 0x%zx: no memory for page tables",
		       (unsigned long long)phys, size);
		return NULL;
	}
	return (void *)phys;
}
