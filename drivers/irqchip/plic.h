/* Between plic.c (claims, start) and plic-chip.c (lines). */
#ifndef DRIVERS_IRQCHIP_PLIC_H
#define DRIVERS_IRQCHIP_PLIC_H

#include <kernel/irqdomain.h>

#define PLIC_MAX_SOURCE		1023
#define PLIC_NOBODY		0xff

/* Registers: of the whole, and of a context. [PLIC 3] */
#define PLIC_PRIORITY(n)	(4 * (n))
#define PLIC_PENDING(n)		(0x1000 + (n) / 32 * 4)
#define PLIC_ENABLE(context)	(0x2000 + 0x80UL * (context))
#define PLIC_CONTEXT(context)	(0x200000 + 0x1000UL * (context))
#define PLIC_CONTEXT_SIZE	0x1000
#define PLIC_THRESHOLD		0
#define PLIC_CLAIM		4

struct plic {
	struct plic *next;
	char *regs;
	struct irq_domain *domain;
	struct cpumask cpus;		/* that are contexts of it */
	u32 nr_sources, cells;		/* with 2 cells the tree tells edges from levels */
	unsigned long spurious;		/* traps whose first claim found nothing */
	unsigned long unmapped;		/* claims of sources without an irq */
	u8 claimed_by[PLIC_MAX_SOURCE + 1];	/* CPU that has not completed; or PLIC_NOBODY */
};

/* A CPU has one external interrupt, so it is behind one PLIC of the machine at most. */
extern struct plic_context {
	struct plic *plic;		/* NULL: the CPU is a context of none */
	char *regs, *enable;
	u32 enabled[PLIC_MAX_SOURCE / 32 + 1];	/* as written */
} plic_contexts[NR_CPUS];

extern const struct irq_chip plic_chip;
extern const struct irq_domain_ops plic_domain_ops;	/* host_data is the plic */

/* Of the CPU that the line goes to. */
struct plic_context *plic_context_of(const struct irq_data *d);
/* Irqs off. */
bool plic_enabled(const struct plic_context *context, irq_hw_number_t hwirq);
void plic_toggle(struct plic_context *context, irq_hw_number_t hwirq, bool on);
/* Takes a claim of CONTEXT back to the gateway. */
void plic_complete(struct plic_context *context, irq_hw_number_t hwirq);

#endif
