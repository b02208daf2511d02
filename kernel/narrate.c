/*
 * One interrupt told station by station, from the events that the catcher kept.
 *
 *	 n  cycles  station  function                 what happened, with its values
 *
 * Only the beginning is not in the ring: the device's message, which is a memory write that no CPU
 * takes part in.
 */
#include <kernel/interrupt.h>
#include <kernel/irqdomain.h>
#include <kernel/msi.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <kernel/trace.h>

#include <stdio.h>

#define LINE	"%2u  %9s  %-8s %-25s %s\n"

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
		snprintf(text, sizeof(text), "raises hwirq %lu of %s", d ? d->hwirq : 0,
			 d && d->domain ? d->domain->name : "?");
	shell_printf(LINE, 0, "", "device", desc ? dev_name(desc->dev) : "-", text);
}

/* One irq has a number at each controller on its way: from the device's side to the root. */
static void tell_levels(unsigned int irq)
{
	for (const struct irq_data *d = irq_get_irq_data(irq); d && d->domain; d = d->parent_data)
		shell_printf("%24s = hwirq %lu of %s\n", "", d->hwirq, d->domain->name);
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
	shell_printf("    %9llu  cycles in all, recording included",
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
		     trace_action(irq), cpu);
	shell_printf(" #     cycles  %-8s %-25s %s\n", "station", "function", "what happens there");
	tell_device(irq, events);
	for (unsigned int i = 0; i < n; i++) {
		tell_event(i + 1, &events[i], i ? events[i].stamp - events[i - 1].stamp : 0);
		if (events[i].station == ST_LOOKUP && events[i].irq == irq && d && d->parent_data)
			tell_levels(irq);
	}
	tell_end(events, n);
}
