/* The page allocator's supply; its users are in <kernel/mm.h>. */
#ifndef KERNEL_PAGE_H
#define KERNEL_PAGE_H

#include <lib/types.h>

/* Gives [start, end) to the allocator; its ends are page boundaries. Boot CPU. */
void page_add_range(phys_addr_t start, phys_addr_t end);

#endif
