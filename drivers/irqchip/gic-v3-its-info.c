/*
 * ITS, what it tells about itself: the shell's command `its`, and the invariants that must hold
 * between its devices, their events, the lines, and the LPIs that are given.
 *
 * The counts are the kernel's own, of what it wrote into the queue; QEMU's gicv3_its_cmd_* events
 * are what the hardware has read. The queue itself is the log: it holds the last 2048 commands.
 */
#include <drivers/irqchip/gic-v3.h>
#include <drivers/irqchip/gic-v3-its.h>
#include <kernel/shell.h>
#include <stdio.h>
#include <string.h>

#define QUEUE_LENGTH	(ITS_QUEUE_SIZE / sizeof(struct its_command))
#define LOG_DEFAULT	32

/* ---- its ------------------------------------------------------------------------------------ */

static void text_its(const struct its *its)
{
	const struct its_device *dev;

	shell_printf("%s: messages go to %#llx; %u bits of device, %u of event; device table %s\n",
		     its->name, (unsigned long long)its->translater, its->device_bits,
		     its->event_bits, its->level1 ? "of two levels" : "flat");
	shell_printf("  commands sent:");
	for (unsigned int op = 0; op < ITS_NR_OPCODES; op++)
		if (its_opcode_name(op))
			shell_printf(" %s %llu", its_opcode_name(op),
				     (unsigned long long)its->sent[op]);
	shell_printf("\n");
	list_for_each_entry(dev, &its->devices, link)
		shell_printf("  device %04x: %u of %u events, LPIs %u to %u%s\n", dev->id,
			     bitmap_weight(dev->used, dev->nr_events), dev->nr_events,
			     dev->first_lpi, dev->first_lpi + dev->nr_events - 1,
			     dev->mapped ? "" : ", not mapped");
}

static void json_devices(const struct its *its)
{
	struct json *j = shell_json();
	const struct its_device *dev;

	json_key(j, "devices"), json_open(j, "[");
	list_for_each_entry(dev, &its->devices, link) {
		json_open(j, "{");
		json_key(j, "id"), json_stringf(j, "%04x", dev->id);
		json_key(j, "mapped"), json_bool(j, dev->mapped);
		json_key(j, "size"), json_uint(j, dev->nr_events);
		json_key(j, "events"), json_uint(j, bitmap_weight(dev->used, dev->nr_events));
		json_key(j, "lpi"), json_uint(j, dev->first_lpi);
		json_close(j, "}");
	}
	json_close(j, "]");
}

static void json_its(const struct its *its)
{
	struct json *j = shell_json();

	json_open(j, "{");
	json_key(j, "name"), json_string(j, its->name);
	json_key(j, "doorbell");
	json_stringf(j, "%#llx", (unsigned long long)its->translater);
	json_key(j, "device_bits"), json_uint(j, its->device_bits);
	json_key(j, "event_bits"), json_uint(j, its->event_bits);
	json_key(j, "two_level"), json_bool(j, its->level1);
	json_devices(its);
	json_close(j, "}");
}

/* Of all ITSes, as QEMU's trace does not tell them apart. */
static void json_commands(void)
{
	struct json *j = shell_json();

	json_key(j, "commands"), json_open(j, "{");
	for (unsigned int op = 0; op < ITS_NR_OPCODES; op++) {
		u64 sent = 0;

		if (!its_opcode_name(op))
			continue;
		for (const struct its *its = gic.its; its; its = its->next)
			sent += its->sent[op];
		json_key(j, its_opcode_name(op)), json_uint(j, sent);
	}
	json_close(j, "}");
}

static void show_all(void)
{
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("LPIs: %u of %u given\n", gic_lpis_given(), gic.nr_lpis);
	} else {
		json_open(j, "{");
		json_commands();
		json_key(j, "lpis"), json_open(j, "{");
		json_key(j, "size"), json_uint(j, gic.nr_lpis);
		json_key(j, "given"), json_uint(j, gic_lpis_given());
		json_close(j, "}");
		json_key(j, "its"), json_open(j, "[");
	}
	for (struct its *its = gic.its; its; its = its->next) {
		mutex_lock(&its->domain->root->mutex);
		(shell_wants_json() ? json_its : text_its)(its);
		mutex_unlock(&its->domain->root->mutex);
	}
	if (shell_wants_json()) {
		json_close(j, "]");
		json_close(j, "}");
	}
}

/* ---- its log -------------------------------------------------------------------------------- */

/* A command's fields, by the words that carry them. [GIC3 5.3] */
struct field {
	const char *name;
	u8 word, low, bits;
	u32 commands;		/* bit: opcode */
};

#define OF(op)		BIT(ITS_##op)
#define EVENT_COMMANDS	(OF(MAPTI) | OF(MOVI) | OF(INT) | OF(CLEAR) | OF(INV) | OF(DISCARD))

static const struct field fields[] = {
	{ "device", 0, 32, 32, EVENT_COMMANDS | OF(MAPD) },
	{ "event", 1, 0, 32, EVENT_COMMANDS },
	{ "lpi", 1, 32, 32, OF(MAPTI) },
	{ "bits", 1, 0, 5, OF(MAPD) },
	{ "collection", 2, 0, 16, OF(MAPTI) | OF(MOVI) | OF(MAPC) | OF(INVALL) },
	{ "target", 2, 16, 36, OF(MAPC) | OF(SYNC) },
	{ "valid", 2, 63, 1, OF(MAPD) | OF(MAPC) },
};

static void show_command(const struct its_command *command)
{
	unsigned int op = le64_to_cpu(command->word[0]) & 0xff;
	const char *name = its_opcode_name(op) ? its_opcode_name(op) : "?";
	struct json *j = shell_json();

	if (shell_wants_json()) {
		json_open(j, "{");
		json_key(j, "command"), json_string(j, name);
	} else {
		shell_printf("%-8s", name);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		u64 word = le64_to_cpu(command->word[f->word]);
		u64 value = word >> f->low & (BIT(f->bits) - 1);

		if (op >= ITS_NR_OPCODES || !(f->commands & BIT(op)))
			continue;
		if (shell_wants_json())
			json_key(j, f->name), json_uint(j, value);
		else
			shell_printf(" %s %llu", f->name, (unsigned long long)value);
	}
	if (shell_wants_json())
		json_close(j, "}");
	else
		shell_printf("\n");
}

u64 its_commands_sent(const struct its *its)
{
	u64 total = 0;

	for (unsigned int op = 0; op < ITS_NR_OPCODES; op++)
		total += its->sent[op];
	return total;
}

/* The Nth command ever; false if the queue no longer holds it. */
static bool read_command(struct its *its, u64 n, struct its_command *out)
{
	unsigned long flags = spin_lock_irqsave(&its->lock);
	u64 total = its_commands_sent(its);
	bool held = n < total && total - n < QUEUE_LENGTH;

	*out = its->queue[n % QUEUE_LENGTH];
	spin_unlock_irqrestore(&its->lock, flags);
	return held;
}

static void show_log(u64 count)
{
	struct its_command command;

	if (shell_wants_json())
		json_open(shell_json(), "[");
	for (struct its *its = gic.its; its; its = its->next) {
		u64 end = its_commands_sent(its), n = end > count ? end - count : 0;

		if (!shell_wants_json() && gic.its->next)
			shell_printf("%s:\n", its->name);
		for (; n < end; n++)
			if (read_command(its, n, &command))
				show_command(&command);
	}
	if (shell_wants_json())
		json_close(shell_json(), "]");
}

static int cmd_its(int argc, char **argv)
{
	u64 count = LOG_DEFAULT;

	if (!gic.its)
		return shell_error(-ENODEV, "this machine has no ITS");
	if (argc == 1) {
		show_all();
		return 0;
	}
	if (argc > 3 || strcmp(argv[1], "log"))
		return shell_usage("its");
	if (argc == 3 && shell_parse_u64(argv[2], "count", &count))
		return -EINVAL;
	show_log(count);
	return 0;
}

static const struct shell_command its_command = {
	.name = "its",
	.usage = "its [--json]\nits log [COUNT] [--json]",
	.help = "the GIC's translation of messages: devices, LPIs, commands sent",
	.run = cmd_its,
};
SHELL_COMMAND(its_command);

/* ---- Invariants ----------------------------------------------------------------------------- */

static const char *event_fault(const struct its_device *dev, unsigned int event)
{
	unsigned int lpi = dev->first_lpi + event;
	struct irq_data *line = irq_domain_lookup(dev->its->domain, lpi);

	if (!gic_lpi_is_given(lpi))
		return "has an LPI that is free";
	if (!test_bit(event, dev->used))
		return line ? "is free, but has a line"
			    : gic_lpi_is_enabled(lpi) ? "is free, but enabled" : NULL;
	if (!line || line->chip_data != dev)
		return line ? "has the line of another device" : "is used, but has no line";
	if (irqd_is_activated(line) &&
	    !cpumask_equal(irq_data_get_effective_affinity_mask(line),
			   cpumask_of(dev->event[event].cpu)))
		return "is mapped to another CPU than its line says";
	return NULL;
}

/* The number of LPIs of ITS's devices; *FAULTS counts. */
static unsigned int check_devices(struct its *its, unsigned int *faults,
				  void (*report)(void *arg, const char *text), void *arg)
{
	const struct its_device *dev;
	unsigned int lpis = 0;
	char text[96];

	list_for_each_entry(dev, &its->devices, link) {
		lpis += dev->nr_events;
		for (unsigned int event = 0; event < dev->nr_events; event++) {
			const char *fault = event_fault(dev, event);

			if (!fault)
				continue;
			snprintf(text, sizeof(text), "%s: device %04x event %u %s", its->name,
				 dev->id, event, fault);
			report(arg, text);
			++*faults;
		}
	}
	return lpis;
}

unsigned int its_check(void (*report)(void *arg, const char *text), void *arg)
{
	unsigned int lpis = 0, faults = 0;
	char text[96];

	for (struct its *its = gic.its; its; its = its->next) {
		mutex_lock(&its->domain->root->mutex);
		lpis += check_devices(its, &faults, report, arg);
		mutex_unlock(&its->domain->root->mutex);
	}
	if (lpis != gic_lpis_given()) {
		snprintf(text, sizeof(text), "its: %u LPIs are given, devices have %u",
			 gic_lpis_given(), lpis);
		report(arg, text);
		faults++;
	}
	return faults;
}
