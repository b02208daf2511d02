/*
 * Page tables; kernel/map.c says what they hold. [ARM D8]
 *
 * Four levels of 512 entries reach 48 bits. An entry with bits 1:0 = 3 points to a table, or at the
 * last level to a page; with 1, at levels 1 and 2, to a block of 1 GiB or 2 MiB; with bit 0 clear
 * to nothing, and no CPU remembers such an entry, so that a new mapping needs no invalidation.
 */
#include <kernel/arch.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
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

#define DESC_NORMAL	(DESC_VALID | DESC_AF | DESC_INNER | DESC_UXN | DESC_ATTR(MT_NORMAL))
#define DESC_DEVICE	(DESC_VALID | DESC_AF | DESC_UXN | DESC_PXN | DESC_ATTR(MT_DEVICE))

#define LAST_LEVEL	3
#define FIRST_BLOCK	1			/* level 0 has only tables */

void mmu_on(void);			/* head.S */

u64 root_table[512] __attribute__((aligned(4096)));	/* of mmu_on() too */

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
		void *table = mm_table_page();

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

/* How many bits physical addresses have stands in a code. [ARM ID_AA64MMFR0_EL1] */
static u64 address_end(void)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48 };

	return 1UL << bits[min(sysreg_read(id_aa64mmfr0_el1) & 0xf, ARRAY_SIZE(bits) - 1)];
}

int arch_map(u64 start, u64 end, enum map_kind kind)
{
	static const u64 flags[] = {
		[MAP_TEXT] = DESC_NORMAL | DESC_RO,
		[MAP_CONSTANTS] = DESC_NORMAL | DESC_RO | DESC_PXN,
		[MAP_DATA] = DESC_NORMAL | DESC_PXN,
		[MAP_DEVICE] = DESC_DEVICE,
	};
	int err;

	if (end > address_end())
		return -ERANGE;
	err = map_level(root_table, 0, start, end, flags[kind]);
	dsb(ishst);				/* every CPU's walks see it from here on, … */
	isb();					/* … and this one's next access */
	return err;
}

void arch_mm_init(void)
{
	if ((sysreg_read(id_aa64mmfr0_el1) >> 28 & 0xf) == 0xf)
		panic("this CPU has no 4 KiB pages");
	mmu_on();
}
