/*
 * Generic chips: irq_chips made of a register base and a table of offsets, for controllers whose
 * lines are bits of a few registers. One generic chip covers up to 32 lines; a domain with more
 * has several of them. (Linux: the second half of <linux/irq.h>)
 *
 *	irq_domain.gc -> irq_domain_chip_generic { gc[0], gc[1], … }	line n: gc[n / per chip]
 *	                                             |
 *	             irq_chip_generic { registers, lock, mask cache, chip_types[] }
 *	                                                                 |
 *	             irq_chip_type { irq_chip, offsets, flow handler }	one a trigger family
 *
 * A line's irq_data has chip = &chip_types[i].chip, chip_data = its irq_chip_generic and
 * mask = its bit.
 */
#ifndef KERNEL_IRQGENERIC_H
#define KERNEL_IRQGENERIC_H

#include <kernel/io.h>
#include <kernel/irqdomain.h>

#define IRQ_GC_MAX_LINES	32	/* bits of a register, and of d->mask */

/* Offsets from reg_base. */
struct irq_chip_regs {
	unsigned long enable;		/* write one: enabled */
	unsigned long disable;		/* write one: disabled */
	unsigned long mask;		/* a bit a line; the cache holds what was written last */
	unsigned long ack;
	unsigned long eoi;
	unsigned long type;
};

/* What a line looks like while its trigger is one of TYPE. */
struct irq_chip_type {
	struct irq_chip chip;
	struct irq_chip_regs regs;
	irq_flow_handler_t handler;
	u32 type;			/* IRQ_TYPE_* */
	u32 mask_cache_priv;
	u32 *mask_cache;		/* the chip's, or mask_cache_priv */
};

struct irq_chip_generic {
	spinlock_t lock;		/* inside desc->lock: registers and caches */
	void *reg_base;
	u32 (*reg_readl)(void *addr);	/* NULL: readl() */
	void (*reg_writel)(u32 val, void *addr);
	unsigned int irq_base;		/* hwirq of bit 0 */
	u32 mask_cache;
	unsigned int num_ct;
	void *private;			/* the driver's own */
	unsigned long installed;	/* lines that are mapped */
	unsigned long unused;		/* lines that do not exist: -ENOTSUPP */
	struct irq_domain *domain;
	struct irq_chip_type chip_types[];
};

enum irq_gc_flags {
	IRQ_GC_INIT_MASK_CACHE		= 1 << 0,	/* read regs.mask at the first mapping */
	IRQ_GC_MASK_CACHE_PER_TYPE	= 1 << 2,	/* the types have registers of their own */
};

struct irq_domain_chip_generic {
	unsigned int irqs_per_chip;
	unsigned int num_chips;
	unsigned int irq_flags_to_clear, irq_flags_to_set;
	enum irq_gc_flags gc_flags;
	void (*exit)(struct irq_chip_generic *gc);
	struct irq_chip_generic *gc[];
};

struct irq_domain_chip_generic_info {
	const char *name;
	irq_flow_handler_t handler;
	unsigned int irqs_per_chip;	/* at most IRQ_GC_MAX_LINES */
	unsigned int num_ct;
	unsigned int irq_flags_to_clear, irq_flags_to_set;	/* of each line, when mapped */
	enum irq_gc_flags gc_flags;
	int (*init)(struct irq_chip_generic *gc);	/* fills one in; may be NULL */
	void (*exit)(struct irq_chip_generic *gc);	/* undoes it */
};

/* ---- Chips of a domain. Threads, before its first mapping / after its last. ----------------- */

/*
 * Gives D the generic chips for its linear map: 0; -EBUSY if it has some; -EINVAL without a linear
 * map, types or lines, or with more than 32 lines a chip; -ENOMEM; what init() said. (S-115)
 */
int irq_domain_alloc_generic_chips(struct irq_domain *d,
				   const struct irq_domain_chip_generic_info *info);
int __irq_alloc_domain_generic_chips(struct irq_domain *d, int irqs_per_chip, int num_ct,
				     const char *name, irq_flow_handler_t handler,
				     unsigned int clr, unsigned int set, enum irq_gc_flags flags);
#define irq_alloc_domain_generic_chips	__irq_alloc_domain_generic_chips
void irq_domain_remove_generic_chips(struct irq_domain *d);
/* The one that has line HW_IRQ; NULL if there is none. Any context. */
struct irq_chip_generic *irq_get_domain_generic_chip(struct irq_domain *d, unsigned int hw_irq);

/* irq_domain_ops.map and unmap of such a domain: the line starts with chip_types[0]. -ENODEV
 * without chips, -EINVAL beyond them, -ENOTSUPP for an unused line, -EBUSY for a mapped one. */
int irq_map_generic_chip(struct irq_domain *d, unsigned int virq, irq_hw_number_t hw_irq);
void irq_unmap_generic_chip(struct irq_domain *d, unsigned int virq);
/* With those two, and one or two cells in the tree. */
extern const struct irq_domain_ops irq_generic_chip_ops;

/* For set_type (locked): chip and flow become those of the first type with TYPE; else -EINVAL. */
int irq_setup_alt_chip(struct irq_data *d, unsigned int type);

/* ---- For callbacks -------------------------------------------------------------------------- */

static inline struct irq_chip_type *irq_data_get_chip_type(struct irq_data *d)
{
	return container_of(d->chip, struct irq_chip_type, chip);
}

static inline u32 irq_reg_readl(struct irq_chip_generic *gc, unsigned long reg_offset)
{
	void *addr = (char *)gc->reg_base + reg_offset;

	return gc->reg_readl ? gc->reg_readl(addr) : readl(addr);
}

static inline void irq_reg_writel(struct irq_chip_generic *gc, u32 val, unsigned long reg_offset)
{
	void *addr = (char *)gc->reg_base + reg_offset;

	if (gc->reg_writel)
		gc->reg_writel(val, addr);
	else
		writel(val, addr);
}

static inline void irq_gc_lock(struct irq_chip_generic *gc) { spin_lock(&gc->lock); }
static inline void irq_gc_unlock(struct irq_chip_generic *gc) { spin_unlock(&gc->lock); }

/* ---- Callbacks for irq_chip_type.chip, by what the hardware wants. Locked. ------------------ */

void irq_gc_noop(struct irq_data *d);
void irq_gc_mask_set_bit(struct irq_data *d);		/* cache |= bit, to regs.mask */
void irq_gc_mask_clr_bit(struct irq_data *d);		/* cache &= ~bit, to regs.mask */
void irq_gc_mask_disable_reg(struct irq_data *d);	/* bit to regs.disable; cache follows */
void irq_gc_unmask_enable_reg(struct irq_data *d);	/* bit to regs.enable; cache follows */
void irq_gc_ack_set_bit(struct irq_data *d);		/* bit to regs.ack */
void irq_gc_ack_clr_bit(struct irq_data *d);		/* all others to regs.ack */
void irq_gc_mask_disable_and_ack_set(struct irq_data *d);	/* regs.disable, then regs.ack */
void irq_gc_eoi(struct irq_data *d);			/* bit to regs.eoi */

#endif
