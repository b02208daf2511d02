/*
 * The memory that lib asks of whoever links it: the kernel's heap, or the host's. The same
 * functions as in <kernel/mm.h>, declared here because lib may not look into the kernel.
 */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include <lib/types.h>

void *kzalloc(size_t size);	/* zeroed; NULL when out of memory */
void kfree(const void *p);

#endif
