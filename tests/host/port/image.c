/*
 * A clean core, again: the core's variables lie in one section of their own (core.ld), which is
 * copied at the first host_init() and copied back at each later one.
 */
#include <stdlib.h>
#include "port.h"

extern char __start_cascade_vars[], __stop_cascade_vars[];

/* AddressSanitizer's gaps between variables are in it: plain loops, which it does not see. */
void host_snapshot(void)
{
	static unsigned long *image;
	unsigned long *vars = (unsigned long *)__start_cascade_vars;
	size_t n = (__stop_cascade_vars - __start_cascade_vars) / sizeof(*vars);

	if (!image) {
		image = malloc(n * sizeof(*vars));
		for (size_t i = 0; image && i < n; i++)
			__atomic_store_n(&image[i], vars[i], __ATOMIC_RELAXED);
		return;
	}
	for (size_t i = 0; i < n; i++)
		__atomic_store_n(&vars[i], image[i], __ATOMIC_RELAXED);
}
