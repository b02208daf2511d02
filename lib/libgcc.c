/*
 * What gcc calls for bit operations that the ISA lacks (rv64imac has no Zbb). Plain arithmetic
 * only: a builtin here would call itself. The names and types are gcc's. [GCCINT 4.1.3]
 */
#include <lib/types.h>

int __popcountdi2(u64 v);
int __clzdi2(u64 v);
int __ctzdi2(u64 v);
u32 __bswapsi2(u32 v);
u64 __bswapdi2(u64 v);

/* Sums of 2, 4, 8 bits side by side; the product adds the eight bytes up in the highest. */
int __popcountdi2(u64 v)
{
	v -= v >> 1 & 0x5555555555555555;
	v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return v * 0x0101010101010101 >> 56;
}

/* Every bit below the highest one is set, then the clear ones are counted. */
int __clzdi2(u64 v)
{
	for (unsigned int n = 1; n < 64; n *= 2)
		v |= v >> n;
	return 64 - __popcountdi2(v);
}

/* The product moves a sequence in which each six bits are different up by as many bits as there
 * are below V's lowest one; the six at the top then tell how many. */
int __ctzdi2(u64 v)
{
	static const u8 count[64] = {
		0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4,
		62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
		63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
		46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9, 13, 8, 7, 6,
	};

	return count[(v & -v) * 0x03f79d71b4cb0a89 >> 58];
}

u32 __bswapsi2(u32 v)
{
	return v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24;
}

u64 __bswapdi2(u64 v)
{
	return (u64)__bswapsi2(v) << 32 | __bswapsi2(v >> 32);
}
