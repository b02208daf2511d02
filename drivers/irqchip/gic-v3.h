/*
 * Between the files of the GICv3: gic-v3.c (claims, domain), gic-v3-dist.c (the chip of SGIs, PPIs
 * and SPIs), gic-v3-redist.c (what each CPU has of it), gic-v3-lpi.c (LPI tables), and the ITS on
 * top of them.
 */
#ifndef DRIVERS_IRQCHIP_GIC_V3_H
#define DRIVERS_IRQCHIP_GIC_V3_H

#include <asm/sysreg.h>
#include <drivers/irqchip/gic-common.h>

/* ---- Distributor: what version 3 has beyond gic-common.h ------------------------------------ */

#define  GICD_CTLR_EnableGrp1	BIT(1)
#define  GICD_CTLR_ARE		BIT(4)
#define  GICD_CTLR_RWP		BIT(31)
#define  GICD_TYPER_LPIS	BIT(17)
#define GICD_IROUTER(n)		(0x6000 + 8 * (n))
#define GIC_PIDR2		0xffe8		/* of every frame: bits 7:4 are the version */

/* ---- Redistributor -------------------------------------------------------------------------- */

#define GICR_CTLR		0x0000
#define  GICR_CTLR_EnableLPIs	BIT(0)
#define  GICR_CTLR_RWP		BIT(3)
#define GICR_TYPER		0x0008
#define  GICR_TYPER_PLPIS	BIT(0)
#define  GICR_TYPER_VLPIS	BIT(1)
#define  GICR_TYPER_Last	BIT(4)
#define GICR_WAKER		0x0014
#define  GICR_WAKER_ProcessorSleep	BIT(1)
#define  GICR_WAKER_ChildrenAsleep	BIT(2)
#define GICR_PROPBASER		0x0070
#define GICR_PENDBASER		0x0078
#define  GICR_PENDBASER_PTZ	BIT(62)
#define GICR_SGI_FRAME		0x10000

/* How the GIC reads its tables: memory attributes as fields of the …BASER registers. Ours are
 * ordinary cached memory; what cannot snoop that reads back as non-shareable. */
#define GIC_BASER_InnerShareable	(1UL << 10)
#define GIC_BASER_Shareability		(3UL << 10)
#define GIC_BASER_WRITE_BACK		7UL

struct gic_redist {
	char *base;			/* NULL: none was found for this CPU */
	phys_addr_t phys;
	u16 number;			/* Processor_Number: how an ITS may call it */
	void *pending;			/* its pending table */
};

struct its;

extern struct gic {
	bool eoimode1;			/* priority drop and deactivation are two writes */
	struct irq_domain *domain;
	char *dist;
	unsigned int nr_lpis, lpi_id_bits;
	struct its *its;		/* the first of a list */
	struct cpumask lpi_cpus;	/* these can take LPIs */
	u8 *lpi_property;		/* byte n: LPI 8192 + n */
	DECLARE_BITMAP(lpi_given, NR_IRQS);	/* bit n, too */
	unsigned long unknown;		/* claims of INTIDs that nobody has */
	spinlock_t lock;		/* lpi_given */
	struct gic_redist redist[NR_CPUS];
} gic;

/* ---- gic-v3-dist.c -------------------------------------------------------------------------- */

extern const struct irq_chip gic_chip;
extern struct gic_wires gic_wires;
/* Everything off, in group 1, to the boot CPU; then the distributor on. 0 or errno (said). */
int gic_dist_start(void);
/* INTID, not an LPI, stays quiet until somebody unmasks it. On its CPU if it is a PPI. */
void gic_quiet(u32 intid);

/* ---- gic-v3-doctor.c: irq doctor ------------------------------------------------------------- */

void gic_read_path_v3(u32 intid, struct gic_path *path);

/* ---- gic-v3-redist.c ------------------------------------------------------------------------ */

int gic_find_redists(struct device_node *node);
/* Resets the calling CPU's redistributor, then its CPU interface. What is missing is said. */
void gic_cpu_start(unsigned int cpu);
void gic_cpu_stop(unsigned int cpu);
/* An SGI to that CPU. Any context. */
void gic_send_sgi(struct irq_data *d, unsigned int cpu);

/* ---- gic-v3-lpi.c --------------------------------------------------------------------------- */

/* How many LPIs there will be: none, unless the tree has an ITS. Sets nr_lpis and lpi_id_bits. */
void gic_count_lpis(struct device_node *node);
/* Tables for every possible CPU; by the first ITS. 0, -ENODEV (said), -ENOMEM. */
int gic_lpi_init(void);
/* On that CPU: gives its redistributor the tables. 0, or errno (said), and then no LPI may go
 * there: it is not in gic.lpi_cpus. */
int gic_lpi_cpu_start(unsigned int cpu);
/* *NR consecutive LPIs, or half as many, and so on: the first INTID, and *NR says how many; or
 * -ENOSPC. Any context. (S-173) */
int gic_lpi_alloc(unsigned int *nr);
void gic_lpi_free(unsigned int first, unsigned int nr);
bool gic_lpi_is_given(unsigned int lpi);
unsigned int gic_lpis_given(void);
/* The byte of that LPI; the redistributors see it after an INV. Locked by the line. */
void gic_lpi_enable(unsigned int lpi, bool on);
bool gic_lpi_is_enabled(unsigned int lpi);

/* ---- The end of an interrupt ---------------------------------------------------------------- */

/*
 * EOI mode 0: one write drops the running priority and makes the line inactive. Mode 1: the entry
 * has dropped the priority, and this deactivates; an LPI has no active state. [GIC3 4.1.1]
 */
static __always_inline void gic_eoi(u32 intid)
{
	if (likely(!gic.eoimode1))
		sysreg_write(ICC_EOIR1_EL1, intid);
	else if (intid < GIC_FIRST_LPI)
		sysreg_write(ICC_DIR_EL1, intid);
	isb();
}

#endif
