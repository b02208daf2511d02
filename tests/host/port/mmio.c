/*
 * MMIO: a registered region gets a window of addresses that cannot be touched directly (PROT_NONE),
 * so that an access past <kernel/io.h> faults, and one through it finds its model by the address.
 */
#include <kernel/arch.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "port.h"

#define MAX_REGIONS	64
#define MAX_POLLS	16
#define ARENA_SIZE	(64UL << 30)

struct region {
	const char *name;
	phys_addr_t phys;
	size_t size;
	const struct host_mmio_ops *ops;
	void *priv;
	char *window;
};

u32 host_barrier;
static struct region regions[MAX_REGIONS];
static unsigned int nr_regions;
static char *arena, *arena_free;

static struct {
	bool (*fn)(void *priv);
	void *priv;
} polls[MAX_POLLS];
static unsigned int nr_polls;

void host_mmio_reset(void)
{
	nr_regions = 0;
	nr_polls = 0;
	arena_free = arena;
}

void host_mmio_add(const char *name, phys_addr_t phys, size_t size,
		   const struct host_mmio_ops *ops, void *priv)
{
	if (!arena) {
		arena = mmap(NULL, ARENA_SIZE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (arena == MAP_FAILED)
			host_die("no address space for MMIO windows");
		arena_free = arena;
	}
	if (nr_regions == MAX_REGIONS || arena_free + size > arena + ARENA_SIZE)
		host_die("no room for one more region: %s", name);
	regions[nr_regions++] = (struct region){ name, phys, size, ops, priv, arena_free };
	arena_free += ALIGN_UP(size, 4096UL);
}

static struct region *region_of_phys(phys_addr_t phys)
{
	for (unsigned int i = 0; i < nr_regions; i++)
		if (phys >= regions[i].phys && phys - regions[i].phys < regions[i].size)
			return &regions[i];
	return NULL;
}

void *ioremap(phys_addr_t phys, size_t size)
{
	struct region *r = region_of_phys(phys);

	if (r && size <= r->size - (phys - r->phys))
		return r->window + (phys - r->phys);
	printf("host: ioremap(0x%lx, 0x%zx): no model there\n", (unsigned long)phys, size);
	return NULL;
}

static struct region *region_of_window(const void *addr, unsigned int size)
{
	const char *p = addr;

	for (unsigned int i = 0; i < nr_regions; i++) {
		struct region *r = &regions[i];

		if (p < r->window || p >= r->window + r->size)
			continue;
		if ((p - r->window) % size || p + size > r->window + r->size)
			host_die("%s: access of %u bytes at offset 0x%lx", r->name, size,
				 (unsigned long)(p - r->window));
		return r;
	}
	return NULL;
}

u64 host_read(const void *addr, unsigned int size)
{
	struct region *r = region_of_window(addr, size);

	if (!r || !r->ops->read)
		host_die("MMIO read of %u bytes at %p: nothing there", size, addr);
	return r->ops->read(r->priv, (const char *)addr - r->window, size);
}

void host_write(void *addr, u64 v, unsigned int size)
{
	struct region *r = region_of_window(addr, size);

	if (!r || !r->ops->write)
		host_die("MMIO write of %u bytes at %p: nothing there", size, addr);
	r->ops->write(r->priv, (char *)addr - r->window, v, size);
}

u32 host_bus_requester;

void host_bus_write(u64 addr, u64 v, unsigned int size)
{
	struct region *r = region_of_phys(addr);

	if (!r)
		memcpy(host_dma("bus write", addr, size), &v, size);
	else if (r->ops->write)
		r->ops->write(r->priv, addr - r->phys, v, size);
}

void host_poll_add(bool (*fn)(void *priv), void *priv)
{
	if (nr_polls == MAX_POLLS)
		host_die("too many models to poll");
	polls[nr_polls].fn = fn;
	polls[nr_polls++].priv = priv;
}

bool host_polls_run(void)
{
	bool progress = false;

	for (unsigned int i = 0; i < nr_polls; i++)
		progress |= polls[i].fn(polls[i].priv);
	return progress;
}

u32 host_random(u64 *state)
{
	u64 x = *state + 0x9e3779b97f4a7c15;	/* splitmix64: any seed will do */

	*state = x;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return (x ^ x >> 31) >> 16;
}
