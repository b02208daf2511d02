/*
 * PL061, Arm's PrimeCell GPIO: eight lines, each an interrupt of its own kind, all through one line
 * to the next controller. Used: lines as inputs. Manual: Arm DDI 0190, chapter 3.
 *
 *   line n --> GPIOIS, GPIOIBE, GPIOIEV say what counts --> latch n & GPIOIE[n] --> GPIOMIS[n]
 *                                                              ^                        | any: high
 *                                                          GPIOIC[n] clears             v
 *                           flow of line n  <--  chained handler  <--  one line of the parent
 *
 * To the core it is a domain of eight lines on a generic chip with three types of line: none (its
 * flow is the bad handler), edge (acknowledged by GPIOIC), level (masked while it is served).
 */
#include <kernel/driver.h>
#include <kernel/gpio.h>
#include <kernel/interrupt.h>
#include <kernel/irqgeneric.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

#define GPIODATA(lines)	((lines) << 2)	/* the address says which lines are read or written */
#define GPIODIR		0x400		/* a bit is 1 for an output */
#define GPIOIS		0x404		/* level */
#define GPIOIBE		0x408		/* both edges, whatever GPIOIEV says */
#define GPIOIEV		0x40c		/* rising edge or high level */
#define GPIOIE		0x410
#define GPIOMIS		0x418
#define GPIOIC		0x41c

#define NR_LINES	8

enum { TYPE_NONE, TYPE_EDGE, TYPE_LEVEL, NR_TYPES };

struct pl061 {
	struct gpio_chip gpio;
	struct irq_chip_generic *gc;
	char *regs;
	unsigned int parent_irq;
};

/* ---- Lines ---------------------------------------------------------------------------------- */

static int pl061_get(struct gpio_chip *chip, unsigned int line)
{
	struct pl061 *pl061 = container_of(chip, struct pl061, gpio);

	return readl(pl061->regs + GPIODATA(BIT(line))) != 0;
}

/* Under the chip's lock. */
static void pl061_set_bits(struct irq_chip_generic *gc, unsigned long reg, u32 bits, bool on)
{
	u32 v = irq_reg_readl(gc, reg);

	irq_reg_writel(gc, on ? v | bits : v & ~bits, reg);
}

static int pl061_direction_input(struct gpio_chip *chip, unsigned int line)
{
	struct irq_chip_generic *gc = container_of(chip, struct pl061, gpio)->gc;
	unsigned long flags = spin_lock_irqsave(&gc->lock);

	pl061_set_bits(gc, GPIODIR, BIT(line), false);
	spin_unlock_irqrestore(&gc->lock, flags);
	return 0;
}

/* ---- Interrupts ----------------------------------------------------------------------------- */

/* While a line's detection changes, the change itself may look like what it detects; so it is
 * masked (IRQCHIP_SET_TYPE_MASKED) and what has been latched meanwhile is dropped. */
static void pl061_set_detection(struct irq_chip_generic *gc, u32 bit, unsigned int type)
{
	irq_gc_lock(gc);
	pl061_set_bits(gc, GPIOIS, bit, type & IRQ_TYPE_LEVEL_MASK);
	pl061_set_bits(gc, GPIOIBE, bit, type == IRQ_TYPE_EDGE_BOTH);
	pl061_set_bits(gc, GPIOIEV, bit, type & (IRQ_TYPE_EDGE_RISING | IRQ_TYPE_LEVEL_HIGH));
	irq_reg_writel(gc, bit, GPIOIC);
	irq_gc_unlock(gc);
}

static int pl061_irq_set_type(struct irq_data *d, unsigned int type)
{
	struct irq_chip_generic *gc = irq_data_get_irq_chip_data(d);
	struct pl061 *pl061 = gc->private;

	if ((type & IRQ_TYPE_LEVEL_MASK && type & IRQ_TYPE_EDGE_BOTH) ||
	    type == IRQ_TYPE_LEVEL_MASK) {
		pr_err("%s: line %lu: trigger %#x is more than one kind", pl061->gpio.label,
		       d->hwirq, type);
		return -EINVAL;
	}
	pl061_set_detection(gc, d->mask, type);
	if (type != IRQ_TYPE_NONE)
		return irq_setup_alt_chip(d, type);
	d->chip = &gc->chip_types[TYPE_NONE].chip;
	irq_data_to_desc(d)->handle_irq = gc->chip_types[TYPE_NONE].handler;
	return IRQ_SET_MASK_OK;
}

/* A level that has gone may still be latched; one that has not is back at once. */
static void pl061_irq_unmask_level(struct irq_data *d)
{
	irq_gc_ack_set_bit(d);
	irq_gc_mask_set_bit(d);
}

static int pl061_irq_request_resources(struct irq_data *d)
{
	struct irq_chip_generic *gc = irq_data_get_irq_chip_data(d);
	struct pl061 *pl061 = gc->private;

	if (!(irq_reg_readl(gc, GPIODIR) & d->mask))
		return 0;
	pr_err("%s: line %lu is an output, it cannot interrupt", pl061->gpio.label, d->hwirq);
	return -EIO;
}

static int pl061_irq_get_state(struct irq_data *d, enum irqchip_irq_state which, bool *state)
{
	struct irq_chip_generic *gc = irq_data_get_irq_chip_data(d);

	if (which != IRQCHIP_STATE_LINE_LEVEL)
		return -EINVAL;
	*state = irq_reg_readl(gc, GPIODATA(d->mask));
	return 0;
}

/* Enabled, but nobody's any more: nobody would ever clear it. */
static void pl061_stray(struct pl061 *pl061, unsigned int line)
{
	struct irq_chip_generic *gc = pl061->gc;

	irq_gc_lock(gc);
	gc->mask_cache &= ~BIT(line);
	irq_reg_writel(gc, gc->mask_cache, GPIOIE);
	irq_gc_unlock(gc);
	pr_warn("%s: turned off the interrupt of line %u, which no driver has mapped",
		pl061->gpio.label, line);
}

/* One look is enough: what comes during it keeps the parent's line high. */
static void pl061_handle_irq(struct irq_desc *desc)
{
	const struct irq_chip *chip = irq_desc_get_chip(desc);
	struct pl061 *pl061 = irq_desc_get_handler_data(desc);
	unsigned long pending;
	unsigned int line;

	chained_irq_enter(chip, desc);
	pending = readl(pl061->regs + GPIOMIS);
	for_each_set_bit(line, &pending, NR_LINES)
		if (unlikely(generic_handle_domain_irq(pl061->gpio.domain, line)))
			pl061_stray(pl061, line);
	chained_irq_exit(chip, desc);
}

/* ---- Starting ------------------------------------------------------------------------------- */

static void pl061_init_chip(struct pl061 *pl061, struct irq_chip_generic *gc)
{
	static const unsigned int types[NR_TYPES] = {
		IRQ_TYPE_NONE, IRQ_TYPE_EDGE_BOTH, IRQ_TYPE_LEVEL_MASK
	};
	struct irq_chip_type *ct = gc->chip_types;

	gc->private = pl061;
	gc->reg_base = pl061->regs;
	for (unsigned int i = 0; i < NR_TYPES; i++) {
		ct[i].type = types[i];
		ct[i].regs.mask = GPIOIE;
		ct[i].regs.ack = GPIOIC;
		ct[i].chip.irq_mask = irq_gc_mask_clr_bit;
		ct[i].chip.irq_unmask = irq_gc_mask_set_bit;
		ct[i].chip.irq_set_type = pl061_irq_set_type;
		ct[i].chip.irq_request_resources = pl061_irq_request_resources;
		ct[i].chip.irq_get_irqchip_state = pl061_irq_get_state;
		ct[i].chip.flags = IRQCHIP_SET_TYPE_MASKED;
	}
	ct[TYPE_NONE].chip.irq_unmask = irq_gc_noop;	/* the bad handler clears nothing */
	ct[TYPE_EDGE].chip.irq_ack = irq_gc_ack_set_bit;
	ct[TYPE_EDGE].handler = handle_edge_irq;
	ct[TYPE_LEVEL].chip.irq_unmask = pl061_irq_unmask_level;
	ct[TYPE_LEVEL].handler = handle_level_irq;
}

static int pl061_create_domain(struct pl061 *pl061, struct device_node *node)
{
	struct irq_domain *d = irq_domain_create_linear(&node->fwnode, NR_LINES,
							&irq_generic_chip_ops, pl061);
	int ret;

	if (!d)
		return -ENOMEM;
	irq_domain_set_name(d, "pl061");
	ret = irq_alloc_domain_generic_chips(d, NR_LINES, NR_TYPES, "PL061", handle_bad_irq, 0, 0,
					     0);
	if (ret) {
		irq_domain_remove(d);
		return ret;
	}
	pl061->gc = irq_get_domain_generic_chip(d, 0);
	pl061_init_chip(pl061, pl061->gc);
	pl061->gpio.domain = d;
	return 0;
}

static void pl061_remove_domain(struct pl061 *pl061)
{
	for (unsigned int line = 0; line < NR_LINES; line++)
		irq_dispose_mapping(irq_find_mapping(pl061->gpio.domain, line));
	irq_domain_remove_generic_chips(pl061->gpio.domain);
	irq_domain_remove(pl061->gpio.domain);
}

static int pl061_connect(struct pl061 *pl061, struct platform_device *pdev)
{
	int irq = platform_get_irq(pdev, 0);

	if (irq < 0)
		return irq;
	if (irq_desc_has_action(irq_to_desc(irq)))
		return -EBUSY;	/* a chained line cannot be shared */
	pl061->parent_irq = irq;
	irq_set_chained_handler_and_data(irq, pl061_handle_irq, pl061);
	irq_domain_set_chained_on(pl061->gpio.domain, irq);
	return 0;
}

static int pl061_start(struct pl061 *pl061, struct platform_device *pdev)
{
	int ret;

	pl061->gpio = (struct gpio_chip){
		.label = pdev->dev.name, .fwnode = &pdev->node->fwnode, .ngpio = NR_LINES,
		.get = pl061_get, .direction_input = pl061_direction_input,
	};
	pl061->regs = of_iomap(pdev->node, 0);
	if (!pl061->regs)
		return -EINVAL;
	writel(0, pl061->regs + GPIOIE);
	ret = pl061_create_domain(pl061, pdev->node);
	if (ret)
		return ret;
	ret = pl061_connect(pl061, pdev);
	if (ret) {
		pl061_remove_domain(pl061);
		return ret;
	}
	gpiochip_add(&pl061->gpio);
	return 0;
}

static int pl061_probe(struct platform_device *pdev)
{
	struct pl061 *pl061 = kzalloc(sizeof(*pl061));
	int ret = pl061 ? pl061_start(pl061, pdev) : -ENOMEM;

	if (ret)
		kfree(pl061);
	pdev->dev.driver_data = ret ? NULL : pl061;
	return ret;
}

static void pl061_remove(struct platform_device *pdev)
{
	struct pl061 *pl061 = pdev->dev.driver_data;

	gpiochip_remove(&pl061->gpio);
	writel(0, pl061->regs + GPIOIE);
	irq_set_chained_handler_and_data(pl061->parent_irq, NULL, NULL);
	synchronize_irq(pl061->parent_irq);
	pl061_remove_domain(pl061);
	kfree(pl061);
}

/* Early, as others ask for its lines. */
static const struct of_driver pl061_driver = {
	.name = "pl061",
	.compatible = (const char *const[]){ "arm,pl061", NULL },
	.stage = PROBE_EARLY,
	.probe = pl061_probe,
	.remove = pl061_remove,
};
OF_DRIVER(pl061_driver);
