/* Between imsic.c (claim, tree), imsic-domain.c (lines) and imsic-state.c (interrupt files). */
#ifndef DRIVERS_IRQCHIP_IMSIC_H
#define DRIVERS_IRQCHIP_IMSIC_H

#include <asm/csr.h>
#include <kernel/ipi.h>
#include <kernel/interrupt.h>
#include <kernel/irqdomain.h>
#include <kernel/matrix.h>

#define IMSIC_PAGE_SHIFT	12
#define IMSIC_MAX_ID		2047
#define IMSIC_IPI_ID		1

/* Registers behind siselect. eip and eie: 64 bits each, under even numbers. [AIA 3.8] */
#define IMSIC_EIDELIVERY	0x70
#define IMSIC_EITHRESHOLD	0x72
#define IMSIC_EIP(id)		(0x80 + (id) / 64 * 2)
#define IMSIC_EIE(id)		(0xc0 + (id) / 64 * 2)

/* One (hart, identity), which a line owns as long as the matrix has given it. */
struct imsic_vector {
	struct irq_desc *desc;		/* whose flow a claim runs; NULL: nobody's */
	struct imsic_vector *next;	/* in its hart's list of vectors to retire */
	struct imsic_vector *heir;	/* the line has moved there: gets what is pending here */
	struct imsic_vector *former;	/* the line has come from there; until that is retired */
	struct imsic_hart *hart;
	u16 cpu, id;
	bool used;			/* has been enabled, so may be pending */
	bool retiring;			/* waits for its hart */
	u64 pad[2];			/* 64 bytes: a claim finds its vector by one shift */
};

struct imsic_hart {
	struct imsic_vector *vector;	/* by identity; cpu->irqchip, too */
	void *page;			/* NULL: this CPU has no file */
	phys_addr_t msi_address;
	u32 kicked;			/* the IPI is stored and not yet handled */
	bool work;			/* dirty or retire is not empty */
	bool down;			/* stopped: nothing to do but to keep the books */
	unsigned long dirty;		/* bit n: eie of identities 64n … 64n + 63 */
	struct imsic_vector *retire;
	DECLARE_BITMAP(enabled, IMSIC_MAX_ID + 1);	/* what eie is, or is to become */
};

extern struct imsic {
	spinlock_t lock;		/* vectors and harts, but for kicked and work */
	unsigned int nr_ids;		/* the greatest identity */
	struct irq_matrix *matrix;
	struct irq_domain *domain;
	unsigned int parent_irq, ipi_irq;
	unsigned long unknown;		/* claims of identities that nobody has */
	struct imsic_hart hart[NR_CPUS];
} imsic;

extern const struct irq_chip imsic_chip, imsic_ipi_chip;
extern const struct irq_domain_ops imsic_domain_ops;
#define IMSIC_DOMAIN_FLAGS	(IRQ_DOMAIN_FLAG_MSI_PARENT | IRQ_DOMAIN_FLAG_NO_MAP)
extern const struct msi_parent_ops imsic_msi_parent_ops;

/* Makes matrix and vectors for imsic.nr_ids and every CPU. 0 or -ENOMEM. */
int imsic_state_init(void);
void imsic_state_free(void);

/* ---- Vectors of lines. imsic.lock held. ----------------------------------------------------- */

void imsic_vector_enable(struct imsic_vector *vec, bool on);
/* The line has left VEC (for vec->heir, if that is set): gives it back, as soon as its own hart has
 * seen to it that nothing is lost. */
void imsic_vector_leave(struct imsic_vector *vec);

/* Waits until no hart can be about to run VEC's line any more. Thread context, unlocked. */
void imsic_vector_wait(struct imsic_vector *vec);
/* This hart's pending bit of VEC, which is one of its own. Irqs off. */
static __always_inline bool imsic_vector_pending(const struct imsic_vector *vec)
{
	csr_write(CSR_SISELECT, IMSIC_EIP(vec->id));
	return csr_read(CSR_SIREG) & BIT(vec->id % 64);
}
void imsic_vector_clear_pending(const struct imsic_vector *vec);
/* As if a device had sent VEC's message. Any context. */
void imsic_vector_send(const struct imsic_vector *vec);

/* irq_chip.irq_diagnose of a line and of the IPI. */
void imsic_diagnose(struct irq_data *d, struct diagnosis *dx);
void imsic_ipi_diagnose(struct irq_data *d, struct diagnosis *dx);

/* ---- Harts ---------------------------------------------------------------------------------- */

void imsic_send_ipi(unsigned int cpu);			/* any context */
irqreturn_t imsic_ipi(int irq, void *hart);		/* handler of imsic.ipi_irq */
void imsic_hart_start(unsigned int cpu);		/* on that CPU, irqs off; so the next */
void imsic_hart_stop(unsigned int cpu);

#endif
