/*
 * What `make run` shows: who controls interrupts here, which devices send them, what a message
 * looks like, that a disk really works by them, and the path of one of them.
 *
 * The demonstration consists of shell commands, each under a sentence that says what to look at.
 * It is in the kernel and knows no driver: what it must know about the disk it asks the commands.
 */
#include <kernel/irq.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <lib/crc32.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR		512
#define VERIFIED	8		/* sectors */
#define NARRATED	128		/* enough for the reader to fall asleep */
#define CRC_SIZE	16

static void say(const char *text)
{
	char line[128];

	console_write(line, snprintf(line, sizeof(line), "\n# %s\n", text));
}

/* Shows the command as if it had been typed, and runs it. */
static int show(const char *line)
{
	char echo[128];

	console_write(echo, snprintf(echo, sizeof(echo), "> %s\n", line));
	return shell_run(line);
}

/* The value of KEY in a document, as text without quotes, into BUF; false if it is not there. */
static bool json_value(const char *doc, const char *key, char *buf, size_t size)
{
	char pattern[32];
	const char *p;
	size_t len;

	snprintf(pattern, sizeof(pattern), "\"%s\":", key);
	p = strstr(doc, pattern);
	if (!p)
		return false;
	p += strlen(pattern);
	p += *p == '"';
	len = strcspn(p, "\",}]");
	snprintf(buf, size, "%.*s", (int)len, p);
	return true;
}

/* The CRC-32 of the first sectors as tools/run writes them: each is its number, over and over. */
static u32 fresh_disk_crc(unsigned int sectors)
{
	u32 crc = 0;

	for (u64 n = 0; n < sectors; n++)
		for (unsigned int i = 0; i < SECTOR / sizeof(n); i++)
			crc = crc32(crc, &n, sizeof(n));
	return crc;
}

static bool read_crc(const char *line, char crc[CRC_SIZE])
{
	char doc[128];

	return !shell_capture(line, doc, sizeof(doc)) && json_value(doc, "crc32", crc, CRC_SIZE);
}

/* Reads the disk twice and says what that proves. */
static int verified_read(unsigned int sectors)
{
	char line[40], first[CRC_SIZE], second[CRC_SIZE];

	snprintf(line, sizeof(line), "blk sum 0 %u", sectors);
	if (show(line))
		return 1;
	if (!read_crc(line, first))
		return 1;
	snprintf(second, sizeof(second), "%08x", fresh_disk_crc(sectors));
	if (!strcmp(first, second)) {
		printk("verified: each sector holds its own number, as on a fresh disk\n");
		return 0;
	}
	if (!read_crc(line, second))
		return 1;
	if (strcmp(first, second)) {
		pr_err("two reads of the same sectors differ: %s, %s", first, second);
		return 1;
	}
	printk("verified: two reads agree\n");
	return 0;
}

static unsigned int total_count(unsigned int irq)
{
	const struct irq_desc *desc = irq_to_desc(irq);
	unsigned int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += desc ? desc->kstat_irqs[cpu] : 0;
	return sum;
}

/* The line that LINE makes interrupt, found by its count; 0: none. */
static unsigned int irq_used_by(const char *line)
{
	unsigned int *before = kcalloc(NR_IRQS, sizeof(*before)), irq, used = 0;
	char doc[128];

	if (!before)
		return 0;
	console_flush();		/* else it might be the console's */
	for_each_irq(irq)
		before[irq] = total_count(irq);
	if (!shell_capture(line, doc, sizeof(doc)))
		for_each_irq(irq)
			if (!used && !irqd_is_per_cpu(irq_get_irq_data(irq)) &&
			    total_count(irq) != before[irq])
				used = irq;
	kfree(before);
	return used;
}

static int narrate_read(unsigned int sectors)
{
	char read[40], line[80], doc[16];
	unsigned int irq;

	snprintf(read, sizeof(read), "blk sum 0 %u", sectors);
	irq = irq_used_by(read);
	if (!irq) {
		pr_err("the disk was read, but no interrupt was counted");
		return 1;
	}
	snprintf(line, sizeof(line), "trace irq %u --once %s", irq, read);
	shell_capture(line, doc, sizeof(doc));	/* so that what is shown ran once before */
	say("One interrupt, followed from the disk to its driver and back.");
	return show(line);
}

/* How the disk interrupts: by messages, or by a wire. */
static int show_sender(const char *bdf)
{
	char *doc = kmalloc(4096), mode[8] = "", line[40];
	bool wire;

	snprintf(line, sizeof(line), "msi %s", bdf);
	wire = doc && !shell_capture(line, doc, 4096) &&
	       json_value(doc, "mode", mode, sizeof(mode)) && !strcmp(mode, "intx");
	kfree(doc);
	if (wire) {
		say("The disk sends no messages: it raises a wire, INTx, which others may share.");
		return show("irqs");
	}
	say("What the disk sends: each row is a memory write that becomes an irq.");
	return show(line);
}

static int show_disk(void)
{
	char *doc = kmalloc(4096), bdf[16], text[24];
	int failed = 0, err = doc ? shell_capture("blk info", doc, 4096) : -ENOMEM;

	if (err || !json_value(doc, "bdf", bdf, sizeof(bdf)) ||
	    !json_value(doc, "sectors", text, sizeof(text)) || !strtoull(text, NULL, 10)) {
		say("There is no disk to read. With one (DISK=), its interrupts are shown here.");
	} else {
		unsigned long long sectors = strtoull(text, NULL, 10);

		failed |= show_sender(bdf);
		say("A read of the disk; the reader sleeps until the disk interrupts.");
		failed |= verified_read(min(sectors, VERIFIED + 0ULL));
		failed |= narrate_read(min(sectors, NARRATED + 0ULL));
	}
	kfree(doc);
	return failed;
}

int demo_run(void)
{
	int failed = 0;

	say("The interrupt controllers, as the device tree describes them.");
	failed |= show("domains");
	say("The PCI bus: who could interrupt.");
	failed |= show("lspci");
	failed |= show_disk();
	say("'help' lists the commands; 'irqs' shows every line and how often it came.");
	return failed ? 1 : 0;
}
