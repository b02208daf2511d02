/* Between aplic.c (sources, start), aplic-msi.c (one delivery mode), aplic-direct.c and aplic-idc.c
 * (lines and harts of the other). */
#ifndef DRIVERS_IRQCHIP_APLIC_H
#define DRIVERS_IRQCHIP_APLIC_H

#include <kernel/device.h>
#include <kernel/diagnose.h>
#include <kernel/io.h>
#include <kernel/irqdomain.h>
#include <kernel/of.h>

/* Registers. [AIA 4.5] */
#define DOMAINCFG		0x0000
#define  DOMAINCFG_DM		BIT(2)		/* MSI delivery mode */
#define  DOMAINCFG_IE		BIT(8)
#define SOURCECFG(n)		(0x0000 + 4 * (n))
#define  SM_INACTIVE		0
#define  SM_EDGE1		4
#define  SM_EDGE0		5
#define  SM_LEVEL1		6
#define  SM_LEVEL0		7
#define SETIP(i)		(0x1c00 + 4 * (i))	/* reads: pending */
#define IN_CLRIP(i)		(0x1d00 + 4 * (i))	/* reads: rectified inputs */
#define CLRIPNUM		0x1ddc
#define SETIE(i)		(0x1e00 + 4 * (i))
#define SETIENUM		0x1edc
#define CLRIE(i)		(0x1f00 + 4 * (i))
#define CLRIENUM		0x1fdc
#define SETIPNUM_LE		0x2000
#define TARGET(n)		(0x3000 + 4 * (n))
#define  TARGET_HART_SHIFT	18
#define  TARGET_GUEST_SHIFT	12

#define APLIC_MAX_SOURCE	1023

struct aplic {
	struct device dev;
	char *regs;
	u64 size;			/* of regs */
	u32 nr_sources;
	struct aplic *next;
	struct irq_domain *domain;
	u32 (*target)(struct irq_data *d);	/* what the register of a line is to hold */
	/* MSI mode */
	phys_addr_t imsic_base;		/* page of hart index 0 */
	u32 guest_bits;			/* a hart has 2^guest_bits pages */
	/* Direct mode */
	struct cpumask cpus;		/* that have an IDC of it */
	unsigned long spurious;		/* traps whose first claim found nothing */
	unsigned long unmapped;		/* claims of sources without an irq */
	u8 claimed_high[APLIC_MAX_SOURCE + 1];	/* the wire, at the newest claim of a level */
};

/* Bit of source N in one of the arrays above. Any context. */
static inline bool aplic_bit(const struct aplic *aplic, unsigned int array, unsigned int n)
{
	return readl(aplic->regs + array + n / 32 * 4) >> n % 32 & 1;
}

/* A CPU has one external interrupt, so it is behind one such APLIC of the machine at most. */
extern struct aplic_idc {
	struct aplic *aplic;		/* NULL: none delivers to this CPU */
	char *regs;
	u32 hart;			/* index, in target */
} aplic_idcs[NR_CPUS];

extern const struct irq_chip aplic_direct_chip;
extern const struct irq_domain_ops aplic_direct_ops;	/* host_data is the aplic */
u32 aplic_idc_target(struct irq_data *d);
/* irq doctor: lets the IDC a source of that priority through? */
void aplic_diagnose_idc(struct diagnosis *dx, const struct aplic_idc *idc, u32 priority);

static inline bool aplic_is_level(const struct irq_data *d)
{
	return irqd_get_trigger_type(d) & IRQ_TYPE_LEVEL_MASK;
}

/* What makes a source of that trigger type pending, and the flow of its line; -EINVAL, with a
 * message, if it cannot be. Irqs off. */
int aplic_set_source_mode(struct aplic *aplic, struct irq_data *d, unsigned int type);
/* Source and type from the tree's two cells: 0, or -EINVAL with a message. */
int aplic_translate(const struct aplic *aplic, const struct irq_fwspec *fwspec,
		    unsigned long *hwirq, unsigned int *type);

/* irq doctor: what both delivery modes have. */
void aplic_diagnose_source(struct diagnosis *dx, const struct aplic *aplic, struct irq_data *d);

/* The rest of the start: 0 or errno. PARENT as of_irq_init() gives it. */
int aplic_msi_setup(struct aplic *aplic, struct device_node *node);
int aplic_direct_setup(struct aplic *aplic, struct device_node *node, struct device_node *parent);

#endif
