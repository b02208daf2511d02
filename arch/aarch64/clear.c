/*
 * Zeroed pages by DC ZVA, which clears a whole block of memory; how large that is, DCZID_EL0 says.
 * It is asked each time, as one CPU's blocks need not be another's.
 */
#include <kernel/arch.h>

#define DCZID_DZP	0x10		/* prohibited, by a hypervisor [ARM HCR_EL2] */
#define DCZID_BS(v)	((v) & 0xf)	/* log2 of the block's words of 4 bytes */
#define TURN		4		/* blocks */

static __always_inline void clear_block(char *block)
{
	__asm__ volatile("dc zva, %0" : : "r"(block) : "memory");
}

bool arch_clear(void *start, size_t size)
{
	u64 dczid = sysreg_read(dczid_el0), block = 4UL << DCZID_BS(dczid);

	if (dczid & DCZID_DZP || size % (TURN * block))
		return false;
	for (char *p = start, *end = p + size; p < end; p += TURN * block) {
		clear_block(p);
		clear_block(p + block);
		clear_block(p + 2 * block);
		clear_block(p + 3 * block);
	}
	return true;
}
