/*
 * Memory: the ranges the tree gives, pages in aligned contiguous blocks, and a small heap.
 * Everything is identity mapped, so a pointer is a physical address.
 */
#ifndef KERNEL_MM_H
#define KERNEL_MM_H

#include <lib/types.h>

#define PAGE_SIZE	4096UL
#define PAGE_SHIFT	12
#define STACK_SIZE	(16 * 1024UL)
#define STACK_SLOT	(STACK_SIZE + PAGE_SIZE)	/* the lowest page is the guard */

struct mem_range {
	phys_addr_t start, end;		/* [start, end) */
};

/*
 * Reads memory nodes, the reservation block and /reserved-memory, takes out the image and the
 * tree itself, sets the stack arena aside. Boot CPU. Panics without memory.
 */
void mm_early_init(const void *fdt);
/* Makes the page tables, and turns them on. Panics if something is out of reach. */
void mm_map(void);
/* Hands the free ranges to the page allocator. */
void mm_init(void);

/* RAM as the tree gives it (also reserved parts). */
extern struct mem_range mem_ram[];
extern unsigned int mem_nr_ram;
/* The same without what firmware keeps; and the tree itself. */
extern struct mem_range mem_usable[];
extern unsigned int mem_nr_usable;
extern struct mem_range mem_fdt, mem_stack_arena;
/* Registers of the early console, to be mapped like a device; empty if there is none. */
extern struct mem_range mem_console;
bool mem_is_ram(phys_addr_t start, size_t size);	/* overlaps any of mem_ram */

/* A page for a page table, zeroed, never freed; NULL if none is left. */
void *mm_table_page(void);

/*
 * 2^ORDER pages, aligned to their size, zeroed; NULL if there is no such block. free_pages()
 * takes the same order. Any context but irq handlers.
 */
void *alloc_pages(unsigned int order);
void free_pages(void *block, unsigned int order);
/* The same of as many pages as SIZE bytes need, aligned to one. */
void *alloc_pages_exact(size_t size);
void free_pages_exact(void *block, size_t size);
unsigned int get_order(size_t size);	/* the smallest order whose block holds SIZE bytes */

/* A thread stack out of the arena: its lowest usable address, or NULL. */
void *stack_alloc(void);
void stack_free(void *stack);

/*
 * The heap: at least 16-byte aligned, a power-of-two size is aligned to itself up to a page.
 * NULL when out of memory (the caller says what for). kfree(NULL) is allowed.
 * Thread context, or irqs off; not from irq handlers.
 */
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void *kcalloc(size_t n, size_t size);	/* zeroed; NULL if the product overflows */
void kfree(const void *p);
char *kasprintf(const char *fmt, ...) __printf(1, 2);	/* NULL when out of memory */
char *kstrdup(const char *s);

/* Bytes of RAM the page allocator manages / that are free now. */
size_t mem_total(void);
size_t mem_free(void);

/*
 * Coherent DMA memory: zeroed, aligned to its size rounded up to a power of two (at least a
 * page); *dma is what the device must use. NULL if none. dma_map() gives the bus address of
 * memory of ours for the time of a transfer; on coherent machines unmapping does nothing.
 */
struct device;
void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma);
void dma_free_coherent(struct device *dev, size_t size, void *p, dma_addr_t dma);
dma_addr_t dma_map(struct device *dev, const void *p, size_t size);
void dma_unmap(struct device *dev, dma_addr_t dma, size_t size);

#endif
