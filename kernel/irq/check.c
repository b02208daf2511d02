/*
 * The invariant checker: what must hold between descriptors, chains of irq_data, domains and
 * their reverse maps whenever nobody is in the middle of changing them. Runs after every test and
 * as the shell's `irq check`. Controllers and buses add their own rules: ids against lines, what
 * registers hold, the messages in devices against those that parents compose.
 */
#include <kernel/irq/internals.h>
#include <kernel/irq/domain.h>
#include <kernel/mm.h>
#include <stdio.h>

#define MAX_CHECKERS 8

static irq_check_fn checkers[MAX_CHECKERS];
static unsigned int nr_checkers;

struct report {
	void (*put)(void *arg, const char *text);
	void *arg;
	unsigned int count;
};

static void __printf(2, 3) complain(struct report *r, const char *fmt, ...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r->put(r->arg, text);
	r->count++;
}

void irq_check_register(irq_check_fn fn)
{
	for (unsigned int i = 0; i < nr_checkers; i++)
		if (checkers[i] == fn)
			return;
	if (!WARN_ON(nr_checkers == MAX_CHECKERS))
		checkers[nr_checkers++] = fn;
}

/* Whether D is still on the list; what has been removed must not be looked into. */
static bool domain_lives(const struct irq_domain *d)
{
	struct irq_domain *pos = NULL;

	while ((pos = irq_domain_next(pos)))
		if (pos == d)
			return true;
	return false;
}

/* ---- One level of a chain ------------------------------------------------------------------- */

static void check_level(struct report *r, struct irq_desc *desc, struct irq_data *d)
{
	unsigned int irq = desc->irq_data.irq;

	if (d->irq != irq || d->common != &desc->irq_common_data)
		complain(r, "irq %u: a level of its chain belongs to irq %u", irq, d->irq);
	if (!d->chip)
		complain(r, "irq %u: a level without a chip", irq);
	if (!d->domain)
		return;
	if (!domain_lives(d->domain)) {
		complain(r, "irq %u: its domain has been removed", irq);
		return;
	}
	if (!irq_domain_is_hierarchy(d->domain) && d->hwirq >= d->domain->hwirq_max)
		complain(r, "irq %u: hwirq %lu is outside of %s", irq, d->hwirq, d->domain->name);
	if (irq_domain_lookup(d->domain, d->hwirq) != d)
		complain(r, "irq %u: %s does not map hwirq %lu to it", irq, d->domain->name,
			 d->hwirq);
	if (d->parent_data && d->parent_data->domain != d->domain->parent)
		complain(r, "irq %u: its level inside %s is of another domain than its parent", irq,
			 d->domain->name);
}

static void check_state(struct report *r, struct irq_desc *desc)
{
	struct irq_data *d = &desc->irq_data;
	bool percpu = irq_settings_is(desc, IRQ_PER_CPU_DEVID);

	if (irqd_is_started(d) && !desc->action)
		complain(r, "irq %u: started without an action", d->irq);
	if (irqd_is_started(d) && d->domain && !irqd_is_activated(d))
		complain(r, "irq %u: started but not activated", d->irq);
	if (irqd_is_activated(d) && d->chip == &no_irq_chip)
		complain(r, "irq %u: activated without a chip", d->irq);
	if (irqd_is_started(d) && irqd_is_single_target(d) &&
	    cpumask_weight(irq_data_get_effective_affinity_mask(d)) != 1)
		complain(r, "irq %u: has to interrupt one CPU, but its effective mask has %u",
			 d->irq, cpumask_weight(irq_data_get_effective_affinity_mask(d)));
	if (!percpu && irqd_is_started(d) && irqd_irq_disabled(d) != (desc->depth != 0))
		complain(r, "irq %u: depth %u, but %s", d->irq, desc->depth,
			 irqd_irq_disabled(d) ? "disabled" : "enabled");
	if (!(desc->istate & IRQS_CHAINED) != (desc->action != &chained_action))
		complain(r, "irq %u: chained without the chained action, or the reverse", d->irq);
}

static void check_desc(struct report *r, unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);
	unsigned long flags;

	if (!desc) {
		complain(r, "irq %u: allocated without a descriptor", irq);
		return;
	}
	flags = spin_lock_irqsave(&desc->lock);
	if (desc->irq_data.irq != irq)
		complain(r, "irq %u: its descriptor says %u", irq, desc->irq_data.irq);
	for (struct irq_data *d = &desc->irq_data; d; d = d->parent_data)
		check_level(r, desc, d);
	check_state(r, desc);
	spin_unlock_irqrestore(&desc->lock, flags);
}

/* ---- A domain: what its map holds, and how often descriptors say they are in it ------------- */

static void check_entry(struct report *r, struct irq_domain *d, irq_hw_number_t hwirq,
			struct irq_data *data)
{
	struct irq_desc *desc;

	if (data->domain != d || data->hwirq != hwirq) {
		complain(r, "%s: hwirq %lu maps to a level of another", d->name, hwirq);
		return;
	}
	desc = irq_to_desc(data->irq);
	if (!desc || irq_domain_get_irq_data(d, data->irq) != data)
		complain(r, "%s: hwirq %lu maps to irq %u, which does not know it", d->name, hwirq,
			 data->irq);
}

static unsigned int check_map(struct report *r, struct irq_domain *d)
{
	unsigned long key = 0;
	struct irq_data *data;
	unsigned int n = 0;

	for (unsigned int i = 0; i < d->revmap_size; i++) {
		if (!d->revmap[i])
			continue;
		check_entry(r, d, i, d->revmap[i]);
		n++;
	}
	for (; (data = radix_next(&d->revmap_tree, &key)); key++) {
		check_entry(r, d, key, data);
		n++;
	}
	return n;
}

static void check_domain(struct report *r, struct irq_domain *d)
{
	unsigned int irq, members = 0, mapped;

	mutex_lock(&d->root->mutex);
	mapped = check_map(r, d);
	for_each_irq(irq)
		if (irq_domain_get_irq_data(d, irq))
			members++;
	if (!(d->flags & IRQ_DOMAIN_FLAG_NO_MAP) && mapped != d->mapcount)
		complain(r, "%s: mapcount is %u, its map holds %u", d->name, d->mapcount, mapped);
	if (members != d->mapcount)
		complain(r, "%s: mapcount is %u, %u irqs are in it", d->name, d->mapcount, members);
	mutex_unlock(&d->root->mutex);
}

unsigned int irq_check(void (*report)(void *arg, const char *text), void *arg)
{
	struct report r = { .put = report, .arg = arg };
	struct irq_domain *d = NULL;

	for (unsigned int irq = 1; irq < NR_IRQS; irq++)
		if (irq_get_next_irq(irq) == irq)
			check_desc(&r, irq);
		else if (irq_to_desc(irq))
			complain(&r, "irq %u: has a descriptor, but is free", irq);
	while ((d = irq_domain_next(d)))
		check_domain(&r, d);
	for (unsigned int i = 0; i < nr_checkers; i++)
		r.count += checkers[i](report, arg);
	return r.count;
}
