/*
 * The heap: objects of 16, 32, 48 … 1024 bytes from pages of one size each, larger ones
 * as whole pages. An object is aligned to the power of two that divides its size, up to a page.
 *
 *	slab page	| struct slab | object 0 | object 1 | …	object n at page + first + n * size
 *	large		| page …				its size is in a list by address
 *
 * A slab lies at the start of its page, so an object is never page aligned and a large block always
 * is: kfree() tells them apart by that. Slots are given from the first on, and only then those that
 * were freed; these have their bit set. So the slab also knows what is freed twice or was never
 * allocated, which ends the kernel with the caller's name. One lock, irqs off.
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
	struct list_head link;		/* in partial[], if any slot is freed */
	u32 magic;
	u16 size;			/* bytes of a slot */
	u16 first, end;			/* offsets of the slots */
	u16 freed;			/* slots that were used and are free */
	unsigned long free[];		/* a bit for each of these */
};

struct large {
	struct list_head link;
	void *block;
	size_t size;
};

/* All that most allocations look at: of each class's newest slab the slots that were never used,
 * which are all zero. */
static struct {
	spinlock_t lock;
	struct fresh {
		char *next, *end;
	} fresh[NR_CLASSES + 1];
} heap;

static struct list_head partial[NR_CLASSES + 1];
static struct list_head large[LARGE_HASH];

/* The smallest that has room; more than NR_CLASSES for a large block. In class 0, that of nothing
 * at all and of a size that cannot be rounded up, there never is a slot. */
static unsigned long class_of(size_t size)
{
	return (size + STEP - 1) / STEP;
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
	for (unsigned int i = 0; i <= NR_CLASSES; i++)
		INIT_LIST_HEAD(&partial[i]);
	for (unsigned int i = 0; i < LARGE_HASH; i++)
		INIT_LIST_HEAD(&large[i]);
}

/* ---- Small objects. Locked. ----------------------------------------------------------------- */

/* Its first slot, or NULL. */
static void *new_slab(unsigned long class)
{
	struct slab *slab = alloc_pages(0);	/* zeroed */
	size_t size = class * STEP, bits = PAGE_SIZE / size;

	if (!slab)
		return NULL;
	slab->magic = SLAB_MAGIC;
	slab->size = size;
	slab->first = ALIGN_UP(sizeof(*slab) + BITS_TO_LONGS(bits) * sizeof(long), size & -size);
	slab->end = PAGE_SIZE - (PAGE_SIZE - slab->first) % size;
	heap.fresh[class].next = (char *)slab + slab->first + size;
	heap.fresh[class].end = (char *)slab + slab->end;
	return (char *)slab + slab->first;
}

static __always_inline bool take_fresh(unsigned long class, void **slot)
{
	struct fresh *fresh = &heap.fresh[class];

	if (fresh->next == fresh->end)
		return false;
	*slot = fresh->next;
	fresh->next += class * STEP;
	return true;
}

static void *take_freed(struct slab *slab)
{
	unsigned int slot = find_next_bit(slab->free, PAGE_SIZE, 0);

	__clear_bit(slot, slab->free);
	if (!--slab->freed)
		list_del_init(&slab->link);
	return (char *)slab + slab->first + slot * slab->size;
}

/* *CLEAN: it is all zero. The first call of all comes here, too. */
static void *slab_alloc(unsigned long class, bool *clean)
{
	void *slot;

	init_once();
	*clean = true;
	if (take_fresh(class, &slot))
		return slot;
	*clean = list_empty(&partial[class]);
	return *clean ? new_slab(class)
		      : take_freed(list_first_entry(&partial[class], struct slab, link));
}

/* All slots of the others have been used. */
static bool is_newest(const struct slab *slab)
{
	return heap.fresh[slab->size / STEP].end == (const char *)slab + slab->end;
}

/* The offset behind the slots that have been used. */
static unsigned int used_end(const struct slab *slab)
{
	return is_newest(slab) ? heap.fresh[slab->size / STEP].next - (const char *)slab
			       : slab->end;
}

/* None of SLAB's slots is in use: it goes, if another one of its class has room. */
static void slab_emptied(struct slab *slab)
{
	const struct list_head *list = &partial[slab->size / STEP];
	struct fresh *fresh = &heap.fresh[slab->size / STEP];

	if (list->next == list->prev && (is_newest(slab) || fresh->next == fresh->end))
		return;
	if (is_newest(slab))
		fresh->next = fresh->end;
	list_del_init(&slab->link);
	slab->magic = 0;
	free_pages(slab, 0);
}

static void slab_release(struct slab *slab, const void *p, const void *caller)
{
	unsigned int offset = (const char *)p - (const char *)slab;

	if (slab->magic != SLAB_MAGIC || offset < slab->first || offset >= used_end(slab) ||
	    (offset - slab->first) % slab->size ||
	    test_bit((offset - slab->first) / slab->size, slab->free))
		bad_free(p, caller);
	__set_bit((offset - slab->first) / slab->size, slab->free);
	if (!slab->freed++)
		list_add_tail(&slab->link, &partial[slab->size / STEP]);
	if (slab->freed * slab->size == used_end(slab) - slab->first)
		slab_emptied(slab);
}

/* ---- Large blocks. Locked. ------------------------------------------------------------------ */

static void *large_alloc(size_t size)
{
	void *block = alloc_pages_exact(size);
	struct large *l;
	bool clean;

	l = block ? slab_alloc(class_of(sizeof(*l)), &clean) : NULL;
	if (block && !l)
		free_pages_exact(block, size);
	if (!l)
		return NULL;
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
	unsigned long flags = spin_lock_irqsave(&heap.lock);
	bool clean = true;		/* pages come so */
	void *p;

	p = size > MAX_SMALL ? large_alloc(size) : slab_alloc(class_of(size + !size), &clean);
	spin_unlock_irqrestore(&heap.lock, flags);
	return p && zero && !clean ? memset(p, 0, size) : p;
}

/* Nearly always a slot that is fresh: no call, so nothing to save. */
static __always_inline void *alloc(size_t size, bool zero)
{
	unsigned long flags = arch_local_irq_save(), class = class_of(size);
	bool taken = false;
	void *p;

	if (likely(spin_trylock(&heap.lock))) {
		taken = likely(class <= NR_CLASSES) && take_fresh(class, &p);
		spin_unlock(&heap.lock);
	}
	arch_local_irq_restore(flags);
	return likely(taken) ? p : alloc_slow(size, zero);
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
	flags = spin_lock_irqsave(&heap.lock);
	if ((uintptr_t)p % PAGE_SIZE)
		slab_release((struct slab *)ALIGN_DOWN((uintptr_t)p, PAGE_SIZE), p, caller);
	else
		large_free(p, caller);
	spin_unlock_irqrestore(&heap.lock, flags);
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
