/* Repeatable runs: see random.h. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "support/random.h"

u64 random_seed(void)
{
	static bool known;
	static u64 seed;

	if (!known) {
		seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : (u64)time(NULL);
		printf("# SEED=%llu\n", (unsigned long long)seed);
		known = true;
	}
	return seed;
}

unsigned int soak(unsigned int n, unsigned int at_length)
{
	return getenv("SOAK") ? at_length : n;
}
