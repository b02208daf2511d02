/*
 * Searches and ranges in bit arrays, a word at a time.
 *
 * A search folds "clear bit" into "set bit" by inverting each word it reads, so that one loop
 * serves both. Bits behind SIZE in the last word may hold anything: results are cut at SIZE.
 */
#include <lib/bitmap.h>

/* Bits START .. of the word that holds START; the caller has cut the count at the word's end. */
static unsigned long word_mask(unsigned int start, unsigned int count)
{
	return (~0UL >> (BITS_PER_LONG - count)) << (start % BITS_PER_LONG);
}

static unsigned int bits_in_word(unsigned int start, unsigned int count)
{
	return min(count, (unsigned int)BITS_PER_LONG - start % BITS_PER_LONG);
}

void bitmap_set_range(unsigned long *map, unsigned int start, unsigned int count)
{
	while (count) {
		unsigned int n = bits_in_word(start, count);

		map[start / BITS_PER_LONG] |= word_mask(start, n);
		start += n;
		count -= n;
	}
}

void bitmap_clear(unsigned long *map, unsigned int start, unsigned int count)
{
	while (count) {
		unsigned int n = bits_in_word(start, count);

		map[start / BITS_PER_LONG] &= ~word_mask(start, n);
		start += n;
		count -= n;
	}
}

unsigned int bitmap_weight(const unsigned long *map, unsigned int size)
{
	unsigned int weight = 0;

	for (unsigned int start = 0; start < size; start += BITS_PER_LONG) {
		unsigned int n = bits_in_word(start, size - start);

		weight += __builtin_popcountl(map[start / BITS_PER_LONG] & word_mask(start, n));
	}
	return weight;
}

static unsigned int find_next(const unsigned long *map, unsigned int size, unsigned int start,
			      unsigned long invert)
{
	while (start < size) {
		unsigned long word = map[start / BITS_PER_LONG] ^ invert;

		word >>= start % BITS_PER_LONG;
		if (word)
			return min(start + __builtin_ctzl(word), size);
		start = ALIGN_DOWN(start, BITS_PER_LONG) + BITS_PER_LONG;
	}
	return size;
}

unsigned int find_next_bit(const unsigned long *map, unsigned int size, unsigned int start)
{
	return find_next(map, size, start, 0);
}

unsigned int find_next_zero_bit(const unsigned long *map, unsigned int size, unsigned int start)
{
	return find_next(map, size, start, ~0UL);
}

unsigned int bitmap_find_next_zero_area(const unsigned long *map, unsigned int size,
					unsigned int start, unsigned int count, unsigned int align)
{
	for (;;) {
		start = ALIGN_UP(find_next_zero_bit(map, size, start), align);
		if (start >= size || count > size - start)
			return size;
		if (count == 1 && align == 1)
			return start;

		unsigned int taken = find_next_bit(map, start + count, start);

		if (taken == start + count)
			return start;
		start = taken + 1;
	}
}
