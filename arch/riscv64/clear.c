/*
 * Zeroed pages by CBO.ZERO, which clears a whole cache block. A hart that has Zicboz has it, and
 * firmware that lists Zicboz lets S-mode use it. [CMO cbo.zero, menvcfg.CBZE]
 */
#include <asm/isa.h>

#define TURN	4			/* blocks */
#define UNKNOWN	~0UL

/* By its encoding, as an older assembler may not know it. */
static __always_inline void clear_block(char *block)
{
	__asm__ volatile(".insn i 0x0f, 2, x0, %0, 4" : : "r"(block) : "memory");
}

/* The bytes of a block, if every hart has the instruction and clears as many; else 0. No part of
 * its caller, which is called often and so has no registers to save. */
static u64 __attribute__((noinline)) tree_block(void)
{
	struct device_node *hart = NULL;
	u32 block = 0, size;

	while ((hart = of_find_compatible_node(hart, "riscv"))) {
		if (!hart_has(hart, "zicboz") ||
		    of_property_read_u32(hart, "riscv,cboz-block-size", &size) || !size ||
		    (block && size != block))
			return 0;
		block = size;
	}
	return block;
}

static u64 block_size(void)
{
	static u64 known = UNKNOWN;

	if (!of_root)
		return 0;			/* the tree cannot be read yet */
	if (known == UNKNOWN)
		known = tree_block();
	return known;
}

bool arch_clear(void *start, size_t size)
{
	u64 block = block_size();

	if (!block || size % (TURN * block))
		return false;
	for (char *p = start, *end = p + size; p < end; p += TURN * block) {
		clear_block(p);
		clear_block(p + block);
		clear_block(p + 2 * block);
		clear_block(p + 3 * block);
	}
	return true;
}
