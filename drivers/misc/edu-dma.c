/*
 * The edu device copies memory: to its own buffer and from there, with an interrupt for each.
 *
 *	page[0 …]  --DMA-->  buffer at 0x40000  --DMA-->  page[2048 …]
 *
 * Its addresses have 28 bits unless QEMU is told otherwise (dma_mask=), no register says how many,
 * and what is above is simply cut off: a transfer would end up somewhere else. So it is tried
 * first, with one byte and only where a byte astray does no harm. Manual: QEMU, "EDU device".
 *
 * Comparing what came back takes longer than an interrupt should: the irq's thread does it.
 */
#include <drivers/misc/edu.h>
#include <kernel/mm.h>
#include <string.h>

enum {
	EDU_DMA_SRC	= 0x80,
	EDU_DMA_DST	= 0x88,
	EDU_DMA_COUNT	= 0x90,
	EDU_DMA_CMD	= 0x98,
	DMA_START	= 1 << 0,
	DMA_FROM_DEVICE	= 1 << 1,
	DMA_IRQ		= 1 << 2,
	EDU_BUFFER	= 0x40000,
};

#define DMA_BITS	28
#define DMA_MASK	(BIT(DMA_BITS) - 1)
#define DMA_BYTES	2048		/* half of its buffer: some refuse to fill it to the end */
#define MARK		0xa5
#define TRIES		16		/* pages, to find one whose address is harmless if cut */

static int transfer(struct edu *edu, u64 src, u64 dst, u32 count, u32 direction)
{
	if (readl(edu->regs + EDU_DMA_CMD) & DMA_START)
		return shell_error(-EBUSY, "%s: edu: it still copies", edu->pci->name);
	edu_expect(edu);
	writeq(src, edu->regs + EDU_DMA_SRC);
	writeq(dst, edu->regs + EDU_DMA_DST);
	writeq(count, edu->regs + EDU_DMA_COUNT);
	writeq(DMA_START | direction | DMA_IRQ, edu->regs + EDU_DMA_CMD);
	return edu_await(edu, ISR_DMA);
}

static bool overlaps(u64 addr, u64 start, u64 size)
{
	return addr < start + size && start < addr + PAGE_SIZE;
}

/* Flash does no harm: it takes a byte 0 for "read". */
static bool hits_node(const struct device_node *np, u64 addr)
{
	struct resource res;

	if (!np->parent || !of_n_size_cells(np->parent) || of_device_is_compatible(np, "cfi-flash"))
		return false;
	for (unsigned int i = 0; !of_address_to_resource(np, i, &res); i++)
		if (overlaps(addr, res.start, res.size))
			return true;
	return false;
}

/* Would a stray byte in the page at ADDR hit registers? */
static bool is_dangerous(const struct edu *edu, u64 addr)
{
	const struct pci_host *host = edu->pci->bus->host;
	struct device_node *np;

	for (unsigned int i = 0; i < host->nr_windows; i++)
		if (overlaps(addr, host->window[i].cpu_addr, host->window[i].size))
			return true;
	for_each_of_node(np)
		if (hits_node(np, addr))
			return true;
	return false;
}

/* A page which the device reaches or which it may try to; NULL: none of some. */
static u8 *find_page(struct edu *edu)
{
	u8 *page[TRIES], *found = NULL;
	unsigned int n = 0;

	while (n < TRIES && !found && (page[n] = alloc_pages(0))) {
		u64 dma = dma_map(&edu->pci->dev, page[n], PAGE_SIZE);

		if (dma <= DMA_MASK || !is_dangerous(edu, (uintptr_t)page[n] & DMA_MASK))
			found = page[n];
		n++;
	}
	while (n--)
		if (page[n] != found)
			free_pages(page[n], 0);
	return found;
}

/* Lets it write one byte, 0 after its reset and after each dma, where there was another. */
static int try_page(struct edu *edu, u8 *page, dma_addr_t dma)
{
	int err;

	page[0] = MARK;
	err = transfer(edu, EDU_BUFFER, dma, 1, DMA_FROM_DEVICE);
	if (!err && __atomic_load_n(page, __ATOMIC_RELAXED) == MARK)
		err = shell_error(-EIO, "%s: edu: its DMA does not reach memory at 0x%llx: it has "
				  "%u address bits; give QEMU -device "
				  "edu,dma_mask=0xffffffffffffffff",
				  edu->pci->name, (unsigned long long)dma, DMA_BITS);
	return err;
}

/* After Ctrl-C or a timeout it may still write to the page, which is then never used again. */
static int get_page(struct edu *edu)
{
	u8 *page = find_page(edu);
	int err;

	if (!page)
		return shell_error(-ENOMEM, "%s: edu: no page of memory to try its DMA with",
				   edu->pci->name);
	edu->page_dma = dma_map(&edu->pci->dev, page, PAGE_SIZE);
	err = try_page(edu, page, edu->page_dma);
	if (!err)
		edu->page = page;
	else if (err == -EIO)
		free_pages(page, 0);
	return err;
}

void edu_dma_done(struct edu *edu)
{
	if (edu->page)
		edu->same = !memcmp(edu->page, edu->page + DMA_BYTES, DMA_BYTES);
}

int edu_dma(struct edu *edu)
{
	u32 before;
	int err = edu->page ? 0 : get_page(edu);

	if (err)
		return err;
	synchronize_irq(edu->irq);	/* after a Ctrl-C its thread may still look at the page */
	before = edu_expect(edu);
	for (unsigned int i = 0; i < DMA_BYTES; i++) {
		edu->page[i] = i ^ i >> 8;	/* byte 0 is 0: see try_page() */
		edu->page[DMA_BYTES + i] = MARK;
	}
	err = transfer(edu, edu->page_dma, EDU_BUFFER, DMA_BYTES, 0);
	if (!err)
		err = transfer(edu, EDU_BUFFER, edu->page_dma + DMA_BYTES, DMA_BYTES,
			       DMA_FROM_DEVICE);
	if (err)
		return err;
	if (!edu->same)
		return shell_error(-EIO, "%s: edu: what came back by DMA is not what went",
				   edu->pci->name);
	edu_show(edu, "bytes", DMA_BYTES, before);
	return 0;
}
