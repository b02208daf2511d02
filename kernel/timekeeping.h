/* Between time.c and timer.c only. */
#ifndef KERNEL_TIMEKEEPING_H
#define KERNEL_TIMEKEEPING_H

#include <lib/types.h>

/* The value of arch_counter() at that instant, not earlier. Any context. */
u64 ktime_to_counter(u64 ns);

#endif
