/*
 * Bit arrays in unsigned longs, bit n in word n / 64. Names as Linux's; the caller locks.
 * Sizes and positions are in bits. Any context.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <lib/types.h>

#define BITS_TO_LONGS(n)	DIV_ROUND_UP(n, BITS_PER_LONG)
#define DECLARE_BITMAP(name, n)	unsigned long name[BITS_TO_LONGS(n)]

static inline void __set_bit(unsigned int n, unsigned long *map)
{
	map[n / BITS_PER_LONG] |= BIT(n % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned int n, unsigned long *map)
{
	map[n / BITS_PER_LONG] &= ~BIT(n % BITS_PER_LONG);
}

static inline bool test_bit(unsigned int n, const unsigned long *map)
{
	return map[n / BITS_PER_LONG] >> (n % BITS_PER_LONG) & 1;
}

void bitmap_set_range(unsigned long *map, unsigned int start, unsigned int count);
static inline void bitmap_set(unsigned long *map, unsigned int start, unsigned int count)
{
	if (count == 1)
		__set_bit(start, map);
	else
		bitmap_set_range(map, start, count);
}
void bitmap_clear(unsigned long *map, unsigned int start, unsigned int count);

/* The number of set bits among the first SIZE. */
unsigned int bitmap_weight(const unsigned long *map, unsigned int size);

/* First set / clear bit at or above START; SIZE if there is none. */
unsigned int find_next_bit(const unsigned long *map, unsigned int size, unsigned int start);
unsigned int find_next_zero_bit(const unsigned long *map, unsigned int size, unsigned int start);

/*
 * First run of COUNT clear bits at or above START whose first bit is a multiple of ALIGN
 * (a power of two, at least 1); a number >= SIZE if there is none. COUNT is at least 1.
 */
unsigned int bitmap_find_next_zero_area(const unsigned long *map, unsigned int size,
					unsigned int start, unsigned int count, unsigned int align);

#define for_each_set_bit(n, map, size)					\
	for ((n) = find_next_bit(map, size, 0); (n) < (size);		\
	     (n) = find_next_bit(map, size, (n) + 1))

#endif
