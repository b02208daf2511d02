/*
 * What newlib would call to allocate.  Only asprintf and its like get there, which the kernel does
 * not use: they find no memory.  Weak, so that a heap may take their place.
 */
#include <reent.h>
#include <stdlib.h>

__attribute__((weak)) void *_malloc_r(struct _reent *reent, size_t size)
{
	(void)reent, (void)size;
	return NULL;
}

__attribute__((weak)) void *_realloc_r(struct _reent *reent, void *old, size_t size)
{
	(void)reent, (void)old, (void)size;
	return NULL;
}

__attribute__((weak)) void _free_r(struct _reent *reent, void *block)
{
	(void)reent, (void)block;
}
