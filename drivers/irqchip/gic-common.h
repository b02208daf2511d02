/*
 * What GICv2 and GICv3 have in common: how lines are numbered, the registers that a distributor of
 * either has at the same place, and how the device tree names a wire. [GIC2 2.2, 4.3] [GIC3 2.2]
 */
#ifndef DRIVERS_IRQCHIP_GIC_COMMON_H
#define DRIVERS_IRQCHIP_GIC_COMMON_H

#include <kernel/io.h>
#include <kernel/irqdomain.h>

/* ---- INTIDs: what kind of line each number is ----------------------------------------------- */

#define GIC_NR_SGIS		16	/* 0 … 15: software, from CPU to CPU */
#define GIC_FIRST_SPI		32	/* 16 … 31: PPIs, of one CPU; then shared lines */
#define GIC_FIRST_SPECIAL	1020	/* … 1023: "nothing", in four flavours */
#define GIC_FIRST_LPI		8192	/* GICv3: messages, described by tables in memory */

/* First cell of a specifier; the last is never in a tree, but how the ITS asks for an LPI. */
enum { GIC_SPI, GIC_PPI, GIC_ESPI, GIC_EPPI, GIC_LPI = 0x4c5049 };

#define GIC_PRIORITY		0xa0U	/* of every line: none interrupts another */
#define GIC_PRIORITY_ALL	0xf0	/* a CPU takes all that are more urgent than this */

/* ---- Distributor ---------------------------------------------------------------------------- */

#define GICD_CTLR		0x0000
#define GICD_TYPER		0x0004
#define GICD_IGROUPR		0x0080
#define GICD_ISENABLER		0x0100
#define GICD_ICENABLER		0x0180
#define GICD_ISPENDR		0x0200
#define GICD_ICPENDR		0x0280
#define GICD_ISACTIVER		0x0300
#define GICD_ICACTIVER		0x0380
#define GICD_IPRIORITYR		0x0400
#define GICD_ICFGR		0x0c00

/* ITLinesNumber: the first number that is not an SPI either. [GIC2 GICD_TYPER] */
static inline unsigned int gic_nr_intids(u32 typer)
{
	unsigned int nr = 32 * ((typer & 0x1f) + 1);

	return nr < GIC_FIRST_SPECIAL ? nr : GIC_FIRST_SPECIAL;
}

/* ---- The lines that are wires or software: callbacks of an irq_chip -------------------------- */

struct gic_path {
	bool distributor, interface, routed;
	u32 ctlr, mask;			/* of the distributor; the priority mask of the CPU */
	u64 route;
	/* by gic_wire_diagnose() itself */
	struct irq_data *d;
	bool enabled, pending, active;
	u8 priority;
};

/* One version's ways with them: chip_data of such a line, host_data of the domain. */
struct gic_wires {
	const struct irq_chip *chip;
	unsigned int nr_intids;		/* the first number that does not exist */
	/* The registers of that line: for an SGI or PPI, those of the calling CPU. */
	char *(*bank)(u32 intid);
	/* Waits until what was disabled is, 0 or -ETIMEDOUT (said). NULL: no register tells. */
	int (*settle)(u32 intid);
	/* From now on that SPI goes to CPU: 0, or -EINVAL if it cannot. */
	int (*route)(u32 spi, unsigned int cpu);
	/* irq doctor, on the line's CPU: do distributor and CPU interface let lines of our group
	 * pass, and where does that SPI go? */
	void (*read_path)(u32 intid, struct gic_path *path);
	spinlock_t lock;		/* GICD_ICFGR */
};

/* One bit a line: writing a one sets or clears, zeros do nothing. Any context. */
static inline char *gic_word(char *bank, u32 intid, u32 reg)
{
	return bank + reg + intid / 32 * 4;
}
static inline void gic_poke(char *bank, u32 intid, u32 reg)
{
	writel(BIT(intid % 32), gic_word(bank, intid, reg));
}
static inline bool gic_peek(char *bank, u32 intid, u32 reg)
{
	return readl(gic_word(bank, intid, reg)) & BIT(intid % 32);
}

void gic_wire_mask(struct irq_data *d);
void gic_wire_unmask(struct irq_data *d);
int gic_wire_set_type(struct irq_data *d, unsigned int type);
int gic_wire_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force);
int gic_wire_retrigger(struct irq_data *d);
int gic_wire_get_state(struct irq_data *d, enum irqchip_irq_state which, bool *state);
int gic_wire_set_state(struct irq_data *d, enum irqchip_irq_state which, bool state);
void gic_wire_diagnose(struct irq_data *d, struct diagnosis *dx);

/* NR lines from FIRST on, a multiple of 32: disabled, neither pending nor active, all of one
 * priority. */
void gic_reset_wires(char *bank, u32 first, u32 nr);

/* ---- Their domain --------------------------------------------------------------------------- */

/*
 * irq_domain_ops.translate and alloc: <SPI or PPI, number, flags>, of which the low four bits are
 * the trigger type and bits 15:8 of a PPI tell CPUs, which nobody needs; or one cell, an SGI. An
 * SPI begins at the boot CPU. 0, -EINVAL (said), -ENOMEM. (S-158, S-160)
 */
int gic_wire_translate(struct irq_domain *d, struct irq_fwspec *fwspec, unsigned long *hwirq,
		       unsigned int *type);
int gic_wire_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs, void *arg);

#endif
