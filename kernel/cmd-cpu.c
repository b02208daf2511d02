/*
 * cpu: stops a CPU and starts it again. Threads never change their CPU, so one that has threads of
 * its own stays, and they are named. `cpu shuffle` is in cmd-shuffle.c.
 */
#include <kernel/cmd-irq.h>
#include <kernel/shell.h>
#include <kernel/smp.h>
#include <kernel/thread.h>
#include <lib/errno.h>
#include <stdio.h>
#include <string.h>

/* ---- One CPU -------------------------------------------------------------------------------- */

struct names {
	const struct cpu *cpu;
	char text[96];
};

/* Under the threads' lock: only notes down. */
static void note_name(const struct thread *t, void *arg)
{
	struct names *n = arg;
	size_t at = strlen(n->text);

	if (t->cpu == n->cpu && t != t->cpu->idle && t != t->cpu->ksoftirqd)
		snprintf(n->text + at, sizeof(n->text) - at, "%s%s", at ? ", " : "", t->name);
}

static int is_bound(unsigned int cpu)
{
	struct names n = { .cpu = &cpus[cpu] };

	thread_for_each(note_name, &n);
	return shell_error(-EBUSY, "cpu %u stays: it has threads of its own: %s", cpu,
			   n.text[0] ? n.text : "they have ended by now");
}

static int show(unsigned int cpu)
{
	bool online = cpumask_test_cpu(cpu, cpu_online_mask);
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("cpu %u is %s\n", cpu, online ? "online" : "offline");
		return 0;
	}
	json_open(j, "{");
	json_key(j, "cpu"), json_uint(j, cpu);
	json_key(j, "online"), json_bool(j, online);
	json_close(j, "}");
	return 0;
}

static int stop(unsigned int cpu)
{
	int err;

	if (cpumask_equal(cpu_online_mask, cpumask_of(cpu)))
		return shell_error(-EINVAL, "cpu %u is the last one", cpu);
	if (!cpu)
		return shell_error(-EINVAL, "cpu 0 has started the machine and must stay");
	err = cpu_offline(cpu);
	if (err == -EBUSY)
		return is_bound(cpu);
	return err ? shell_error(err, "cpu %u does not stop (%s)", cpu, errname(err)) : show(cpu);
}

static int start(unsigned int cpu)
{
	int err = cpu_online(cpu);

	return err ? shell_error(err, "cpu %u does not start (%s)", cpu, errname(err)) : show(cpu);
}

/* ---- The command ---------------------------------------------------------------------------- */

static int cmd_cpu(int argc, char **argv)
{
	u64 n;

	if (argc < 3 || (argc > 3) != !strcmp(argv[1], "shuffle"))
		return shell_usage("cpu");
	if (shell_parse_u64(argv[2], argc > 3 ? "count" : "cpu", &n))
		return -EINVAL;
	if (argc > 3)
		return cpu_shuffle(n, argc - 3, argv + 3);
	if (n >= nr_cpu_ids)
		return shell_error(-EINVAL, "there is no cpu %llu; 'cpus' lists them",
				   (unsigned long long)n);
	if (!strcmp(argv[1], "offline"))
		return stop(n);
	return strcmp(argv[1], "online") ? shell_usage("cpu") : start(n);
}

static const struct shell_command cpu_command = {
	.name = "cpu",
	.usage = "cpu offline N [--json]\n"
		 "cpu online N [--json]\n"
		 "cpu shuffle COUNT COMMAND… [--json]",
	.help = "stops and starts CPUs; with shuffle, at random while a command runs",
	.run = cmd_cpu,
};
SHELL_COMMAND(cpu_command);
