/*
 * What a station means, in words: the function, the object, what happened with which values.
 *
 * The words are made from the live objects that an event points to (chip, domain, action), so they
 * are the same on every controller. An object may be gone by the time that the event is read.
 */
#include <kernel/interrupt.h>
#include <kernel/irqdomain.h>
#include <kernel/printk.h>
#include <kernel/trace.h>

#include <stdio.h>
#include <string.h>

/* A cause register that has such a bit says with it that the cause is an interrupt. */
#define CAUSE_INTERRUPT	(1UL << 63)

static const char *symbol_or(unsigned long addr, const char *other)
{
	const char *name = symbol_lookup(addr, NULL);

	return name ? name : other;
}

/* The chained flow handler of a line, which the two stations round it belong to. */
static const char *chain_symbol(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc ? symbol_or((unsigned long)desc->handle_irq, "?") : "?";
}

const char *trace_symbol(const struct trace_event *event)
{
	const u32 of_a = BIT(ST_CHIP) | BIT(ST_HANDLER) | BIT(ST_THREAD) | BIT(ST_FLOW);

	if (event->station == ST_CHAIN_ENTER || event->station == ST_CHAIN_EXIT)
		return chain_symbol(event->irq);
	return symbol_or(of_a & BIT(event->station) ? event->a : event->pc, "?");
}

const char *trace_action(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc && desc->action && desc->action->name ? desc->action->name : "-";
}

/* ---- What an event points to, if it is still there ------------------------------------------ */

static const struct irq_domain *live_domain(const struct trace_event *e)
{
	struct irq_domain *d = NULL;

	while ((d = irq_domain_next(d)) && d != e->obj)
		;
	return d;
}

/* Root chips and those that claim are never freed; a device's own chip goes with the device. */
static const struct irq_chip *live_chip(const struct trace_event *e)
{
	const struct irq_data *d = irq_get_irq_data(e->irq);

	if (e->station == ST_ROOT || e->station == ST_CLAIM)
		return e->obj;
	while (d && d->chip != e->obj)
		d = d->parent_data;
	return d ? d->chip : NULL;
}

static const char *chip_name(const struct trace_event *e)
{
	const struct irq_chip *chip = live_chip(e);

	return chip && chip->name ? chip->name : "-";
}

const char *trace_object(char *buf, size_t size, const struct trace_event *e)
{
	const struct irq_domain *domain = e->station == ST_LOOKUP ? live_domain(e) : NULL;
	const struct irq_chip *chip = e->obj && e->station != ST_LOOKUP ? live_chip(e) : NULL;
	unsigned long letters[3] = { e->a, e->b };

	if (e->station == ST_WAKE)
		snprintf(buf, size, "%s", (const char *)letters);
	else if (domain || (chip && chip->name))
		snprintf(buf, size, "%s", domain ? domain->name : chip->name);
	else
		return NULL;
	return buf;
}

static const char *flow_reason(unsigned int irq)
{
	static const char *const reasons[][2] = {
		{ "edge", "acknowledge first: a new edge must count again" },
		{ "level", "mask it: the device drives the line until served" },
		{ "fasteoi", "handlers first, then one end-of-interrupt" },
		{ "percpu_devid", "no lock: this line is this CPU's own" },
		{ "percpu", "no lock: this line is this CPU's own" },
		{ "simple", "nothing to do around the handlers" },
	};
	struct irq_desc *desc = irq_to_desc(irq);

	for (unsigned int i = 0; desc && i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(irq_flow_name(desc), reasons[i][0]))
			return reasons[i][1];
	return "";
}

static const char *callback_name(const struct irq_chip *chip, unsigned long callback)
{
	const struct {
		const char *name;
		unsigned long fn;
	} all[] = {
		{ "irq_ack", (unsigned long)chip->irq_ack },
		{ "irq_eoi", (unsigned long)chip->irq_eoi },
		{ "irq_mask_ack", (unsigned long)chip->irq_mask_ack },
		{ "irq_mask", (unsigned long)chip->irq_mask },
		{ "irq_unmask", (unsigned long)chip->irq_unmask },
		{ "irq_disable", (unsigned long)chip->irq_disable },
		{ "irq_enable", (unsigned long)chip->irq_enable },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
		if (callback && all[i].fn == callback)
			return all[i].name;
	return "callback";
}

static const char *return_name(unsigned long ret)
{
	static const char *const names[] = { "IRQ_NONE: not mine", "IRQ_HANDLED",
					     "IRQ_WAKE_THREAD: the rest in a thread" };

	return ret < ARRAY_SIZE(names) ? names[ret] : "an unknown value";
}

static void detail_claim(char *buf, size_t size, const struct trace_event *e)
{
	if (e->a)
		snprintf(buf, size, "%s says %lu is pending: claimed", chip_name(e), e->a);
	else
		snprintf(buf, size, "%s has nothing more pending", chip_name(e));
}

static void detail_trap(char *buf, size_t size, const struct trace_event *e)
{
	char where[64];

	symbol_name(where, sizeof(where), e->b);
	if (e->a)
		snprintf(buf, size, "cause %lu, while in %s", e->a & ~CAUSE_INTERRUPT, where);
	else
		snprintf(buf, size, "an interrupt, while in %s", where);
}

static void detail_handler(char *buf, size_t size, const struct trace_event *e)
{
	snprintf(buf, size, "action \"%s\", dev_id %#lx", trace_action(e->irq), e->b);
}

static void detail_chip(char *buf, size_t size, const struct trace_event *e)
{
	const struct irq_chip *chip = live_chip(e);

	snprintf(buf, size, "%s of chip %s, hwirq %lu", chip ? callback_name(chip, e->a) : "-",
		 chip_name(e), e->b);
}

/* A controller may know a line by another number than its domain (an IMSIC's identities move). */
static const char *number_kind(const struct trace_event *e)
{
	const struct irq_data *d = irq_get_irq_data(e->irq);

	while (d && d->domain != e->obj)
		d = d->parent_data;
	return d && d->hwirq != e->a ? "id" : "hwirq";
}

static void detail_lookup(char *buf, size_t size, const struct trace_event *e)
{
	const struct irq_domain *domain = live_domain(e);

	snprintf(buf, size, "%s: %s %lu -> irq %u", domain ? domain->name : "-", number_kind(e),
		 e->a, e->irq);
}

static void detail_wake(char *buf, size_t size, const struct trace_event *e)
{
	char name[24];

	snprintf(buf, size, "thread \"%s\" waited for this", trace_object(name, sizeof(name), e));
}

const char *trace_detail(char *buf, size_t size, const struct trace_event *e)
{
	switch (e->station) {
	case ST_TRAP: detail_trap(buf, size, e); break;
	case ST_ROOT:
		snprintf(buf, size, "%s: the cause is hwirq %lu", chip_name(e), e->a);
		break;
	case ST_CLAIM: detail_claim(buf, size, e); break;
	case ST_LOOKUP: detail_lookup(buf, size, e); break;
	case ST_CHAIN_ENTER:
		snprintf(buf, size, "irq %u feeds another controller: ask that one", e->irq);
		break;
	case ST_CHAIN_EXIT: snprintf(buf, size, "irq %u is done", e->irq); break;
	case ST_FLOW: snprintf(buf, size, "%s", flow_reason(e->irq)); break;
	case ST_CHIP: detail_chip(buf, size, e); break;
	case ST_HANDLER:
	case ST_THREAD: detail_handler(buf, size, e); break;
	case ST_HANDLED:
	case ST_THREADED: snprintf(buf, size, "returns %s", return_name(e->a)); break;
	case ST_SOFTIRQ: snprintf(buf, size, "deferred work, pending bits %#lx", e->a); break;
	case ST_WAKE: detail_wake(buf, size, e); break;
	case ST_VECTOR:
		snprintf(buf, size, "id %lu of cpu %lu is given%s", min(e->b, ~e->b), e->a,
			 e->b > ~e->b ? " back" : "");
		break;
	case ST_EXIT: snprintf(buf, size, "out of the %s", e->a ? "softirq" : "trap"); break;
	default: snprintf(buf, size, "?"); break;
	}
	return buf;
}
