/* The edu device: shared by edu.c and edu-dma.c. */
#ifndef DRIVERS_MISC_EDU_H
#define DRIVERS_MISC_EDU_H

#include <drivers/pci/pci.h>
#include <kernel/io.h>
#include <kernel/printk.h>
#include <kernel/shell.h>

#define ISR_DMA		0x100

struct edu {
	struct pci_dev *pci;
	char *regs;
	unsigned int irq;
	u32 irqs, seen;			/* atomic: interrupts; their bits since edu_expect() */
	u8 *page;			/* for DMA; NULL until it is known to be in reach */
	bool same;			/* what came back is what went */
	dma_addr_t page_dma;
	struct edu *next;
};

/* Shell thread. What came before is forgotten; returns how many came so far. */
u32 edu_expect(struct edu *edu);
/* Sleeps until interrupts have come with all of BITS: 0, -ETIMEDOUT or -EINTR (said). */
int edu_await(struct edu *edu, u32 bits);
/* {NAME: VALUE, "irqs": how many came since BEFORE} */
void edu_show(const struct edu *edu, const char *name, u32 value, u32 before);

/* edu-dma.c: copies memory to the device and back: 0 or an error, said. Shell thread. */
int edu_dma(struct edu *edu);
/* A transfer is done: looks at what it brought. The irq's thread. */
void edu_dma_done(struct edu *edu);

#endif
