/*
 * One interrupt told station by station, from the events that the catcher kept.
 *
 *	 n  cycles  station  function                 what happened, with its values
 *
 * The words are made from the live objects that an event points to (chip, domain, action), so the
 * story is the same on every controller. Only the beginning is not in the ring: the device's
 * message, which is a memory write that no CPU takes part in.
 */
#include <kernel/interrupt.h>
#include <kernel/irqdomain.h>
#include <kernel/msi.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
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
	bool callback = event->station == ST_CHIP || event->station == ST_HANDLER ||
			event->station == ST_FLOW;

	if (event->station == ST_CHAIN_ENTER || event->station == ST_CHAIN_EXIT)
		return chain_symbol(event->irq);
	return symbol_or(callback ? event->a : event->pc, "?");
}

static const char *action_name(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc && desc->action && desc->action->name ? desc->action->name : "-";
}

static const char *chip_name(const struct irq_chip *chip)
{
	return chip && chip->name ? chip->name : "-";
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
	const struct irq_chip *chip = e->obj;

	if (e->a)
		snprintf(buf, size, "%s says %lu is pending: claimed", chip_name(chip), e->a);
	else
		snprintf(buf, size, "%s has nothing more pending", chip_name(chip));
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
	snprintf(buf, size, "action \"%s\", dev_id %#lx", action_name(e->irq), e->b);
}

static void detail_chip(char *buf, size_t size, const struct trace_event *e)
{
	const struct irq_chip *chip = e->obj;

	snprintf(buf, size, "%s of chip %s, hwirq %lu", callback_name(chip, e->a), chip_name(chip),
		 e->b);
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
	const struct irq_domain *domain = e->obj;

	snprintf(buf, size, "%s: %s %lu -> irq %u", domain ? domain->name : "-", number_kind(e),
		 e->a, e->irq);
}

static void detail_wake(char *buf, size_t size, const struct trace_event *e)
{
	const struct thread *thread = e->obj;

	snprintf(buf, size, "thread \"%s\" waited for this", thread ? thread->name : "?");
}

const char *trace_detail(char *buf, size_t size, const struct trace_event *e)
{
	switch (e->station) {
	case ST_TRAP: detail_trap(buf, size, e); break;
	case ST_ROOT:
		snprintf(buf, size, "%s: the cause is hwirq %lu", chip_name(e->obj), e->a);
		break;
	case ST_CLAIM: detail_claim(buf, size, e); break;
	case ST_LOOKUP: detail_lookup(buf, size, e); break;
	case ST_CHAIN_ENTER:
		snprintf(buf, size, "irq %u feeds another controller: ask that one", e->irq);
		break;
	case ST_CHAIN_EXIT: snprintf(buf, size, "irq %u is done", e->irq); break;
	case ST_FLOW: snprintf(buf, size, "%s", flow_reason(e->irq)); break;
	case ST_CHIP: detail_chip(buf, size, e); break;
	case ST_HANDLER: detail_handler(buf, size, e); break;
	case ST_HANDLED: snprintf(buf, size, "returns %s", return_name(e->a)); break;
	case ST_SOFTIRQ: snprintf(buf, size, "deferred work, pending bits %#lx", e->a); break;
	case ST_WAKE: detail_wake(buf, size, e); break;
	case ST_EXIT: snprintf(buf, size, "out of the %s", e->a ? "softirq" : "trap"); break;
	default: snprintf(buf, size, "?"); break;
	}
	return buf;
}

/* ---- The story ------------------------------------------------------------------------------ */

#define LINE	"%2u  %7s  %-8s %-25s %s\n"

/* The irq of the path: that of its last handler. */
static unsigned int path_irq(const struct trace_event *events, unsigned int n)
{
	unsigned int irq = 0;

	for (unsigned int i = 0; i < n; i++)
		if (events[i].station == ST_HANDLER ||
		    (events[i].station == ST_CHAIN_ENTER && !irq))
			irq = events[i].irq;
	return irq;
}

static void tell_device(unsigned int irq, const struct trace_event *first)
{
	const struct msi_desc *desc = irq_get_msi_desc(irq);
	const struct irq_data *d = irq_get_irq_data(irq);
	char text[80] = "nothing: the core replays what it has remembered";

	if (first->station != ST_SOFTIRQ && desc)
		snprintf(text, sizeof(text), "message %u: writes %#x to address %#llx",
			 desc->msi_index, desc->msg.data,
			 (unsigned long long)msi_msg_address(&desc->msg));
	else if (first->station != ST_SOFTIRQ)
		snprintf(text, sizeof(text), "raises wire or bit %lu of %s", d ? d->hwirq : 0,
			 d && d->domain ? d->domain->name : "?");
	shell_printf(LINE, 0, "", "device", desc ? dev_name(desc->dev) : "-", text);
}

/* One irq has a number at each controller on its way: from the device's side to the root. */
static void tell_levels(unsigned int irq)
{
	for (const struct irq_data *d = irq_get_irq_data(irq); d && d->domain; d = d->parent_data)
		shell_printf("%22s = hwirq %lu of %s\n", "", d->hwirq, d->domain->name);
}

static void tell_event(unsigned int n, const struct trace_event *e, u64 cycles)
{
	char text[100], delta[24];

	snprintf(delta, sizeof(delta), "+%llu", (unsigned long long)cycles);
	shell_printf(LINE, n, n > 1 ? delta : "0", station_table[e->station].name, trace_symbol(e),
		     trace_detail(text, sizeof(text), e));
}

static void tell_end(const struct trace_event *events, unsigned int n)
{
	bool woke = false;
	char where[64];

	for (unsigned int i = 0; i < n; i++)
		woke |= events[i].station == ST_WAKE;
	shell_printf("    %7llu  cycles in all, recording included",
		     (unsigned long long)(events[n - 1].stamp - events[0].stamp));
	if (events[0].station == ST_TRAP)
		shell_printf("; back to %s%s", symbol_name(where, sizeof(where), events[0].b),
			     woke ? " or the thread" : "");
	shell_printf("\n");
}

void trace_narrate(void)
{
	const struct trace_event *events;
	unsigned int cpu, n = trace_path(&events, &cpu), irq = path_irq(events, n);
	const struct irq_data *d = irq_get_irq_data(irq);

	if (!n)
		return;
	shell_printf("irq %u (%s) on cpu %u, from the device to the handler and back:\n", irq,
		     action_name(irq), cpu);
	shell_printf(" #   cycles  %-8s %-25s %s\n", "station", "function", "what happens there");
	tell_device(irq, events);
	for (unsigned int i = 0; i < n; i++) {
		tell_event(i + 1, &events[i], i ? events[i].stamp - events[i - 1].stamp : 0);
		if (events[i].station == ST_LOOKUP && events[i].irq == irq && d && d->parent_data)
			tell_levels(irq);
	}
	tell_end(events, n);
}
