/*
 * Memory for devices. Every machine of ours is coherent and has no IOMMU in the way, so that
 * a bus address is a physical address plus the constant that the bus's dma-ranges give. [DT 2.3.9]
 */
#include <kernel/device.h>
#include <kernel/mm.h>

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma)
{
	void *p = alloc_pages(get_order(size));

	if (p)
		*dma = (uintptr_t)p + dev->dma_offset;
	return p;
}

void dma_free_coherent(struct device *dev, size_t size, void *p, dma_addr_t dma)
{
	(void)dev;
	(void)dma;
	if (p)
		free_pages(p, get_order(size));
}

dma_addr_t dma_map(struct device *dev, const void *p, size_t size)
{
	(void)size;
	return (uintptr_t)p + dev->dma_offset;
}

void dma_unmap(struct device *dev, dma_addr_t dma, size_t size)
{
	(void)dev;
	(void)dma;
	(void)size;
}
