/*
 * domains: the tree of interrupt controllers. Two kinds of edges lead from a domain to its parent:
 *
 *	hierarchy   the line has one irq_data more; a callback passes on to the parent's chip
 *	chained     the parent's line has a flow handler of the child, which asks its own controller
 *	            what is pending and starts again from there
 */
#include <kernel/cmd-irq.h>
#include <kernel/device.h>
#include <kernel/irqdomain.h>
#include <kernel/of.h>
#include <kernel/shell.h>

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX	8	/* levels drawn; no tree is nearly as deep */

/* The domain that D is drawn under; NULL for a root. */
static struct irq_domain *upper(const struct irq_domain *d)
{
	const struct irq_data *line;

	if (d->parent)
		return d->parent;
	line = irq_get_irq_data(irq_domain_chained_on(d));
	return line ? line->domain : NULL;
}

static struct irq_domain *next_child(const struct irq_domain *of, struct irq_domain *after)
{
	struct irq_domain *d = after;

	while ((d = irq_domain_next(d)))
		if (upper(d) == of)
			return d;
	return NULL;
}

static const char *fwnode_name(const struct irq_domain *d)
{
	return d->fwnode ? d->fwnode->name : NULL;
}

static void draw_node(const struct irq_domain *d, const char *branch)
{
	unsigned int chained = d->parent ? 0 : irq_domain_chained_on(d);
	char label[80], map[32];

	if (chained)
		snprintf(label, sizeof(label), "%s==[irq %u]== %s", branch, chained, d->name);
	else
		snprintf(label, sizeof(label), "%s%s%s", branch, *branch ? "-- " : "", d->name);
	if (d->revmap_size)
		snprintf(map, sizeof(map), "%s %u", irq_domain_map_kind(d), d->revmap_size);
	else
		snprintf(map, sizeof(map), "%s", irq_domain_map_kind(d));
	shell_printf("%-38s %-10s %4u mapped  ", label, map, d->mapcount);
	if (to_of_node(d->fwnode))
		shell_printf("%s\n", d->fwnode->name);
	else if (d->dev)
		shell_printf("messages of %s\n", dev_name(d->dev));
	else
		shell_printf("software\n");
}

/* D's children; PREFIX is what is drawn left of their branches. */
static void draw_children(const struct irq_domain *d, const char *prefix, unsigned int depth)
{
	struct irq_domain *child = next_child(d, NULL);

	while (child && depth < DEPTH_MAX) {
		struct irq_domain *next = next_child(d, child);
		char text[4 * DEPTH_MAX + 8];

		snprintf(text, sizeof(text), "%s%s", prefix, next ? "|" : "`");
		draw_node(child, text);
		snprintf(text, sizeof(text), "%s%s", prefix, next ? "|   " : "    ");
		draw_children(child, text, depth + 1);
		child = next;
	}
}

static void draw_tree(void)
{
	struct irq_domain *d = NULL;

	shell_printf("==  chained: that irq of the parent has a flow handler that asks the child\n"
		     "--  hierarchy: each line has one irq_data more than at the parent\n");
	while ((d = next_child(NULL, d))) {
		draw_node(d, "");
		draw_children(d, " ", 0);
	}
}

static void json_domain(const struct irq_domain *d)
{
	struct json *j = shell_json();
	unsigned int chained = irq_domain_chained_on(d);

	json_open(j, "{");
	json_key(j, "name"), json_string(j, d->name);
	json_key(j, "fwnode"), json_string(j, fwnode_name(d));
	json_key(j, "parent"), json_string(j, d->parent ? d->parent->name : NULL);
	json_key(j, "chained_on");
	if (chained)
		json_uint(j, chained);
	else
		json_null(j);
	json_key(j, "map"), json_string(j, irq_domain_map_kind(d));
	json_key(j, "size"), json_uint(j, d->revmap_size);
	json_key(j, "mapped"), json_uint(j, d->mapcount);
	json_close(j, "}");
}

static int cmd_domains(int argc, char **argv)
{
	bool dot = shell_take_flag(&argc, argv, "--dot");
	struct irq_domain *d = NULL;

	if (argc != 1 || (dot && shell_wants_json()))
		return shell_usage("domains");
	if (dot) {
		domains_dot();
		return 0;
	}
	if (!shell_wants_json()) {
		draw_tree();
		return 0;
	}
	json_open(shell_json(), "[");
	while ((d = irq_domain_next(d)))
		json_domain(d);
	json_close(shell_json(), "]");
	return 0;
}

static const struct shell_command domains_command = {
	.name = "domains",
	.usage = "domains [--dot | --json]",
	.help = "the tree of interrupt controllers, as the core's irq_domains",
	.run = cmd_domains,
	.holds_devices = true,
};
SHELL_COMMAND(domains_command);
