/*
 * affinity, irq: where a line is delivered, whether the core's tables still agree with each other,
 * and an interrupt without its device.
 */
#include <kernel/cmd-irq.h>
#include <kernel/interrupt.h>
#include <kernel/shell.h>
#include <kernel/time.h>

#include <string.h>

#define MOVE_WAIT	(100 * NSEC_PER_MSEC)	/* for a move that is still under way */

struct irq_desc *shell_parse_irq(const char *text)
{
	struct irq_desc *desc;
	u64 irq;

	if (shell_parse_u64(text, "irq", &irq))
		return NULL;
	desc = irq && irq < NR_IRQS ? irq_to_desc(irq) : NULL;
	if (!desc)
		shell_error(-EINVAL, "there is no irq %s; 'irqs --all' lists them", text);
	return desc;
}

void shell_json_cpus(const char *key, const struct cpumask *mask)
{
	struct json *j = shell_json();
	unsigned int cpu;

	json_key(j, key), json_open(j, "[");
	for_each_cpu(cpu, mask)
		json_uint(j, cpu);
	json_close(j, "]");
}

/* A line that is in the middle of a move says -EBUSY for the moment. */
static int move(unsigned int irq, const struct cpumask *mask)
{
	u64 deadline = ktime_get_ns() + MOVE_WAIT;
	int err = irq_set_affinity_user(irq, mask);

	while (err == -EBUSY && ktime_get_ns() < deadline) {
		msleep(1);
		err = irq_set_affinity_user(irq, mask);
	}
	return err;
}

static int move_error(unsigned int irq, const char *list, int err)
{
	switch (err) {
	case -EIO:
		return shell_error(err, "irq %u is managed or per-CPU: it cannot be moved", irq);
	case -EINVAL:
		return shell_error(err, "irq %u cannot move to %s: no such CPU is online, or its "
				   "controller cannot", irq, list);
	case -EBUSY:
		return shell_error(err, "irq %u: the last move is still not done", irq);
	default:
		return shell_error(err, "irq %u cannot move to %s (%s)", irq, list, errname(err));
	}
}

static void show_affinity(struct irq_data *d)
{
	const struct cpumask *asked = irq_data_get_affinity_mask(d);
	const struct cpumask *effective = irq_data_get_effective_affinity_mask(d);
	struct json *j = shell_json();
	char a[64], e[64];

	if (!shell_wants_json()) {
		shell_printf("irq %u: asked %s, effective %s\n", d->irq,
			     cpulist_print(a, sizeof(a), asked),
			     cpulist_print(e, sizeof(e), effective));
		return;
	}
	json_open(j, "{");
	json_key(j, "irq"), json_uint(j, d->irq);
	shell_json_cpus("affinity", asked);
	shell_json_cpus("effective", effective);
	json_close(j, "}");
}

static int cmd_affinity(int argc, char **argv)
{
	struct irq_desc *desc;
	struct cpumask mask;
	int err;

	if (argc < 2 || argc > 3)
		return shell_usage("affinity");
	desc = shell_parse_irq(argv[1]);
	if (!desc)
		return -EINVAL;
	if (argc == 3 && cpulist_parse(argv[2], &mask))
		return shell_error(-EINVAL, "'%s' is not a list of CPUs 0 to %u, as in 0-2,5",
				   argv[2], nr_cpu_ids - 1);
	err = argc == 3 ? move(desc->irq_data.irq, &mask) : 0;
	if (err)
		return move_error(desc->irq_data.irq, argv[2], err);
	show_affinity(&desc->irq_data);
	return 0;
}

static const struct shell_command affinity_command = {
	.name = "affinity",
	.usage = "affinity IRQ [CPULIST] [--json]",
	.help = "the CPUs a line may interrupt, asked for and effective; sets them",
	.run = cmd_affinity,
	.holds_devices = true,
};
SHELL_COMMAND(affinity_command);

/* ---- irq check, irq inject ------------------------------------------------------------------ */

static void report_violation(void *arg, const char *text)
{
	(void)arg;
	if (shell_wants_json())
		json_string(shell_json(), text);
	else
		shell_printf("violated: %s\n", text);
}

static int check(const char *unused)
{
	struct json *j = shell_json();
	unsigned int violations;

	(void)unused;
	if (!shell_wants_json()) {
		violations = irq_check(report_violation, NULL);
		shell_printf("irq check: %u violations\n", violations);
		return violations != 0;
	}
	json_open(j, "{");
	json_key(j, "errors"), json_open(j, "[");
	violations = irq_check(report_violation, NULL);
	json_close(j, "]");
	json_key(j, "ok"), json_bool(j, !violations);
	json_close(j, "}");
	return violations != 0;
}

static int inject(const char *text)
{
	struct irq_desc *desc = shell_parse_irq(text);
	int err;

	if (!desc)
		return -EINVAL;
	err = irq_inject_interrupt(desc->irq_data.irq);
	return err ? shell_error(err, "irq %s cannot be injected (%s)", text, errname(err)) : 0;
}

static int with_devices(int (*fn)(const char *arg), const char *arg)
{
	int err;

	devices_lock();
	err = fn(arg);
	devices_unlock();
	return err;
}

static int cmd_irq(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "check"))
		return with_devices(check, NULL);
	if (argc == 3 && !strcmp(argv[1], "inject"))
		return with_devices(inject, argv[2]);
	if (argc >= 2 && !strcmp(argv[1], "doctor"))
		return irq_doctor(argc - 2, argv + 2);
	if (argc >= 4 && !strcmp(argv[1], "shuffle"))
		return irq_shuffle(argc - 2, argv + 2);
	return shell_usage("irq");
}

static const struct shell_command irq_command = {
	.name = "irq",
	.usage = "irq check [--json]\n"
		 "irq doctor [IRQ] [--json]\n"
		 "irq inject IRQ\n"
		 "irq shuffle COUNT COMMAND… [--json]",
	.help = "check invariants; why a line is silent; inject; move lines while a command runs",
	.run = cmd_irq,
};
SHELL_COMMAND(irq_command);
