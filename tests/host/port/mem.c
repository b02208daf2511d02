/*
 * <kernel/mm.h> on the host: every block comes from malloc, so that AddressSanitizer sees the
 * first byte past its end; a header in front, poisoned, has its place in the list of live blocks:
 *
 *	| padding | header | block, exactly as long as asked |
 *
 * It counts bytes, makes the n-th allocation fail, and lets models check the addresses a device
 * is given. The list lies where the sanitizer's search for leaks does not look: a block that only
 * the list still knows has leaked.
 */
#include <kernel/device.h>
#include <kernel/mm.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "port.h"

#define MAGIC		0xca5cadeb10c4UL
#define MAX_BLOCKS	(1UL << 20)

struct block {
	size_t place;
	size_t size;
	void *raw;
	unsigned long magic;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block **blocks;
static size_t nr_blocks, live;
static long fail_in = -1;

static struct block *block_of(const void *p)
{
	return (struct block *)((char *)p - sizeof(struct block));
}

static bool should_fail(void)
{
	bool fail;

	pthread_mutex_lock(&lock);
	fail = fail_in >= 0 && --fail_in <= 0;
	if (fail)
		fail_in = -1;
	pthread_mutex_unlock(&lock);
	return fail;
}

/* Locked, as the next. */
static void list_block(struct block *b)
{
	if (!blocks)
		blocks = mmap(NULL, MAX_BLOCKS * sizeof(*blocks), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (blocks == MAP_FAILED || nr_blocks == MAX_BLOCKS)
		host_die("no room to list one more block");
	b->place = nr_blocks;
	blocks[nr_blocks++] = b;
}

/* The last one takes its place: its header is written to where the sanitizer does not see it. */
static void __attribute__((no_sanitize("address"))) unlist_block(const struct block *b)
{
	struct block *last = blocks[--nr_blocks];

	blocks[b->place] = last;
	last->place = b->place;
}

static void *block_alloc(size_t size, size_t align)
{
	size_t front = ALIGN_UP(sizeof(struct block), align);
	struct block *b;
	void *raw;

	if (should_fail() || size > 1UL << 40 || posix_memalign(&raw, align, front + size))
		return NULL;
	b = block_of((char *)raw + front);
	b->size = size;
	b->raw = raw;
	b->magic = MAGIC;
	pthread_mutex_lock(&lock);
	list_block(b);
	live += size;
	pthread_mutex_unlock(&lock);
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(b, sizeof(*b));
	return b + 1;
}

static void block_free(const void *p, const char *who)
{
	struct block *b = block_of(p);

	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(b, sizeof(*b));
	if (b->magic != MAGIC)
		host_die("%s(%p): not allocated, freed twice, or overwritten in front", who, p);
	pthread_mutex_lock(&lock);
	unlist_block(b);
	live -= b->size;
	pthread_mutex_unlock(&lock);
	b->magic = 0;
	if (b->size < HOST_STACK_SIZE)
		memset((void *)p, 0xdd, b->size);
	free(b->raw);
}

void host_mem_reset(void)
{
	while (nr_blocks)
		block_free(blocks[nr_blocks - 1] + 1, "host_init");
	fail_in = -1;
}

void host_fail_after(long n)
{
	pthread_mutex_lock(&lock);
	fail_in = n;
	pthread_mutex_unlock(&lock);
}

bool host_fail_armed(void)
{
	return fail_in >= 0;
}

size_t host_bytes_live(void)
{
	size_t n;

	pthread_mutex_lock(&lock);
	n = live;
	pthread_mutex_unlock(&lock);
	return n;
}

bool host_dma_ok(u64 addr, size_t len)
{
	bool ok = false;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < nr_blocks && !ok; i++) {
		const struct block *b = blocks[i];

		ok = addr >= (u64)(b + 1) && len <= b->size && addr - (u64)(b + 1) <= b->size - len;
	}
	pthread_mutex_unlock(&lock);
	return ok;
}

void *host_dma(const char *name, u64 addr, size_t len)
{
	if (!host_dma_ok(addr, len))
		host_die("%s: DMA to 0x%lx, %zu bytes: not memory of one live allocation", name,
			 (unsigned long)addr, len);
	return (void *)addr;
}

/* ---- The heap -------------------------------------------------------------------------------- */

void *kmalloc(size_t size)
{
	size_t align = size > 16 && !(size & (size - 1)) ? min(size, PAGE_SIZE) : 16;
	void *p = block_alloc(size, align);

	return p ? memset(p, 0xcc, size) : NULL;	/* whoever takes it for zeroed shall see */
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	return p ? memset(p, 0, size) : NULL;
}

void *kcalloc(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kzalloc(bytes);
}

void kfree(const void *p)
{
	if (p)
		block_free(p, "kfree");
}

char *kasprintf(const char *fmt, ...)
{
	va_list args;
	char *p;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	p = kmalloc(n + 1);
	va_start(args, fmt);
	if (p)
		vsnprintf(p, n + 1, fmt, args);
	va_end(args);
	return p;
}

char *kstrdup(const char *s)
{
	char *p = kmalloc(strlen(s) + 1);

	return p ? strcpy(p, s) : NULL;
}

/* Bounds are watched by a word at the end to which it grows. */
void *stack_alloc(void)
{
	unsigned long *p = block_alloc(HOST_STACK_SIZE, PAGE_SIZE);

	if (p)
		*p = MAGIC;
	return p;
}

void stack_free(void *stack)
{
	if (*(unsigned long *)stack != MAGIC)
		host_die("a kernel thread used more than %lu bytes of stack", HOST_STACK_SIZE);
	block_free(stack, "stack_free");
}

/* ---- Pages and DMA --------------------------------------------------------------------------- */

struct mem_range mem_ram[1];
unsigned int mem_nr_ram;
struct mem_range mem_stack_arena;

#define TOTAL	(1UL << 30)	/* what the pretended machine has */

void mm_early_init(const void *fdt) { (void)fdt; }
void mm_init(void) { }
bool mem_is_ram(phys_addr_t start, size_t size) { return host_dma_ok(start, size); }
size_t mem_total(void) { return TOTAL; }
size_t mem_free(void) { return TOTAL - min(TOTAL, host_bytes_live()); }

void *mm_table_page(void)
{
	return alloc_pages(0);
}

bool host_clears;
size_t host_cleared;

bool arch_clear(void *start, size_t size)
{
	if (size < PAGE_SIZE || size & (size - 1) || (u64)start % size)
		host_die("arch_clear(%p, 0x%zx): no aligned block of pages", start, size);
	if (!host_clears)
		return false;
	memset(start, 0, size);
	host_cleared += size;
	return true;
}

void *alloc_pages(unsigned int order)
{
	void *p = order < 20 ? block_alloc(PAGE_SIZE << order, PAGE_SIZE << order) : NULL;

	return p ? memset(p, 0, PAGE_SIZE << order) : NULL;
}

void free_pages(void *block, unsigned int order)
{
	if (block_of(block)->size != PAGE_SIZE << order)
		host_die("free_pages: order %u, block of %zu bytes", order, block_of(block)->size);
	block_free(block, "free_pages");
}

unsigned int get_order(size_t size)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma)
{
	size_t align = PAGE_SIZE << get_order(size);
	void *p = block_alloc(size, align);

	if (!p)
		return NULL;
	*dma = dma_map(dev, p, size);
	return memset(p, 0, size);
}

void dma_free_coherent(struct device *dev, size_t size, void *p, dma_addr_t dma)
{
	if (!p)
		return;
	if (dma != dma_map(dev, p, size) || block_of(p)->size != size)
		host_die("dma_free_coherent(%p, %zu): not what was allocated", p, size);
	block_free(p, "dma_free_coherent");
}

dma_addr_t dma_map(struct device *dev, const void *p, size_t size)
{
	(void)size;
	return (dma_addr_t)p + (dev ? dev->dma_offset : 0);
}

void dma_unmap(struct device *dev, dma_addr_t dma, size_t size)
{
	(void)dev, (void)dma, (void)size;
}
