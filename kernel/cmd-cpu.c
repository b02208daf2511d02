/*
 * cpu: stops a CPU and starts it again. `cpu shuffle` does so at random while a command runs: each
 * line that is not taken along in time, and each wait for a CPU that is gone, shows there.
 *
 *	shell thread   COMMAND … … … … … … … … done       waits for the mover
 *	mover          off on off off on … at least COUNT changes, then all on again
 *
 * Threads never change their CPU, so one on which a command has threads of its own stays.
 */
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <kernel/smp.h>
#include <kernel/thread.h>
#include <lib/errno.h>
#include <stdio.h>
#include <string.h>

#define STALLED		(10 * NSEC_PER_SEC)	/* without one CPU that could be stopped */

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

/* ---- Many times ----------------------------------------------------------------------------- */

struct shuffle {
	u64 wanted, changes, busy;
	struct cpumask stopped;
	unsigned int bad_cpu;
	int error;			/* of bad_cpu */
	bool stalled;
	u32 random;
};

/* A CPU other than the boot CPU. */
static unsigned int random_cpu(struct shuffle *s)
{
	s->random = s->random * 1664525 + 1013904223;	/* a linear congruential generator */
	return 1 + ((u64)(s->random >> 8) * (nr_cpu_ids - 1) >> 24);
}

static void change(struct shuffle *s, unsigned int cpu)
{
	bool back = cpumask_test_cpu(cpu, &s->stopped);
	int err = back ? cpu_online(cpu) : cpu_offline(cpu);

	if (err == -EBUSY && !back) {
		s->busy++;
	} else if (err) {
		s->bad_cpu = cpu;
		s->error = err;
	} else {
		s->stopped.bits ^= BIT(cpu);
		s->changes++;
	}
}

static int mover(void *arg)
{
	struct shuffle *s = arg;
	u64 last = ktime_get_ns();
	unsigned int cpu;

	while (!s->error && !s->stalled && (s->changes < s->wanted || !thread_should_stop())) {
		u64 before = s->changes;

		change(s, random_cpu(s));
		if (s->changes != before)
			last = ktime_get_ns();
		s->stalled = ktime_get_ns() - last > STALLED;
		msleep(1);
	}
	for_each_possible_cpu(cpu)
		if (cpumask_test_cpu(cpu, &s->stopped))
			change(s, cpu);
	while (!thread_should_stop())
		msleep(1);
	return 0;
}

static int report(const struct shuffle *s)
{
	struct json *j = shell_json();

	if (s->error)
		return shell_error(s->error, "cpu %u does not change (%s)", s->bad_cpu,
				   errname(s->error));
	if (s->stalled)
		return shell_error(-ETIMEDOUT, "no CPU changed for 10 s; %llu changes before",
				   (unsigned long long)s->changes);
	if (!shell_wants_json()) {
		shell_printf("%llu changes meanwhile, %llu refused\n",
			     (unsigned long long)s->changes, (unsigned long long)s->busy);
		return 0;
	}
	json_open(j, "{");
	json_key(j, "changes"), json_uint(j, s->changes);
	json_key(j, "refused"), json_uint(j, s->busy);
	json_close(j, "}");
	return 0;
}

static int shuffle(u64 count, int argc, char **argv)
{
	struct shuffle s = { .wanted = count, .random = 1 };
	struct thread *thread;
	char line[512];
	int failed;

	if (cpumask_weight(cpu_online_mask) < 2)
		return shell_error(-EINVAL, "there is no second CPU online");
	if (shell_join(line, sizeof(line), argc, argv))
		return -EINVAL;
	thread = thread_create("cpu-shuffle", mover, &s, PRIO_NORMAL, 0);
	if (!thread)
		return shell_error(-ENOMEM, "no memory for a thread");
	failed = shell_run(line);
	thread_stop(thread);
	if (failed)
		return shell_error(-EIO, "'%s' failed while CPUs came and went", argv[0]);
	return report(&s);
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
		return shuffle(n, argc - 3, argv + 3);
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
