/*
 * Between the files of msi-poll: msi-poll.c (the memory and who looks at it) and
 * msi-poll-domain.c (lines and their chip).
 */
#ifndef DRIVERS_IRQCHIP_MSI_POLL_H
#define DRIVERS_IRQCHIP_MSI_POLL_H

#include <kernel/mm.h>
#include <kernel/msi.h>
#include <kernel/time.h>
#include <lib/bitmap.h>

#define MSI_POLL_SLOTS	(PAGE_SIZE / sizeof(u32))	/* the first is unused: no message is 0 */

struct msi_poll_line {
	u32 looker;			/* 1 + the CPU that looks at its slot; 0: masked. Atomic */
	u32 cpu;			/* whose it is, masked or not. Under desc->lock */
	unsigned long delivered;
	unsigned long merged;		/* stores that met a message: those that a CPU made */
};

extern struct msi_poll {
	struct irq_domain *domain;	/* NULL: nobody asked for it */
	u32 *slot;
	u64 tick_ns;
	unsigned long stray;		/* words that are not their slot's message */
	u32 end;			/* slots from here on were never given */
	DECLARE_BITMAP(given, MSI_POLL_SLOTS);	/* under the tree mutex */
	struct msi_poll_line line[MSI_POLL_SLOTS];
	struct {
		struct timer timer;
		u32 busy;		/* the slot it delivers from just now, or 0. Atomic */
	} cpu[NR_CPUS];
} msi_poll;

/* Waits until no CPU can be about to deliver from slot N, which is masked. Thread context. */
void msi_poll_wait(u32 n);

extern const struct irq_chip msi_poll_chip;
extern const struct irq_domain_ops msi_poll_domain_ops;
extern const struct msi_parent_ops msi_poll_parent_ops;

#endif
