/*
 * The machine: its CPUs, memory, threads and clock; and the ways to end it, in order or not.
 *
 * `panic` and `hang` exist so that the last words of a kernel can be tested: the backtrace from
 * inside a handler, and the watchdog.
 */
#include <kernel/cmd-irq.h>
#include <kernel/interrupt.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <kernel/smp.h>
#include <kernel/time.h>

#include <string.h>

/* ---- What is there -------------------------------------------------------------------------- */

static int cmd_cpus(int argc, char **argv)
{
	struct json *j = shell_json();
	unsigned int cpu;

	(void)argv;
	if (argc != 1)
		return shell_usage("cpus");
	if (shell_wants_json())
		json_open(j, "[");
	for_each_possible_cpu(cpu) {
		if (!shell_wants_json()) {
			shell_printf("cpu %u  hwid %llx  %s\n", cpu,
				     (unsigned long long)cpus[cpu].hwid,
				     cpumask_test_cpu(cpu, cpu_online_mask) ? "online" : "offline");
			continue;
		}
		json_open(j, "{");
		json_key(j, "cpu"), json_uint(j, cpu);
		json_key(j, "hwid"), json_stringf(j, "%llx", (unsigned long long)cpus[cpu].hwid);
		json_key(j, "online"), json_bool(j, cpumask_test_cpu(cpu, cpu_online_mask));
		json_close(j, "}");
	}
	if (shell_wants_json())
		json_close(j, "]");
	return 0;
}

static int cmd_mem(int argc, char **argv)
{
	struct json *j = shell_json();

	(void)argv;
	if (argc != 1)
		return shell_usage("mem");
	if (!shell_wants_json()) {
		shell_printf("%zu KiB, %zu KiB free\n", mem_total() / 1024, mem_free() / 1024);
		return 0;
	}
	json_open(j, "{");
	json_key(j, "total"), json_uint(j, mem_total());
	json_key(j, "free"), json_uint(j, mem_free());
	json_close(j, "}");
	return 0;
}

static int cmd_uptime(int argc, char **argv)
{
	struct json *j = shell_json();
	u64 ns = ktime_get_ns();

	(void)argv;
	if (argc != 1)
		return shell_usage("uptime");
	if (!shell_wants_json()) {
		shell_printf("%llu.%03llu s\n", (unsigned long long)(ns / NSEC_PER_SEC),
			     (unsigned long long)(ns / NSEC_PER_MSEC % 1000));
		return 0;
	}
	json_open(j, "{");
	json_key(j, "ns"), json_uint(j, ns);
	json_close(j, "}");
	return 0;
}

#define THREADS_MAX	64

struct thread_row {
	const char *name;
	unsigned int cpu, prio;
	enum thread_state state;
};

struct thread_rows {
	unsigned int count;		/* may exceed the array */
	struct thread_row row[THREADS_MAX];
};

/* Under the threads' lock: only notes down. */
static void note_thread(const struct thread *t, void *arg)
{
	struct thread_rows *rows = arg;

	if (rows->count < THREADS_MAX)
		rows->row[rows->count] =
			(struct thread_row){ t->name, t->cpu->id, t->prio, t->state };
	rows->count++;
}

static void show_thread(const struct thread_row *row)
{
	static const char *const states[] = { "runnable", "blocked", "dead" };
	static const char *const prios[] = { "idle", "normal", "high", "irq" };
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("%3u  %-7s %-9s %s\n", row->cpu, prios[row->prio], states[row->state],
			     row->name);
		return;
	}
	json_open(j, "{");
	json_key(j, "name"), json_string(j, row->name);
	json_key(j, "cpu"), json_uint(j, row->cpu);
	json_key(j, "prio"), json_string(j, prios[row->prio]);
	json_key(j, "state"), json_string(j, states[row->state]);
	json_close(j, "}");
}

static int cmd_threads(int argc, char **argv)
{
	struct thread_rows *rows;

	(void)argv;
	if (argc != 1)
		return shell_usage("threads");
	rows = kzalloc(sizeof(*rows));
	if (!rows)
		return shell_error(-ENOMEM, "threads: out of memory");
	thread_for_each(note_thread, rows);
	if (shell_wants_json())
		json_open(shell_json(), "[");
	else
		shell_printf("cpu  prio    state     name\n");
	for (unsigned int i = 0; i < min(rows->count, (unsigned int)THREADS_MAX); i++)
		show_thread(&rows->row[i]);
	if (shell_wants_json())
		json_close(shell_json(), "]");
	else if (rows->count > THREADS_MAX)
		shell_printf("and %u more\n", rows->count - THREADS_MAX);
	kfree(rows);
	return 0;
}

/* ---- Help ----------------------------------------------------------------------------------- */

static void show_command(const struct shell_command *cmd)
{
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("%-9s %s\n", cmd->name, cmd->help);
		return;
	}
	json_open(j, "{");
	json_key(j, "name"), json_string(j, cmd->name);
	json_key(j, "usage"), json_string(j, cmd->usage);
	json_key(j, "help"), json_string(j, cmd->help);
	json_close(j, "}");
}

static int cmd_help(int argc, char **argv)
{
	const struct shell_command *cmd = NULL;
	bool found = argc == 1;

	if (argc > 2)
		return shell_usage("help");
	if (shell_wants_json())
		json_open(shell_json(), "[");
	while ((cmd = shell_next_command(cmd))) {
		bool named = argc == 2 && !strcmp(cmd->name, argv[1]);

		if (argc == 1 || named)
			show_command(cmd);
		if (named && !shell_wants_json()) {
			shell_printf("usage: %.*s\n", (int)strcspn(cmd->usage, "\n"), cmd->usage);
			shell_more_forms(cmd, strlen("usage: "));
		}
		found |= named;
	}
	if (shell_wants_json())
		json_close(shell_json(), "]");
	else if (argc == 1)
		shell_printf("'help COMMAND' shows how one is used; ';' joins commands\n");
	return found ? 0 : shell_unknown(argv[1]);
}

/* ---- The end -------------------------------------------------------------------------------- */

static int cmd_poweroff(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return shell_usage("poweroff");
	console_flush();
	arch_exit(shell_status());
}

/* Takes the place of a driver's handler. */
static irqreturn_t panic_in_handler(int irq, void *dev_id)
{
	(void)dev_id;
	panic("asked for by the shell, in the handler of irq %d", irq);
}

static int panic_in_irq(const char *text)
{
	struct irq_desc *desc = shell_parse_irq(text);
	unsigned long flags;
	int err;

	if (!desc)
		return -EINVAL;
	if (!irq_desc_has_action(desc) || !strcmp(irq_flow_name(desc), "chained"))
		return shell_error(-EINVAL, "irq %s has no handler", text);
	flags = spin_lock_irqsave(&desc->lock);
	if (desc->action)
		desc->action->handler = panic_in_handler;
	spin_unlock_irqrestore(&desc->lock, flags);
	/* Not a replay, which a softirq makes: it would not show an interrupt's path. */
	err = irq_set_irqchip_state(desc->irq_data.irq, IRQCHIP_STATE_PENDING, true);
	if (err)
		shell_printf("irq %s cannot be made pending (%s): its next interrupt panics\n",
			     text, errname(err));
	return 0;
}

static int cmd_panic(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "irq"))
		return panic_in_irq(argv[2]);
	if (argc != 1)
		return shell_usage("panic");
	panic("asked for by the shell");
}

static int cmd_hang(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return shell_usage("hang");
	shell_printf("this CPU takes no more interrupts\n");
	console_flush();
	arch_local_irq_disable();
	for (;;)
		cpu_relax();
}

#define COMMAND(id, usage_, help_)							\
	static const struct shell_command id##_command = {				\
		.name = #id, .usage = usage_, .help = help_, .run = cmd_##id,		\
	};										\
	SHELL_COMMAND(id##_command)

COMMAND(cpus, "cpus [--json]", "the CPUs: logical number, hardware number, online or not");
COMMAND(mem, "mem [--json]", "memory managed, and free");
COMMAND(uptime, "uptime [--json]", "time since boot");
COMMAND(threads, "threads [--json]", "kernel threads");
COMMAND(help, "help [COMMAND] [--json]", "what commands there are, or how one is used");
COMMAND(poweroff, "poweroff", "end the machine in order");
COMMAND(panic, "panic [irq IRQ]", "end in a panic, here or in the handler of a line");
COMMAND(hang, "hang", "loop with interrupts off on this CPU, for the watchdog");
