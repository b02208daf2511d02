/*
 * Generic chips: the irq_chip callbacks of controllers whose lines are bits of a few registers, and
 * their life in a domain. A driver says where the registers are and which callbacks they need.
 *
 *   irq_alloc_domain_generic_chips   one chip for each 32 lines (or fewer) of a linear domain
 *   irq_map_generic_chip             a line gets its chip's first type, and its bit in d->mask
 *   irq_setup_alt_chip               its trigger is another one: another type, another flow
 *
 * Where hardware has one register for the masks of all lines, the value lives in a cache, so that a
 * line is changed by one write and never by a read. (Linux: kernel/irq/generic-chip.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/irqgeneric.h>
#include <kernel/mm.h>

/* ---- Callbacks ------------------------------------------------------------------------------ */

static void write_bits(struct irq_data *d, u32 bits, unsigned long reg)
{
	struct irq_chip_generic *gc = irq_data_get_irq_chip_data(d);

	irq_gc_lock(gc);
	irq_reg_writel(gc, bits, reg);
	irq_gc_unlock(gc);
}

/* Sets or clears the line's bit in the cache, then writes to REG: the bit, or (WHOLE) the cache. */
static void update_cache(struct irq_data *d, bool set, unsigned long reg, bool whole)
{
	struct irq_chip_generic *gc = irq_data_get_irq_chip_data(d);
	u32 *cache = irq_data_get_chip_type(d)->mask_cache;

	irq_gc_lock(gc);
	*cache = set ? *cache | d->mask : *cache & ~d->mask;
	irq_reg_writel(gc, whole ? *cache : d->mask, reg);
	irq_gc_unlock(gc);
}

void irq_gc_noop(struct irq_data *d)
{
	(void)d;
}

void irq_gc_mask_set_bit(struct irq_data *d)
{
	update_cache(d, true, irq_data_get_chip_type(d)->regs.mask, true);
}

void irq_gc_mask_clr_bit(struct irq_data *d)
{
	update_cache(d, false, irq_data_get_chip_type(d)->regs.mask, true);
}

void irq_gc_mask_disable_reg(struct irq_data *d)
{
	update_cache(d, false, irq_data_get_chip_type(d)->regs.disable, false);
}

void irq_gc_unmask_enable_reg(struct irq_data *d)
{
	update_cache(d, true, irq_data_get_chip_type(d)->regs.enable, false);
}

void irq_gc_ack_set_bit(struct irq_data *d)
{
	write_bits(d, d->mask, irq_data_get_chip_type(d)->regs.ack);
}

void irq_gc_ack_clr_bit(struct irq_data *d)
{
	write_bits(d, ~d->mask, irq_data_get_chip_type(d)->regs.ack);
}

void irq_gc_mask_disable_and_ack_set(struct irq_data *d)
{
	irq_gc_mask_disable_reg(d);
	irq_gc_ack_set_bit(d);
}

void irq_gc_eoi(struct irq_data *d)
{
	write_bits(d, d->mask, irq_data_get_chip_type(d)->regs.eoi);
}

int irq_setup_alt_chip(struct irq_data *d, unsigned int type)
{
	struct irq_chip_generic *gc = irq_data_get_irq_chip_data(d);

	for (unsigned int i = 0; i < gc->num_ct; i++) {
		if (!(gc->chip_types[i].type & type))
			continue;
		d->chip = &gc->chip_types[i].chip;
		irq_data_to_desc(d)->handle_irq = gc->chip_types[i].handler;
		return 0;
	}
	return -EINVAL;
}

/* ---- Chips of a domain ---------------------------------------------------------------------- */

static void init_chip(struct irq_chip_generic *gc, struct irq_domain *d, unsigned int irq_base,
		      const struct irq_domain_chip_generic_info *info)
{
	spin_lock_init(&gc->lock);
	gc->domain = d;
	gc->irq_base = irq_base;
	gc->num_ct = info->num_ct;
	for (unsigned int i = 0; i < info->num_ct; i++) {
		gc->chip_types[i].chip.name = info->name;
		gc->chip_types[i].handler = info->handler;
		gc->chip_types[i].mask_cache = &gc->mask_cache;
	}
}

/* The pointers and all chips in one block; nothing is filled in that init() may not change. */
static struct irq_domain_chip_generic *alloc_chips(struct irq_domain *d, unsigned int num_chips,
						   const struct irq_domain_chip_generic_info *info)
{
	struct irq_domain_chip_generic *dgc;
	size_t head = sizeof(*dgc) + num_chips * sizeof(dgc->gc[0]);
	size_t each = sizeof(*dgc->gc[0]) + info->num_ct * sizeof(dgc->gc[0]->chip_types[0]);

	dgc = kzalloc(head + num_chips * each);
	if (!dgc)
		return NULL;
	dgc->irqs_per_chip = info->irqs_per_chip;
	dgc->num_chips = num_chips;
	dgc->irq_flags_to_clear = info->irq_flags_to_clear;
	dgc->irq_flags_to_set = info->irq_flags_to_set;
	dgc->gc_flags = info->gc_flags;
	dgc->exit = info->exit;
	for (unsigned int i = 0; i < num_chips; i++) {
		dgc->gc[i] = (void *)((char *)dgc + head + i * each);
		init_chip(dgc->gc[i], d, i * info->irqs_per_chip, info);
	}
	return dgc;
}

/* The last COUNT initialised first. */
static void exit_chips(struct irq_domain_chip_generic *dgc, unsigned int count)
{
	while (count--)
		if (dgc->exit)
			dgc->exit(dgc->gc[count]);
	kfree(dgc);
}

int irq_domain_alloc_generic_chips(struct irq_domain *d,
				   const struct irq_domain_chip_generic_info *info)
{
	struct irq_domain_chip_generic *dgc;
	int ret;

	if (d->gc)
		return -EBUSY;
	if (!info->num_ct || !info->irqs_per_chip || info->irqs_per_chip > IRQ_GC_MAX_LINES ||
	    !d->revmap_size)
		return -EINVAL;
	dgc = alloc_chips(d, DIV_ROUND_UP(d->revmap_size, info->irqs_per_chip), info);
	if (!dgc)
		return -ENOMEM;
	for (unsigned int i = 0; i < dgc->num_chips && info->init; i++) {
		ret = info->init(dgc->gc[i]);
		if (ret) {
			exit_chips(dgc, i);
			return ret;
		}
	}
	d->gc = dgc;
	return 0;
}

int __irq_alloc_domain_generic_chips(struct irq_domain *d, int irqs_per_chip, int num_ct,
				     const char *name, irq_flow_handler_t handler,
				     unsigned int clr, unsigned int set, enum irq_gc_flags flags)
{
	return irq_domain_alloc_generic_chips(d, &(struct irq_domain_chip_generic_info){
		.name = name, .handler = handler, .irqs_per_chip = irqs_per_chip,
		.num_ct = max(num_ct, 0), .irq_flags_to_clear = clr, .irq_flags_to_set = set,
		.gc_flags = flags });
}

void irq_domain_remove_generic_chips(struct irq_domain *d)
{
	struct irq_domain_chip_generic *dgc = d->gc;

	if (!dgc)
		return;
	d->gc = NULL;
	exit_chips(dgc, dgc->num_chips);
}

struct irq_chip_generic *irq_get_domain_generic_chip(struct irq_domain *d, unsigned int hw_irq)
{
	unsigned int n = d->gc ? hw_irq / d->gc->irqs_per_chip : 0;

	return d->gc && n < d->gc->num_chips ? d->gc->gc[n] : NULL;
}

/* ---- Mapping -------------------------------------------------------------------------------- */

static void init_mask_caches(struct irq_chip_generic *gc, enum irq_gc_flags flags)
{
	for (unsigned int i = 0; i < gc->num_ct; i++) {
		struct irq_chip_type *ct = &gc->chip_types[i];

		/* A cache that all share is that of the first type's register. */
		if (flags & IRQ_GC_MASK_CACHE_PER_TYPE)
			ct->mask_cache = &ct->mask_cache_priv;
		else if (i)
			continue;
		if (flags & IRQ_GC_INIT_MASK_CACHE)
			*ct->mask_cache = irq_reg_readl(gc, ct->regs.mask);
	}
}

int irq_map_generic_chip(struct irq_domain *d, unsigned int virq, irq_hw_number_t hw_irq)
{
	struct irq_chip_generic *gc = irq_get_domain_generic_chip(d, hw_irq);
	struct irq_domain_chip_generic *dgc = d->gc;
	struct irq_chip_type *ct;
	unsigned long flags;
	unsigned int bit;

	if (!gc)
		return dgc ? -EINVAL : -ENODEV;
	bit = hw_irq % dgc->irqs_per_chip;
	if (test_bit(bit, &gc->unused))
		return -ENOTSUPP;
	if (test_bit(bit, &gc->installed))
		return -EBUSY;
	if (!gc->installed) {
		flags = spin_lock_irqsave(&gc->lock);
		init_mask_caches(gc, dgc->gc_flags);
		spin_unlock_irqrestore(&gc->lock, flags);
	}
	__set_bit(bit, &gc->installed);
	ct = &gc->chip_types[0];
	irq_get_irq_data(virq)->mask = BIT(bit);
	irq_domain_set_info(d, virq, hw_irq, &ct->chip, gc, ct->handler, NULL, NULL);
	irq_modify_status(virq, dgc->irq_flags_to_clear, dgc->irq_flags_to_set);
	return 0;
}

void irq_unmap_generic_chip(struct irq_domain *d, unsigned int virq)
{
	irq_hw_number_t hw_irq = irq_get_irq_data(virq)->hwirq;
	struct irq_chip_generic *gc = irq_get_domain_generic_chip(d, hw_irq);

	if (!gc)
		return;
	__clear_bit(hw_irq % d->gc->irqs_per_chip, &gc->installed);
	irq_domain_set_info(d, virq, hw_irq, &no_irq_chip, NULL, NULL, NULL, NULL);
}

const struct irq_domain_ops irq_generic_chip_ops = {
	.map = irq_map_generic_chip,
	.unmap = irq_unmap_generic_chip,
	.xlate = irq_domain_xlate_onetwocell,
};
