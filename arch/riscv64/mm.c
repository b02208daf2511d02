/*
 * Sv39 page tables: one identity map for all CPUs, with W^X. [PRIV 4.3.1, 4.4]
 *
 *	image	text r-x, constants r--, data and bss rw- (but for the page below the boot stack)
 *	RAM	rw-; what firmware keeps is not there (its PMP would refuse it anyway)
 *	stacks	rw- in 4 KiB pages, the lowest page of each slot is not there
 *	devices	rw-, exactly the pages that somebody asked for
 *
 * An entry is (physical page number << 10 | flags); one with none of R, W, X points to a table. The
 * largest page that fits is used: 1 GiB, 2 MiB, 4 KiB at levels 2, 1, 0. Nothing is ever unmapped.
 */
#include <asm/layout.h>
#include <asm/sbi.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/thread.h>
#include <lib/errno.h>

#define PTE_V		0x01UL
#define PTE_R		0x02UL
#define PTE_W		0x04UL
#define PTE_X		0x08UL
#define PTE_G		0x20UL
#define PTE_A		0x40UL
#define PTE_D		0x80UL
#define PTE_LEAF	(PTE_V | PTE_G | PTE_A | PTE_D)

#define MAP_RX		(PTE_LEAF | PTE_R | PTE_X)
#define MAP_R		(PTE_LEAF | PTE_R)
#define MAP_RW		(PTE_LEAF | PTE_R | PTE_W)

#define TOP_LEVEL	2
#define SV39_END	(1ULL << 38)	/* above, addresses would be those of the negative half */

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[], __data_start[];
extern char __bss_end[], boot_guard[];

unsigned long kernel_satp;		/* for secondary_entry */

static u64 root_table[512] __attribute__((aligned(4096)));
static struct mutex ioremap_lock = MUTEX_INIT(ioremap_lock);
static void *(*new_table)(void) = mm_early_page;

static bool is_leaf(u64 pte)
{
	return pte & (PTE_R | PTE_W | PTE_X);
}

/* The table below PTE, which is made if there is none; NULL when out of memory. */
static u64 *child_table(u64 *pte)
{
	if (!(*pte & PTE_V)) {
		void *table = new_table();

		if (!table)
			return NULL;
		__atomic_store_n(pte, (u64)table >> 2 | PTE_V, __ATOMIC_RELEASE);
	}
	return (u64 *)(*pte >> 10 << 12);
}

/* Maps what is not yet mapped of [start, end), whose ends are page boundaries. */
static int map_level(u64 *table, int level, u64 start, u64 end, u64 flags)
{
	u64 size = PAGE_SIZE << 9 * level;

	while (start < end) {
		u64 *pte = &table[start / size % 512];
		u64 next = min(ALIGN_DOWN(start, size) + size, end);

		if (!(*pte & PTE_V) && next - start == size) {
			__atomic_store_n(pte, start >> 2 | flags, __ATOMIC_RELEASE);
		} else if (!is_leaf(*pte)) {
			u64 *child = child_table(pte);

			if (!child || map_level(child, level - 1, start, next, flags))
				return -ENOMEM;
		}
		start = next;
	}
	return 0;
}

static void map(u64 start, u64 end, u64 flags)
{
	if (end > SV39_END)
		panic("RAM at 0x%llx is out of Sv39's reach", (unsigned long long)start);
	map_level(root_table, TOP_LEVEL, ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE),
		  flags);
}

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

void arch_mm_init(void)
{
	const struct mem_range holes[] = {
		{ (u64)__text_start, (u64)__bss_end }, mem_stack_arena,
	};

	map_image();
	map_stacks();
	map(mem_fdt.start, mem_fdt.end, MAP_R);
	map(mem_console.start, mem_console.end, MAP_RW);
	for (unsigned int i = 0; i < mem_nr_usable; i++)
		map_around(mem_usable[i].start, mem_usable[i].end, holes, ARRAY_SIZE(holes));
	new_table = late_table;

	kernel_satp = SATP_MODE_SV39 | (u64)root_table >> PAGE_SHIFT;
	csr_write(CSR_SATP, kernel_satp);
	__asm__ volatile("sfence.vma" : : : "memory");
	if (csr_read(CSR_SATP) != kernel_satp)
		panic("this hart has no Sv39 address translation");
}

/* A CPU may remember that an address was not mapped. [PRIV 4.2.1] */
static void flush_all_cpus(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
	if (cpumask_weight(cpu_online_mask) > 1)
		sbi_ecall(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA, 0, ~0UL, 0, ~0UL);
}

void *arch_ioremap(phys_addr_t phys, size_t size)
{
	u64 start = ALIGN_DOWN(phys, PAGE_SIZE), end = ALIGN_UP(phys + size, PAGE_SIZE);
	const char *why = NULL;
	int err;

	if (!size || phys + size < phys || end > SV39_END)
		why = "is out of Sv39's reach";
	else if (mem_is_ram(start, end - start))
		why = "overlaps RAM";
	if (why) {
		pr_err("ioremap: 0x%llx size 0x%zx %s", (unsigned long long)phys, size, why);
		return NULL;
	}
	mutex_lock(&ioremap_lock);
	err = map_level(root_table, TOP_LEVEL, start, end, MAP_RW);
	flush_all_cpus();
	mutex_unlock(&ioremap_lock);
	if (err) {
		pr_err("ioremap: 0x%llx size 0x%zx: no memory for page tables",
		       (unsigned long long)phys, size);
		return NULL;
	}
	return (void *)phys;
}
