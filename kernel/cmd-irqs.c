/*
 * irqs: the lines as the core sees them. What is printed is read without stopping the line; only
 * its actions are held, by the mutex that request_irq() and free_irq() take.
 */
#include <kernel/cmd-irq.h>
#include <kernel/interrupt.h>
#include <kernel/irq/internals.h>
#include <kernel/irqdomain.h>
#include <kernel/shell.h>

#include <stdio.h>

#define COLUMNS_MAX	8			/* CPUs that the table has room for */

static bool is_chained(const struct irq_desc *desc)
{
	return desc->istate & IRQS_CHAINED;
}

/* Calls WORD for each word that describes the state of the line. */
static void state_words(const struct irq_desc *desc, void (*word)(const char *text))
{
	static const struct {
		u32 irqd;
		unsigned int istate;
		const char *text;
	} states[] = {
		{ IRQD_ACTIVATED, 0, "activated" },
		{ IRQD_IRQ_STARTED, 0, "started" },
		{ IRQD_IRQ_DISABLED, 0, "disabled" },
		{ IRQD_IRQ_MASKED, 0, "masked" },
		{ 0, IRQS_PENDING, "pending" },
		{ IRQD_IRQ_INPROGRESS, 0, "inprogress" },
		{ IRQD_AFFINITY_MANAGED, 0, "managed" },
		{ 0, IRQS_ONESHOT, "oneshot" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++)
		if (irqd_test(&desc->irq_data, states[i].irqd) || (desc->istate & states[i].istate))
			word(states[i].text);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void json_word(const char *text)
{
	json_string(shell_json(), text);
}

static void json_levels(struct json *j, const struct irq_data *d)
{
	json_key(j, "levels"), json_open(j, "[");
	for (; d && d->domain; d = d->parent_data) {
		json_open(j, "{");
		json_key(j, "domain"), json_string(j, d->domain->name);
		json_key(j, "hwirq"), json_uint(j, d->hwirq);
		json_key(j, "chip"), json_string(j, d->chip ? d->chip->name : NULL);
		json_close(j, "}");
	}
	json_close(j, "]");
}

static void json_irq(struct irq_desc *desc)
{
	struct json *j = shell_json();
	unsigned int cpu;

	json_open(j, "{");
	json_key(j, "irq"), json_uint(j, desc->irq_data.irq);
	json_key(j, "flow"), json_string(j, irq_flow_name(desc));
	json_key(j, "type"), json_string(j, irq_type_name(irqd_get_trigger_type(&desc->irq_data)));
	json_key(j, "actions"), json_open(j, "[");
	for (struct irqaction *a = is_chained(desc) ? NULL : desc->action; a; a = a->next)
		json_string(j, a->name ? a->name : "");
	json_close(j, "]");
	json_key(j, "counts"), json_open(j, "[");
	for_each_possible_cpu(cpu)
		json_uint(j, desc->kstat_irqs[cpu]);
	json_close(j, "]");
	json_key(j, "depth"), json_uint(j, desc->depth);
	json_key(j, "state"), json_open(j, "[");
	state_words(desc, json_word);
	json_close(j, "]");
	shell_json_cpus("affinity", irq_data_get_affinity_mask(&desc->irq_data));
	shell_json_cpus("effective", irq_data_get_effective_affinity_mask(&desc->irq_data));
	json_levels(j, &desc->irq_data);
	json_close(j, "}");
}

/* ---- Text ----------------------------------------------------------------------------------- */

static unsigned int total_count(const struct irq_desc *desc)
{
	unsigned int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += desc->kstat_irqs[cpu];
	return sum;
}

static int count_width(void)
{
	return nr_cpu_ids > COLUMNS_MAX ? 9 : nr_cpu_ids > 4 ? 5 : 8;
}

static void print_heading(void)
{
	char name[16];

	shell_printf(" irq");
	for (unsigned int cpu = 0; cpu < nr_cpu_ids && nr_cpu_ids <= COLUMNS_MAX; cpu++) {
		snprintf(name, sizeof(name), "cpu%u", cpu);
		shell_printf(" %*s", count_width(), name);
	}
	if (nr_cpu_ids > COLUMNS_MAX)
		shell_printf(" %*s", count_width(), "all CPUs");
	if (nr_cpu_ids <= 4)
		shell_printf("  %-12s", "flow");
	shell_printf("  hwirq %-22s actions\n", "in domain");
}

/* The domain that a chained line feeds. */
static const char *chained_to(unsigned int irq)
{
	struct irq_domain *d = NULL;

	while ((d = irq_domain_next(d)))
		if (irq_domain_chained_on(d) == irq)
			return d->name;
	return "?";
}

static void print_row(const struct irq_desc *desc)
{
	const struct irq_data *d = &desc->irq_data;

	shell_printf("%4u", d->irq);
	for (unsigned int cpu = 0; cpu < nr_cpu_ids && nr_cpu_ids <= COLUMNS_MAX; cpu++)
		shell_printf(" %*u", count_width(), desc->kstat_irqs[cpu]);
	if (nr_cpu_ids > COLUMNS_MAX)
		shell_printf(" %*u", count_width(), total_count(desc));
	if (nr_cpu_ids <= 4)
		shell_printf("  %-12s", irq_flow_name(desc));
	shell_printf("  %5lu %-22s", d->hwirq, d->domain ? d->domain->name : "(none)");
	if (is_chained(desc))
		shell_printf(" (to %s)", chained_to(d->irq));
	for (struct irqaction *a = is_chained(desc) ? NULL : desc->action; a; a = a->next)
		shell_printf(" %s%s", a->name ? a->name : "?", a->next ? "," : "");
	shell_printf("\n");
}

static void print_word(const char *text)
{
	shell_printf(" %s", text);
}

static void print_chip(const struct irq_chip *chip)
{
	static const struct {
		unsigned long flag;
		const char *name;
	} flags[] = {
		{ IRQCHIP_SET_TYPE_MASKED, "set-type-masked" },
		{ IRQCHIP_EOI_IF_HANDLED, "eoi-if-handled" },
		{ IRQCHIP_ONESHOT_SAFE, "oneshot-safe" },
		{ IRQCHIP_EOI_THREADED, "eoi-threaded" },
		{ IRQCHIP_SUPPORTS_LEVEL_MSI, "supports-level-msi" },
		{ IRQCHIP_AFFINITY_PRE_STARTUP, "affinity-pre-startup" },
		{ IRQCHIP_IMMUTABLE, "immutable" },
		{ IRQCHIP_MOVE_DEFERRED, "move-deferred" },
	};

	shell_printf("chip %s", chip && chip->name ? chip->name : "-");
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++)
		if (chip && chip->flags & flags[i].flag)
			shell_printf(" %s", flags[i].name);
	shell_printf("\n");
}

static void print_levels(const struct irq_data *d)
{
	unsigned int chained = 0;

	for (; d && d->domain; d = d->parent_data) {
		shell_printf("  hwirq %lu of %s, ", d->hwirq, d->domain->name);
		print_chip(d->chip);
		chained = irq_domain_chained_on(d->domain);
	}
	if (chained) {
		shell_printf("  which hangs on irq %u:\n", chained);
		print_levels(irq_get_irq_data(chained));
	}
}

/* Everything about one line; its way from the device's side to the root last. */
static void print_irq(struct irq_desc *desc)
{
	struct irq_data *d = &desc->irq_data;
	char asked[64], effective[64], hint[64];

	print_heading();
	print_row(desc);
	shell_printf("  type %s, depth %u, state:", irq_type_name(irqd_get_trigger_type(d)),
		     desc->depth);
	state_words(desc, print_word);
	shell_printf("\n  affinity: asked %s, effective %s",
		     cpulist_print(asked, sizeof(asked), irq_data_get_affinity_mask(d)),
		     cpulist_print(effective, sizeof(effective),
				   irq_data_get_effective_affinity_mask(d)));
	if (desc->affinity_hint)
		shell_printf(", its driver wants %s",
			     cpulist_print(hint, sizeof(hint), desc->affinity_hint));
	shell_printf("\n");
	print_levels(d);
}

/* ---- Commands ------------------------------------------------------------------------------- */

static void show(struct irq_desc *desc, bool details)
{
	mutex_lock(&desc->request_mutex);
	if (shell_wants_json())
		json_irq(desc);
	else if (details)
		print_irq(desc);
	else
		print_row(desc);
	mutex_unlock(&desc->request_mutex);
}

static int cmd_irqs(int argc, char **argv)
{
	bool all = shell_take_flag(&argc, argv, "--all");
	struct irq_desc *one = NULL;
	unsigned int irq;

	if (argc > 2)
		return shell_usage("irqs");
	if (argc == 2 && !(one = shell_parse_irq(argv[1])))
		return -EINVAL;
	if (shell_wants_json())
		json_open(shell_json(), "[");
	else if (!one)
		print_heading();
	for_each_irq(irq) {
		struct irq_desc *desc = irq_to_desc(irq);
		bool listed = all || (irq_desc_has_action(desc) && !is_chained(desc) &&
				      !irq_settings_is(desc, IRQ_HIDDEN));

		if (one ? desc == one : desc && listed)
			show(desc, one);
	}
	if (shell_wants_json())
		json_close(shell_json(), "]");
	return 0;
}

static const struct shell_command irqs_command = {
	.name = "irqs",
	.usage = "irqs [IRQ | --all] [--json]",
	.help = "interrupt lines with a handler, and how often they came; or all about one line",
	.run = cmd_irqs,
	.holds_devices = true,
};
SHELL_COMMAND(irqs_command);
