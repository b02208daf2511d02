/*
 * The way of an interrupt, link by link, until one is broken:
 *
 *	device -- each level's controller, from the device's side to the root --
 *	    (a chained line: that one's levels, in turn) -- the CPU -- the core: activated, started,
 *	    enabled, not masked, a flow, an action
 *
 * What a controller knows of itself only its driver can tell: irq_chip.irq_diagnose.
 */
#include <kernel/diagnose.h>
#include <kernel/irq/internals.h>
#include <kernel/irqdomain.h>
#include <kernel/smp.h>

#include <stdarg.h>
#include <stdio.h>

DECLARE_TABLE(device_doctor, const struct device_doctor);

static void tell(struct diagnosis *dx, bool ok, const char *name, const char *fmt, va_list args)
{
	char value[160];

	if (dx->broken)
		return;
	vsnprintf(value, sizeof(value), fmt, args);
	dx->broken = !ok;
	dx->link(dx, ok, name, value);
}

void diagnose(struct diagnosis *dx, bool ok, const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(dx, ok, name, fmt, args);
	va_end(args);
}

void diagnose_gate(struct diagnosis *dx, const struct irq_data *d, bool open, const char *name,
		   const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(dx, open || irqd_irq_masked(d) || !irqd_is_started(d), name, fmt, args);
	va_end(args);
}

bool diagnose_on_cpu(struct diagnosis *dx, void (*fn)(void *arg), void *arg)
{
	int err = dx->broken ? -EIO : smp_call_function_single(dx->cpu, fn, arg);

	if (err)
		diagnose(dx, false, "CPU", "cpu %u does not answer (%s): it is offline, or keeps "
			 "its interrupts off", dx->cpu, errname(err));
	return !err;
}

/* ---- Controllers ---------------------------------------------------------------------------- */

static void diagnose_levels(struct diagnosis *dx, struct irq_data *d, unsigned int depth)
{
	const struct irq_domain *root = NULL;
	unsigned int chained;

	for (; d && d->domain; d = d->parent_data) {
		root = d->domain;
		if (d->chip && d->chip->irq_diagnose && !dx->broken)
			d->chip->irq_diagnose(d, dx);
	}
	chained = root ? irq_domain_chained_on(root) : 0;
	if (chained && depth < 8)
		diagnose_levels(dx, irq_get_irq_data(chained), depth + 1);
}

/* ---- The core ------------------------------------------------------------------------------- */

static const char *why_disabled(const struct irq_desc *desc)
{
	if (desc->istate & IRQS_SPURIOUS_DISABLED)
		return "the core turned it off, nobody handled it: is its driver's device silent?";
	if (irqd_is_managed_and_shutdown(&desc->irq_data))
		return "managed, and all of its CPUs are offline";
	return "so many disable_irq() wait for their enable_irq()";
}

static const char *why_masked(const struct irq_desc *desc)
{
	if (desc->threads_oneshot)
		return "until its handler's thread is done";
	return irqd_irq_inprogress(&desc->irq_data) ? "while its handlers run" : "by nobody known";
}

static void diagnose_percpu(struct diagnosis *dx)
{
	bool enabled = cpumask_test_cpu(dx->cpu, &dx->desc->percpu_enabled);

	diagnose(dx, enabled, "enabled", "cpu %u has %senabled it", dx->cpu, enabled ? "" : "not ");
}

static void diagnose_line(struct diagnosis *dx)
{
	const struct irq_desc *desc = dx->desc;
	const struct irq_data *d = &desc->irq_data;

	diagnose(dx, irqd_is_activated(d), "activated", irqd_is_activated(d) ? "yes" :
		 "its controllers have no way set up: nobody has requested it");
	if (irq_settings_is(desc, IRQ_PER_CPU_DEVID)) {
		diagnose_percpu(dx);
		return;
	}
	diagnose(dx, irqd_is_started(d) || desc->depth, "started", irqd_is_started(d) ? "yes" :
		 "it has been shut down");
	diagnose(dx, !desc->depth, "depth", "%u%s%s", desc->depth, desc->depth ? ": " : "",
		 desc->depth ? why_disabled(desc) : "");
	diagnose(dx, !irqd_irq_masked(d) || desc->threads_oneshot || irqd_irq_inprogress(d),
		 "unmasked", irqd_irq_masked(d) ? "masked %s" : "yes", why_masked(desc));
}

static void diagnose_action(struct diagnosis *dx)
{
	const struct irqaction *action = dx->desc->action;

	diagnose(dx, dx->desc->handle_irq != handle_bad_irq, "flow", "%s",
		 irq_flow_name(dx->desc));
	if (!(dx->desc->istate & IRQS_CHAINED))
		diagnose(dx, action, "action", "%s", action ? action->name ?: "?" :
			 "no handler: request_irq() was not called, or free_irq() was");
}

static void answer(void *unused)
{
	(void)unused;
}

bool irq_diagnose(struct diagnosis *dx)
{
	struct irq_data *d = &dx->desc->irq_data;

	diagnose(dx, d->domain, "domain", "%s", d->domain ? d->domain->name :
		 "none: the number is allocated and belongs to no controller");
	for_each_table(pos, device_doctor, const struct device_doctor)
		if (!dx->broken)
			(*pos)->diagnose(dx);
	diagnose_levels(dx, d, 0);
	if (!dx->broken && diagnose_on_cpu(dx, answer, NULL))
		diagnose(dx, true, "CPU", "cpu %u takes interrupts", dx->cpu);
	diagnose_line(dx);
	diagnose_action(dx);
	return !dx->broken;
}
