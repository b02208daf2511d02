/*
 * Between the core and an irq_chip: giving a line its chip and flow handler, starting and
 * stopping it, and masking with a cache, so that a chip is asked only for what changes.
 * (Linux: kernel/irq/chip.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/trace.h>

static void noop(struct irq_data *d) { (void)d; }
static unsigned int noop_ret(struct irq_data *d) { (void)d; return 0; }

const struct irq_chip no_irq_chip = {
	.name = "none", .irq_startup = noop_ret, .irq_shutdown = noop, .irq_enable = noop,
	.irq_disable = noop, .irq_ack = noop,
};
const struct irq_chip dummy_irq_chip = {
	.name = "dummy", .irq_startup = noop_ret, .irq_shutdown = noop, .irq_enable = noop,
	.irq_disable = noop, .irq_ack = noop, .irq_mask = noop, .irq_unmask = noop,
};

static irqreturn_t chained_called(int irq, void *dev_id)
{
	(void)dev_id;
	pr_warn_once("irq %d: feeds a controller, its action must never run", irq);
	return IRQ_NONE;
}

/* Stands in desc->action of a chained line, so that it counts as in use. */
struct irqaction chained_action = { .handler = chained_called, .name = "chained" };

/* ---- Attributes of a line ------------------------------------------------------------------- */

/* Runs the statements between GET and PUT; -EINVAL if there is no such line. */
#define BETWEEN(get, put, desc, ...) ({								\
	unsigned long flags_;									\
	struct irq_desc *desc = get;								\
	if (desc) {										\
		__VA_ARGS__;									\
		put(desc, flags_);								\
	}											\
	desc ? 0 : -EINVAL; })
#define WITH_DESC(irq, desc, ...) \
	BETWEEN(irq_get_desc_lock(irq, &flags_), irq_put_desc_unlock, desc, __VA_ARGS__)
#define WITH_BUS(irq, desc, kind, ...) \
	BETWEEN(irq_get_desc_buslock(irq, &flags_, kind), irq_put_desc_busunlock, desc, __VA_ARGS__)

int irq_set_chip(unsigned int irq, const struct irq_chip *chip)
{
	return WITH_DESC(irq, desc, desc->irq_data.chip = chip ? chip : &no_irq_chip);
}

int irq_set_chip_data(unsigned int irq, void *data)
{
	return WITH_DESC(irq, desc, desc->irq_data.chip_data = data);
}

int irq_set_handler_data(unsigned int irq, void *data)
{
	return WITH_DESC(irq, desc, desc->irq_common_data.handler_data = data);
}

int irq_set_msi_desc(unsigned int irq, struct msi_desc *entry)
{
	return WITH_DESC(irq, desc, desc->irq_common_data.msi_desc = entry);
}

int irq_set_irq_type(unsigned int irq, unsigned int type)
{
	int ret = 0;

	if (WITH_BUS(irq, desc, IRQ_DESC_GLOBAL, ret = __irq_set_trigger(desc, type)))
		return -EINVAL;
	return ret;
}

const struct irq_chip *irq_get_chip(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc ? desc->irq_data.chip : NULL;
}

void *irq_get_chip_data(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc ? desc->irq_data.chip_data : NULL;
}

void *irq_get_handler_data(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc ? desc->irq_common_data.handler_data : NULL;
}

struct msi_desc *irq_get_msi_desc(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc ? desc->irq_common_data.msi_desc : NULL;
}

static void modify_status(struct irq_desc *desc, unsigned long clr, unsigned long set)
{
	struct irq_data *d = &desc->irq_data;
	u32 trigger;

	if ((set & IRQ_NOAUTOEN) && !desc->depth && irqd_is_started(d))
		pr_warn("irq %u: no-autoenable set on a running line", d->irq);
	irq_settings_change(desc, clr & IRQF_MODIFY_MASK, set & IRQF_MODIFY_MASK);

	trigger = irq_settings_is(desc, IRQ_TYPE_SENSE_MASK)
			? desc->status_use_accessors & IRQ_TYPE_SENSE_MASK
			: irqd_get_trigger_type(d);
	irqd_clear(d, IRQD_NO_BALANCING | IRQD_PER_CPU | IRQD_TRIGGER_MASK | IRQD_LEVEL);
	irqd_set(d, trigger);
	if (irq_settings_is(desc, IRQ_NO_BALANCING | IRQ_PER_CPU))
		irqd_set(d, IRQD_NO_BALANCING);
	if (irq_settings_is(desc, IRQ_PER_CPU))
		irqd_set(d, IRQD_PER_CPU);
	if (irq_settings_is(desc, IRQ_LEVEL))
		irqd_set(d, IRQD_LEVEL);
}

void irq_modify_status(unsigned int irq, unsigned long clr, unsigned long set)
{
	(void)WITH_DESC(irq, desc, modify_status(desc, clr, set));
}

/* ---- Flow handlers -------------------------------------------------------------------------- */

/* In a hierarchy the outermost chip may still be missing while an inner one is there; but a chained
 * line is started at once. */
static bool has_real_chip(struct irq_desc *desc, bool chained)
{
	if (chained)
		return desc->irq_data.chip != &no_irq_chip;
	for (struct irq_data *d = &desc->irq_data; d; d = d->parent_data)
		if (d->chip && d->chip != &no_irq_chip)
			return true;
	return false;
}

static void __attribute__((noinline)) remove_handler(struct irq_desc *desc, bool chained)
{
	if (desc->irq_data.chip != &no_irq_chip)
		mask_ack_irq(desc);
	irqd_set(&desc->irq_data, IRQD_IRQ_DISABLED);
	if (chained)
		desc->action = NULL;
	if (desc->istate & IRQS_CHAINED) {	/* undoes install_chained() */
		irqd_clear(&desc->irq_data, IRQD_IRQ_STARTED);
		irq_domain_deactivate_irq(&desc->irq_data);
	}
	desc->istate &= ~IRQS_CHAINED;
	desc->depth = 1;
}

static void __attribute__((noinline)) install_chained(struct irq_desc *desc)
{
	unsigned int type = irqd_get_trigger_type(&desc->irq_data);

	desc->istate |= IRQS_CHAINED;
	if (type != IRQ_TYPE_NONE)
		__irq_set_trigger(desc, type);
	irq_settings_change(desc, 0, IRQ_NOPROBE | IRQ_NOREQUEST | IRQ_NOTHREAD);
	desc->action = &chained_action;
	if (irq_activate_and_startup(desc, IRQ_RESEND))
		pr_err("irq %u: chained line cannot be activated", desc->irq_data.irq);
}

static inline void do_set_handler(struct irq_desc *desc, irq_flow_handler_t handle, bool chained,
				  const char *name)
{
	if (!handle)
		handle = handle_bad_irq;
	if (handle == handle_bad_irq)
		remove_handler(desc, chained);
	else if (WARN_ON(!has_real_chip(desc, chained)))
		return;
	desc->handle_irq = handle;
	desc->name = name;
	if (handle != handle_bad_irq && chained)
		install_chained(desc);
}

void irq_set_handler(unsigned int irq, irq_flow_handler_t handle)
{
	__irq_set_handler(irq, handle, 0, NULL);
}

void __irq_set_handler(unsigned int irq, irq_flow_handler_t handle, int is_chained,
		       const char *name)
{
	(void)WITH_BUS(irq, desc, IRQ_DESC_ANY, do_set_handler(desc, handle, is_chained, name));
}

void irq_set_chip_and_handler_name(unsigned int irq, const struct irq_chip *chip,
				   irq_flow_handler_t handle, const char *name)
{
	irq_set_chip(irq, chip);
	__irq_set_handler(irq, handle, 0, name);
}

void irq_set_chained_handler_and_data(unsigned int irq, irq_flow_handler_t handle, void *data)
{
	(void)WITH_BUS(irq, desc, IRQ_DESC_ANY, {
		desc->irq_common_data.handler_data = data;
		do_set_handler(desc, handle, true, NULL);
	});
}

/* A parent without an eoi has its line masked until chained_irq_exit(). */
void chained_irq_enter_slow(const struct irq_chip *chip, struct irq_desc *desc)
{
	station(ST_CHAIN_ENTER, desc->irq_data.irq, chip, 0, 0);
	if (chip->irq_eoi)
		return;
	if (chip->irq_mask_ack) {
		chip->irq_mask_ack(&desc->irq_data);
	} else {
		chip->irq_mask(&desc->irq_data);
		if (chip->irq_ack)
			chip->irq_ack(&desc->irq_data);
	}
}

void chained_irq_exit_slow(const struct irq_chip *chip, struct irq_desc *desc)
{
	if (chip->irq_eoi)
		chip->irq_eoi(&desc->irq_data);
	else
		chip->irq_unmask(&desc->irq_data);
	station(ST_CHAIN_EXIT, desc->irq_data.irq, chip, 0, 0);
}
