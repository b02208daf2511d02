/*
 * Sv39 page tables; kernel/map.c says what they hold. [PRIV 4.3.1, 4.4]
 *
 * An entry is (physical page number << 10 | flags); one with none of R, W, X points to a table. The
 * largest page that fits is used: 1 GiB, 2 MiB, 4 KiB at levels 2, 1, 0. What firmware keeps of RAM
 * its PMP would refuse; that a page is a device's its PMAs say.
 */
#include <asm/sbi.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <lib/errno.h>

#define PTE_V		0x01UL
#define PTE_R		0x02UL
#define PTE_W		0x04UL
#define PTE_X		0x08UL
#define PTE_G		0x20UL
#define PTE_A		0x40UL
#define PTE_D		0x80UL
#define PTE_LEAF	(PTE_V | PTE_G | PTE_A | PTE_D)

#define TOP_LEVEL	2
#define SV39_END	(1ULL << 38)	/* above, addresses would be those of the negative half */

unsigned long kernel_satp;		/* for secondary_entry */

static u64 root_table[512] __attribute__((aligned(4096)));

static bool is_leaf(u64 pte)
{
	return pte & (PTE_R | PTE_W | PTE_X);
}

/* The table below PTE, which is made if there is none; NULL when out of memory. */
static u64 *child_table(u64 *pte)
{
	if (!(*pte & PTE_V)) {
		void *table = mm_table_page();

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

/* A CPU may remember that an address was not mapped. [PRIV 4.2.1] */
static void flush_all_cpus(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
	if (cpumask_weight(cpu_online_mask) > 1)
		sbi_ecall(SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA, 0, ~0UL, 0, ~0UL);
}

int arch_map(u64 start, u64 end, enum map_kind kind)
{
	static const u64 flags[] = {
		[MAP_TEXT] = PTE_LEAF | PTE_R | PTE_X,
		[MAP_CONSTANTS] = PTE_LEAF | PTE_R,
		[MAP_DATA] = PTE_LEAF | PTE_R | PTE_W,
		[MAP_DEVICE] = PTE_LEAF | PTE_R | PTE_W,
	};
	int err;

	if (end > SV39_END)
		return -ERANGE;
	err = map_level(root_table, TOP_LEVEL, start, end, flags[kind]);
	flush_all_cpus();
	return err;
}

void arch_mm_init(void)
{
	kernel_satp = SATP_MODE_SV39 | (u64)root_table >> PAGE_SHIFT;
	csr_write(CSR_SATP, kernel_satp);
	__asm__ volatile("sfence.vma" : : : "memory");
	if (csr_read(CSR_SATP) != kernel_satp)
		panic("this hart has no Sv39 address translation");
}
