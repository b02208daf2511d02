/*
 * domains --dot: the interrupt tree as a graph in Graphviz's language, drawn from the live objects.
 *
 *	ellipse  a CPU                          note  an irq with its handlers
 *	box      a controller's irq_domain      tab   a device's own irq_domain (its messages)
 *
 * Arrows go the way an interrupt goes, from the device to the CPU: a thin one where a hierarchy
 * hands the line to its parent, a thick dashed one where a chained line feeds its parent's irq.
 */
#include <kernel/cmd-irq.h>
#include <kernel/device.h>
#include <kernel/interrupt.h>
#include <kernel/irq/internals.h>
#include <kernel/irqdomain.h>
#include <kernel/of.h>
#include <kernel/shell.h>

#include <stdio.h>
#include <string.h>

/* TEXT as it may stand between quotes; names come from firmware. Returns BUF. */
static const char *quoted(char *buf, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 2 < size; text++) {
		if (*text == '"' || *text == '\\')
			buf[n++] = '\\';
		buf[n++] = *text;
	}
	buf[n] = '\0';
	return buf;
}

static void dot_domain(const struct irq_domain *d)
{
	const struct irq_data *line = irq_get_irq_data(irq_domain_chained_on(d));
	bool of_device = d->dev && !to_of_node(d->fwnode);
	char name[80], node[80], upper[80];
	unsigned int cpu;

	quoted(name, sizeof(name), d->name);
	shell_printf("  \"%s\" [label=\"%s\\n%s\\n%u mapped, %s\"%s];\n", name, name,
		     to_of_node(d->fwnode) ? quoted(node, sizeof(node), d->fwnode->name) :
		     d->dev ? quoted(node, sizeof(node), dev_name(d->dev)) : "software",
		     d->mapcount, irq_domain_map_kind(d), of_device ? ", shape=tab" : "");
	if (d->parent)
		shell_printf("  \"%s\" -> \"%s\";\n", name,
			     quoted(upper, sizeof(upper), d->parent->name));
	else if (line && line->domain)
		shell_printf("  \"%s\" -> \"%s\" [style=dashed, penwidth=2.5, label=\"irq %u\"];\n",
			     name, quoted(upper, sizeof(upper), line->domain->name), line->irq);
	else
		for_each_online_cpu(cpu)
			shell_printf("  \"%s\" -> cpu%u;\n", name, cpu);
}

/* A chained line is the thick arrow between two domains already. */
static void dot_irq(struct irq_desc *desc)
{
	struct irq_data *d = &desc->irq_data;
	char text[80], cpus[64];

	if (!d->domain || !irq_desc_has_action(desc) || desc->istate & IRQS_CHAINED)
		return;
	shell_printf("  irq%u [shape=note, label=\"irq %u", d->irq, d->irq);
	for (struct irqaction *a = desc->action; a; a = a->next)
		shell_printf("\\n%s", quoted(text, sizeof(text), a->name ? a->name : "?"));
	cpulist_print(cpus, sizeof(cpus), irq_data_get_effective_affinity_mask(d));
	shell_printf("\\n%s%s%s\"];\n", irq_flow_name(desc), *cpus ? ", cpu " : "", cpus);
	shell_printf("  irq%u -> \"%s\" [label=\"%lu\"];\n", d->irq,
		     quoted(text, sizeof(text), d->domain->name), d->hwirq);
}

void domains_dot(void)
{
	struct irq_domain *d = NULL;
	unsigned int cpu, irq;

	shell_printf("digraph cascade {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans\"];\n"
		     "  edge [fontname=\"sans\", fontsize=10];\n");
	for_each_online_cpu(cpu)
		shell_printf("  cpu%u [shape=ellipse];\n", cpu);
	while ((d = irq_domain_next(d)))
		dot_domain(d);
	for_each_irq(irq) {
		struct irq_desc *desc = irq_to_desc(irq);

		if (!desc)
			continue;
		mutex_lock(&desc->request_mutex);
		dot_irq(desc);
		mutex_unlock(&desc->request_mutex);
	}
	shell_printf("}\n");
}
