/*
 * The heap: objects of 16, 32, 48 … 1024 bytes from pages of one size each, larger ones
 * as whole pages. An object is aligned to the power of two that divides its size, up to a page.
 *
 *	slab page	| struct slab | object 0 | object 1 | …	object n at page + first + n * size
 *	large		| page …				its size is in a list by address
 *
 * A slab lies at the start of its page, so an object is never page aligned and a large block always
 * is: kfree() tells them apart by that. Slots are given from the first on; one that was freed has
 * its bit set, and is given before any new one. So the slab also knows what is freed twice or was
 * never allocated, which ends the kernel with the caller's name. One lock, irqs off.
 */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include <lib/bitmap.h>
#include <lib/list.h>
#include <stdio.h>
#include <string.h>

#define STEP		16
#define MAX_SMALL	1024
#define NR_CLASSES	(MAX_SMALL / STEP)
#define SLAB_MAGIC	0x51ab51abU
#define LARGE_HASH	64

struct slab {
	struct list_head link;		/* first: in partial[], unless full */
	u32 magic;
	u16 size;			/* bytes of a slot */
	u16 first, end;			/* offsets of the slots */
	u16 fresh;			/* from here on none has ever been used: all zero */
	u16 freed;			/* slots that were used and are free */
	unsigned long free[];		/* a bit for each of these */
};

struct large {
	struct list_head link;
	void *block;
	size_t size;
};

static spinlock_t lock;
static struct list_head partial[NR_CLASSES];
static struct list_head large[LARGE_HASH];

/* The smallest that has room; NR_CLASSES or more for a large block. Nothing gets a byte. */
static unsigned long class_of(size_t size)
{
	return (size - !!size) / STEP;
}

static struct list_head *large_list(const void *block)
{
	return &large[(uintptr_t)block / PAGE_SIZE % LARGE_HASH];
}

static void __noreturn bad_free(const void *p, const void *caller)
{
	char name[64];

	panic("kfree: %p was freed before or never allocated; called by %s", p,
	      symbol_name(name, sizeof(name), (unsigned long)caller));
}

static void init_once(void)
{
	if (partial[0].next)
		return;
	for (unsigned int i = 0; i < NR_CLASSES; i++)
		INIT_LIST_HEAD(&partial[i]);
	for (unsigned int i = 0; i < LARGE_HASH; i++)
		INIT_LIST_HEAD(&large[i]);
}

/* ---- Small objects. Locked. ----------------------------------------------------------------- */

static struct slab *new_slab(unsigned int class)
{
	struct slab *slab = alloc_pages(0);	/* zeroed */
	size_t size = (class + 1) * STEP, bits = PAGE_SIZE / size;

	if (!slab)
		return NULL;
	slab->magic = SLAB_MAGIC;
	slab->size = size;
	slab->first = ALIGN_UP(sizeof(*slab) + BITS_TO_LONGS(bits) * sizeof(long), size & -size);
	slab->fresh = slab->first;
	slab->end = PAGE_SIZE - (PAGE_SIZE - slab->first) % size;
	list_add(&slab->link, &partial[class]);
	return slab;
}

/* The first call of all comes here too. */
static struct slab *slab_with_room(unsigned int class)
{
	init_once();
	return list_empty(&partial[class]) ? new_slab(class)
					   : list_first_entry(&partial[class], struct slab, link);
}

static unsigned int take_freed(struct slab *slab)
{
	unsigned int slot = find_next_bit(slab->free, PAGE_SIZE, 0);

	__clear_bit(slot, slab->free);
	slab->freed--;
	return slab->first + slot * slab->size;
}

/* A slot that was never used, and is not the last; NULL: another has to be looked for. */
static __always_inline void *slab_alloc_fresh(unsigned long class)
{
	struct slab *slab = (struct slab *)partial[class].next;
	unsigned long offset;

	if (!slab || &slab->link == &partial[class] || slab->freed)
		return NULL;
	offset = slab->fresh;
	if (offset + slab->size == slab->end)
		return NULL;
	slab->fresh = offset + slab->size;
	return (char *)slab + offset;
}

/* *CLEAN: it is all zero. */
static void *slab_alloc(unsigned long class, bool *clean)
{
	struct slab *slab = slab_with_room(class);
	unsigned long offset;

	if (!slab)
		return NULL;
	*clean = !slab->freed;
	offset = slab->fresh;
	if (*clean)
		slab->fresh = offset + slab->size;
	else
		offset = take_freed(slab);
	if (slab->fresh == slab->end && !slab->freed)
		list_del_init(&slab->link);
	return (char *)slab + offset;
}

static void slab_release(struct slab *slab, const void *p, const void *caller)
{
	unsigned int offset = (const char *)p - (const char *)slab, slot;
	struct list_head *list;
	bool full;

	if (slab->magic != SLAB_MAGIC || offset < slab->first || offset >= slab->fresh ||
	    (offset - slab->first) % slab->size)
		bad_free(p, caller);
	slot = (offset - slab->first) / slab->size;
	if (test_bit(slot, slab->free))
		bad_free(p, caller);
	full = slab->fresh == slab->end && !slab->freed;
	__set_bit(slot, slab->free);
	slab->freed++;
	list = &partial[class_of(slab->size)];
	if (full) {
		list_add_tail(&slab->link, list);
	} else if (slab->freed * slab->size == slab->fresh - slab->first &&
		   list->next != list->prev) {
		list_del_init(&slab->link);	/* empty, and another one has room */
		slab->magic = 0;
		free_pages(slab, 0);
	}
}

/* ---- Large blocks. Locked. ------------------------------------------------------------------ */

static void *large_alloc(size_t size)
{
	void *block = alloc_pages_exact(size);
	struct large *l;
	bool clean;

	l = block ? slab_alloc(class_of(sizeof(*l)), &clean) : NULL;
	if (!l) {
		if (block)
			free_pages_exact(block, size);
		return NULL;
	}
	l->block = block;
	l->size = size;
	list_add(&l->link, large_list(block));
	return block;
}

static void large_free(const void *p, const void *caller)
{
	struct large *l;

	init_once();
	list_for_each_entry(l, large_list(p), link) {
		if (l->block != p)
			continue;
		list_del_init(&l->link);
		free_pages_exact(l->block, l->size);
		slab_release((struct slab *)ALIGN_DOWN((uintptr_t)l, PAGE_SIZE), l, caller);
		return;
	}
	bad_free(p, caller);
}

/* ---- The interface -------------------------------------------------------------------------- */

static void __attribute__((noinline)) *alloc_slow(size_t size, bool zero)
{
	unsigned long flags = spin_lock_irqsave(&lock);
	unsigned long class = class_of(size);
	bool clean = true;		/* pages come so */
	void *p;

	p = class < NR_CLASSES ? slab_alloc(class, &clean) : large_alloc(size);
	spin_unlock_irqrestore(&lock, flags);
	return p && zero && !clean ? memset(p, 0, size) : p;
}

/* Nearly always the next slot of a slab that has more new ones: no call, so nothing to save. */
static __always_inline void *alloc(size_t size, bool zero)
{
	unsigned long flags = arch_local_irq_save(), class = class_of(size);
	void *p = NULL;

	if (likely(spin_trylock(&lock))) {
		if (likely(class < NR_CLASSES))
			p = slab_alloc_fresh(class);
		spin_unlock(&lock);
	}
	arch_local_irq_restore(flags);
	return likely(p) ? p : alloc_slow(size, zero);
}

void *kmalloc(size_t size)
{
	return alloc(size, false);
}

void *kzalloc(size_t size)
{
	return alloc(size, true);
}

void *kcalloc(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kzalloc(bytes);
}

void kfree(const void *p)
{
	const void *caller = __builtin_return_address(0);
	unsigned long flags;

	if (!p)
		return;
	flags = spin_lock_irqsave(&lock);
	if ((uintptr_t)p % PAGE_SIZE)
		slab_release((struct slab *)ALIGN_DOWN((uintptr_t)p, PAGE_SIZE), p, caller);
	else
		large_free(p, caller);
	spin_unlock_irqrestore(&lock, flags);
}

char *kasprintf(const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = len < 0 ? NULL : kmalloc(len + 1);
	if (!text)
		return NULL;
	va_start(args, fmt);
	vsnprintf(text, len + 1, fmt, args);
	va_end(args);
	return text;
}

char *kstrdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = kmalloc(size);

	return copy ? memcpy(copy, s, size) : NULL;
}
