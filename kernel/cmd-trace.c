/*
 * trace: records the stations that interrupts pass, and catches the path of one of them.
 *
 * `trace irq N --once` waits a moment for the device; if nothing comes it makes the interrupt
 * happen itself, which it mostly can: an interrupt is a pending bit, and a message is a memory
 * write. Where a controller's pending bits only follow the wires, the core replays the line's flow
 * (an edge) or refuses (a level, which only the device can raise).
 */
#include <kernel/interrupt.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <kernel/smp.h>
#include <kernel/time.h>
#include <kernel/trace.h>

#include <stdio.h>
#include <string.h>

#define OWN_ACCORD	(2 * NSEC_PER_SEC)	/* how long it may come by itself */
#define AFTER_CAUSE	(10 * NSEC_PER_SEC)	/* ... and after something that causes it */
#define SHOWN		40			/* events of `trace show` */

static bool is_caught(void *unused)
{
	(void)unused;
	return trace_caught();
}

/* Runs the command that provokes IRQ, and waits for the catcher. */
static int provoke(unsigned int irq, int argc, char **argv)
{
	char line[512];

	if (shell_join(line, sizeof(line), argc, argv))
		return -EINVAL;
	if (shell_run(line))
		return shell_error(-EIO, "trace: '%s' failed", argv[0]);
	switch (shell_wait(is_caught, NULL, AFTER_CAUSE)) {
	case 0:
		return 0;
	case -EINTR:
		return -EINTR;
	default:
		return shell_error(-ETIMEDOUT, "irq %u did not come while '%s' ran", irq, argv[0]);
	}
}

static int wait_or_inject(unsigned int irq)
{
	int err = shell_wait(is_caught, NULL, OWN_ACCORD);

	if (err != -ETIMEDOUT)
		return err;
	err = irq_inject_interrupt(irq);
	if (err)
		return shell_error(err, "irq %u did not come in 2 s and only its device can raise "
				   "it (%s): add a COMMAND that does", irq, errname(err));
	shell_printf("irq %u did not come in 2 s: injected it\n", irq);
	err = shell_wait(is_caught, NULL, AFTER_CAUSE);
	if (err == -ETIMEDOUT)
		return shell_error(err, "irq %u was injected but its handler did not run", irq);
	return err;
}

static void json_path(unsigned int irq)
{
	const struct trace_event *e;
	unsigned int cpu, n = trace_path(&e, &cpu);
	struct json *j = shell_json();
	char text[100];

	json_open(j, "{");
	json_key(j, "irq"), json_uint(j, irq);
	json_key(j, "cpu"), json_uint(j, cpu);
	json_key(j, "events"), json_open(j, "[");
	for (unsigned int i = 0; i < n; i++, e++) {
		json_open(j, "{");
		json_key(j, "station"), json_string(j, station_table[e->station].name);
		json_key(j, "symbol"), json_string(j, trace_symbol(e));
		json_key(j, "phase"), json_string(j, station_table[e->station].phase);
		json_key(j, "cycles"), json_uint(j, i ? e->stamp - e[-1].stamp : 0);
		json_key(j, "irq"), json_uint(j, e->irq);
		json_key(j, "detail"), json_string(j, trace_detail(text, sizeof(text), e));
		json_close(j, "}");
	}
	json_close(j, "]");
	json_close(j, "}");
}

static int trace_irq(int argc, char **argv)
{
	struct irq_desc *desc;
	u64 irq;
	int err;

	if (argc < 3 || shell_parse_u64(argv[2], "irq", &irq))
		return argc < 3 ? shell_usage("trace") : -EINVAL;
	if (argc < 4 || strcmp(argv[3], "--once"))
		return shell_usage("trace");
	desc = irq < NR_IRQS ? irq_to_desc(irq) : NULL;
	if (!desc || !irq_desc_has_action(desc))
		return shell_error(-EINVAL, "irq %s has no handler; 'irqs' lists those with one",
				   argv[2]);
	err = trace_arm(irq);
	if (err)
		return shell_error(err, "trace: another path is being caught");
	err = argc > 4 ? provoke(irq, argc - 4, argv + 4) : wait_or_inject(irq);
	trace_disarm();
	if (err)
		return err;
	devices_lock();
	if (shell_wants_json())
		json_path(irq);
	else
		trace_narrate();
	devices_unlock();
	return 0;
}

/* ---- The rings ------------------------------------------------------------------------------ */

/* Some events of a ring; it may still be written. */
struct part {
	u64 from;			/* the first one wanted; then the first one that is here */
	u64 begin, oldest, head;	/* of the ring, when they were copied */
	unsigned int count;
	struct trace_event event[64];
};

/* Irq context, on the ring's CPU, which writes nothing meanwhile. */
static void copy_part(void *arg)
{
	const struct trace_ring *ring = this_cpu()->trace;
	struct part *part = arg;

	part->begin = ring->begin;
	part->oldest = trace_oldest(ring);
	part->head = ring->head;
	part->from = max(part->from, part->oldest);
	part->count = 0;
	for (u64 n = part->from; n < ring->head && part->count < ARRAY_SIZE(part->event); n++)
		part->event[part->count++] = ring->event[n & ring->mask];
}

static void json_event(const struct trace_event *e, u64 cycles)
{
	struct json *j = shell_json();
	char text[100];

	json_open(j, "{");
	json_key(j, "station"), json_string(j, station_table[e->station].name);
	json_key(j, "symbol"), json_string(j, trace_symbol(e));
	json_key(j, "ns"), json_uint(j, ktime_of(e->time));
	json_key(j, "cycles"), json_uint(j, cycles);
	json_key(j, "irq"), json_uint(j, e->irq);
	json_key(j, "object"), json_string(j, trace_object(text, sizeof(text), e));
	json_key(j, "a"), json_stringf(j, "%#lx", e->a);
	json_key(j, "b"), json_stringf(j, "%#lx", e->b);
	json_key(j, "detail"), json_string(j, trace_detail(text, sizeof(text), e));
	json_close(j, "}");
}

static void show_event(unsigned int cpu, const struct trace_event *e, u64 cycles)
{
	char text[100];

	if (shell_wants_json())
		json_event(e, cycles);
	else
		shell_printf("%3u %10llu  %-8s %-25s %s\n", cpu, (unsigned long long)cycles,
			     station_table[e->station].name, trace_symbol(e),
			     trace_detail(text, sizeof(text), e));
}

/* "cpu 0: 300 events, the oldest 44 of them lost", or the beginning of its object. */
static void show_heading(unsigned int cpu, const struct part *part)
{
	u64 written = part->head - part->begin, lost = part->oldest - part->begin;
	struct json *j = shell_json();

	if (shell_wants_json()) {
		json_open(j, "{");
		json_key(j, "cpu"), json_uint(j, cpu);
		json_key(j, "written"), json_uint(j, written);
		json_key(j, "lost"), json_uint(j, lost);
		json_key(j, "events"), json_open(j, "[");
		return;
	}
	shell_printf("cpu %u: %llu events", cpu, (unsigned long long)written);
	if (lost)
		shell_printf(", the oldest %llu of them lost", (unsigned long long)lost);
	shell_printf("\n");
	if (written)
		shell_printf("cpu     cycles  %-8s %-25s %s\n", "station", "function",
			     "what happens there");
}

/* The newest COUNT events of a CPU, oldest first. PART holds what the heading told. */
static void show_ring(unsigned int cpu, struct part *part, u64 count)
{
	u64 end = part->head, before = 0;

	show_heading(cpu, part);
	part->from = end - min(count, end - part->oldest);
	while (part->from < end && !smp_call_function_single(cpu, copy_part, part)) {
		for (unsigned int i = 0; i < part->count && part->from + i < end; i++) {
			const struct trace_event *e = &part->event[i];

			show_event(cpu, e, before ? e->stamp - before : 0);
			before = e->stamp;
		}
		part->from += max(part->count, 1U);
	}
	if (shell_wants_json()) {
		json_close(shell_json(), "]");
		json_close(shell_json(), "}");
	}
}

static void show_rings(struct part *part, u64 count)
{
	unsigned int cpu;

	if (shell_wants_json())
		json_open(shell_json(), "[");
	for_each_online_cpu(cpu) {
		part->from = ~0ULL;	/* only the ring's positions */
		if (cpus[cpu].trace && !smp_call_function_single(cpu, copy_part, part))
			show_ring(cpu, part, count);
	}
	if (shell_wants_json())
		json_close(shell_json(), "]");
}

static int trace_show(int argc, char **argv)
{
	struct part *part;
	u64 count = SHOWN;

	if (argc > 3)
		return shell_usage("trace");
	if (argc == 3 && !strcmp(argv[2], "all"))
		count = ~0ULL;
	else if (argc == 3 && shell_parse_u64(argv[2], "count", &count))
		return -EINVAL;
	part = kmalloc(sizeof(*part));
	if (!part)
		return shell_error(-ENOMEM, "trace: no memory for a copy of a ring's events");
	devices_lock();
	show_rings(part, count);
	devices_unlock();
	kfree(part);
	return 0;
}

static int cmd_trace(int argc, char **argv)
{
	if (argc >= 2 && !strcmp(argv[1], "irq"))
		return trace_irq(argc, argv);
	if (argc >= 2 && !strcmp(argv[1], "show"))
		return trace_show(argc, argv);
	if (argc != 2 || (strcmp(argv[1], "on") && strcmp(argv[1], "off")))
		return shell_usage("trace");
	trace_all(!strcmp(argv[1], "on"));
	return 0;
}

static const struct shell_command trace_command = {
	.name = "trace",
	.usage = "trace irq N --once [COMMAND…] [--json]\n"
		 "trace on\n"
		 "trace off\n"
		 "trace show [COUNT | all] [--json]",
	.help = "follow one interrupt from its device to its handler; record all of them",
	.run = cmd_trace,
};
SHELL_COMMAND(trace_command);
