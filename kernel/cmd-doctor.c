/*
 * irq doctor: why an interrupt does not arrive. The links of its way, from the device to the
 * handler, up to the first broken one; without a number every line in a word.
 */
#include <kernel/cmd-irq.h>
#include <kernel/diagnose.h>
#include <kernel/interrupt.h>
#include <kernel/irq/internals.h>
#include <kernel/shell.h>

#include <stdio.h>

struct visit {
	struct diagnosis dx;
	bool quiet;			/* only the broken link is of interest */
	char name[32], value[160];	/* of the last link told */
};

static void show_link(struct diagnosis *dx, bool ok, const char *name, const char *value)
{
	struct visit *visit = container_of(dx, struct visit, dx);
	struct json *j = shell_json();

	snprintf(visit->name, sizeof(visit->name), "%s", name);
	snprintf(visit->value, sizeof(visit->value), "%s", value);
	if (visit->quiet)
		return;
	if (!shell_wants_json()) {
		shell_printf("  %-6s %-14s %s\n", ok ? "ok" : "BROKEN", name, value);
		return;
	}
	json_open(j, "{");
	json_key(j, "link"), json_string(j, name);
	json_key(j, "ok"), json_bool(j, ok);
	json_key(j, "value"), json_string(j, value);
	json_close(j, "}");
}

/* The CPUs that the line may interrupt and that are there: a per-CPU line all of them, else the
 * effective one. */
static void choose_cpus(struct irq_desc *desc, struct cpumask *cpus)
{
	struct irq_data *d = &desc->irq_data;

	if (irq_settings_is(desc, IRQ_PER_CPU_DEVID))
		cpumask_copy(cpus, cpu_online_mask);
	else if (!cpumask_and(cpus, irq_data_get_effective_affinity_mask(d), cpu_online_mask) &&
		 !cpumask_and(cpus, irq_data_get_affinity_mask(d), cpu_online_mask))
		cpumask_copy(cpus, cpu_online_mask);
}

static bool examine_once(struct visit *visit, struct irq_desc *desc)
{
	struct cpumask mask;
	unsigned int cpu;

	visit->dx = (struct diagnosis){ .desc = desc, .link = show_link };
	choose_cpus(desc, &mask);
	mutex_lock(&desc->request_mutex);
	for_each_cpu(cpu, &mask) {
		visit->dx.cpu = cpu;
		if (!irq_diagnose(&visit->dx) || !irq_settings_is(desc, IRQ_PER_CPU_DEVID))
			break;
	}
	mutex_unlock(&desc->request_mutex);
	return !visit->dx.broken;
}

/* True: every link is whole. An interrupt that is just on its way may look like a broken link, but
 * not for long. */
static bool examine(struct visit *visit, struct irq_desc *desc)
{
	bool quiet = visit->quiet, whole;
	int tries = 5;

	visit->quiet = true;
	while (!(whole = examine_once(visit, desc)) && --tries)
		msleep(2);
	visit->quiet = quiet;
	return quiet ? whole : examine_once(visit, desc);
}

static void json_end(const struct visit *visit, bool whole)
{
	struct json *j = shell_json();

	json_key(j, "irq"), json_uint(j, visit->dx.desc->irq_data.irq);
	json_key(j, "cpu"), json_uint(j, visit->dx.cpu);
	json_key(j, "ok"), json_bool(j, whole);
	json_key(j, "broken"), json_string(j, whole ? NULL : visit->name);
	json_key(j, "value"), json_string(j, whole ? NULL : visit->value);
	json_close(j, "}");
}

static int examine_one(struct visit *visit, struct irq_desc *desc)
{
	unsigned int irq = desc->irq_data.irq;
	bool whole;

	if (shell_wants_json()) {
		json_open(shell_json(), "{");
		json_key(shell_json(), "links"), json_open(shell_json(), "[");
	} else {
		shell_printf("irq %u, from the device to the handler:\n", irq);
	}
	whole = examine(visit, desc);
	if (shell_wants_json()) {
		json_close(shell_json(), "]");
		json_end(visit, whole);
	} else if (whole) {
		shell_printf("irq %u: nothing is broken; if it does not come, the device has not "
			     "sent it\n", irq);
	} else {
		shell_printf("irq %u does not get past \"%s\": %s\n", irq, visit->name,
			     visit->value);
	}
	return !whole;
}

static int examine_all(struct visit *visit)
{
	unsigned int irq, broken = 0;

	visit->quiet = true;
	if (shell_wants_json())
		json_open(shell_json(), "[");
	for_each_irq(irq) {
		struct irq_desc *desc = irq_to_desc(irq);
		bool whole;

		if (!desc || !irq_desc_has_action(desc))
			continue;
		whole = examine(visit, desc);
		broken += !whole;
		if (shell_wants_json()) {
			json_open(shell_json(), "{");
			json_end(visit, whole);
		} else {
			shell_printf("irq %3u: %s%s%s%s\n", irq, whole ? "ok" : "BROKEN at \"",
				     whole ? "" : visit->name, whole ? "" : "\": ",
				     whole ? "" : visit->value);
		}
	}
	if (shell_wants_json())
		json_close(shell_json(), "]");
	return broken != 0;
}

int irq_doctor(int argc, char **argv)
{
	struct irq_desc *one = NULL;
	struct visit visit = { 0 };
	int ret;

	if (argc > 1)
		return shell_usage("irq");
	devices_lock();
	if (argc == 1 && !(one = shell_parse_irq(argv[0])))
		ret = -EINVAL;
	else
		ret = one ? examine_one(&visit, one) : examine_all(&visit);
	devices_unlock();
	return ret;
}
