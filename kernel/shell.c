/*
 * The shell: splits lines into commands, runs them, and is the only way their output takes.
 *
 *	line "a x; b --json"  ->  argv  ->  struct run  ->  command->run()
 *	                                       |
 *	                text, whole lines  <---+--->  one JSON document, written at once
 *
 * A run knows the run it was started from: `trace irq 9 --once blk sum 0 8` and the demonstration
 * run commands themselves. What a JSON command runs inside itself stays silent.
 */
#include <kernel/arch.h>
#include <kernel/lineedit.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <kernel/time.h>
#include <lib/errno.h>

#include <stdio.h>
#include <string.h>

#define TEXT_SIZE	256
#define CMDLINE_SIZE	4096

struct run {
	struct run *outer;
	bool json, silent;		/* silent: nothing goes to the console */
	bool said_error, no_memory;
	struct json writer;
	char *doc;			/* the JSON document so far */
	size_t len, room;
	char text[TEXT_SIZE];		/* text that has no newline yet */
	size_t text_len;
};

DECLARE_TABLE(shell_command, const struct shell_command);

static struct run *current;
static bool counting;			/* the commands now running are those of CMD */
static int failures;

/* ---- Output --------------------------------------------------------------------------------- */

static void flush_text(struct run *r)
{
	if (!r->silent)
		console_write(r->text, r->text_len);
	r->text_len = 0;
}

/* Passes whole lines on, so that the log cannot cut one in two. */
static void put_text(struct run *r, const char *text, size_t len)
{
	while (len--) {
		r->text[r->text_len++] = *text;
		if (*text++ == '\n' || r->text_len == TEXT_SIZE)
			flush_text(r);
	}
}

void shell_printf(const char *fmt, ...)
{
	char text[TEXT_SIZE], *longer = NULL;
	va_list args;
	int n;

	if (!current || current->json)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n >= (int)sizeof(text))
		longer = kmalloc(n + 1);
	if (longer) {
		va_start(args, fmt);
		vsnprintf(longer, n + 1, fmt, args);
		va_end(args);
	}
	put_text(current, longer ? longer : text, longer ? (size_t)n : strlen(text));
	kfree(longer);
}

static void put_doc(void *arg, const char *text, size_t len)
{
	struct run *r = arg;

	if (r->len + len >= r->room) {
		size_t room = 2 * r->room + len + 512;
		char *doc = kmalloc(room);

		if (!doc) {
			r->no_memory = true;
			return;
		}
		if (r->len)
			memcpy(doc, r->doc, r->len);
		kfree(r->doc);
		r->doc = doc;
		r->room = room;
	}
	memcpy(r->doc + r->len, text, len);
	r->len += len;
}

bool shell_wants_json(void)
{
	return current && current->json;
}

struct json *shell_json(void)
{
	return &current->writer;
}

int shell_error(int err, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!current) {
		pr_err("%s", text);
		return err;
	}
	current->said_error = true;
	if (!current->json) {
		if (current->text_len)
			shell_printf("\n");
		shell_printf("error: %s\n", text);
		return err;
	}
	current->len = 0;
	json_init(&current->writer, put_doc, current);
	json_open(&current->writer, "{");
	json_key(&current->writer, "error");
	json_string(&current->writer, text);
	json_close(&current->writer, "}");
	return err;
}

/* ---- Running one command -------------------------------------------------------------------- */

const struct shell_command *shell_next_command(const struct shell_command *prev)
{
	const struct shell_command *next = NULL;

	for_each_table(pos, shell_command, const struct shell_command)
		if ((!prev || strcmp((*pos)->name, prev->name) > 0) &&
		    (!next || strcmp((*pos)->name, next->name) < 0))
			next = *pos;
	return next;
}

static const struct shell_command *find_command(const char *name)
{
	for_each_table(pos, shell_command, const struct shell_command)
		if (!strcmp((*pos)->name, name))
			return *pos;
	return NULL;
}

int shell_unknown(const char *name)
{
	return shell_error(-ENOENT, "unknown command '%s'; 'help' lists them all", name);
}

static int dispatch(int argc, char **argv)
{
	const struct shell_command *cmd = find_command(argv[0]);
	int err;

	if (!cmd)
		return shell_unknown(argv[0]);
	if (cmd->holds_devices)
		devices_lock();
	err = cmd->run(argc, argv);
	if (cmd->holds_devices)
		devices_unlock();
	if (current->said_error)
		return err < 0 ? err : -EIO;
	if (err == -EINTR)
		return shell_error(err, "%s: interrupted", argv[0]);
	return err < 0 ? shell_error(err, "%s: %s", argv[0], errname(err)) : err;
}

/* Runs a command with R prepared by the caller; the document is left in R. */
static int run_in(struct run *r, int argc, char **argv)
{
	int err;

	while (shell_take_flag(&argc, argv, "--json"))
		r->json = true;
	json_init(&r->writer, put_doc, r);
	r->outer = current;
	r->silent |= r->outer && (r->outer->json || r->outer->silent);
	current = r;
	err = dispatch(argc, argv);
	if (r->no_memory)
		err = shell_error(-ENOMEM, "out of memory");
	else if (r->json && !r->len)
		put_doc(r, "{}", 2);
	if (r->text_len)
		shell_printf("\n");
	current = r->outer;
	return err;
}

static int run_one(int argc, char **argv)
{
	struct run r = { 0 };
	int err;

	err = run_in(&r, argc, argv);
	if (r.json && !r.silent && r.len) {
		put_doc(&r, "\n", 1);
		console_write(r.doc, r.len);
	}
	kfree(r.doc);
	return err;
}

/* ---- Lines ---------------------------------------------------------------------------------- */

int shell_run(const char *line)
{
	char *copy = kstrdup(line), *rest = copy, *argv[SHELL_MAX_ARGS + 1];
	int failed = 0;

	if (!copy)
		return shell_error(1, "out of memory for a line of %zu bytes", strlen(line));
	while (*rest) {
		int argc = shell_split(&rest, argv);
		int err = argc > 0 ? run_one(argc, argv) : argc;

		failed += err != 0;
		failures += err && counting && !current;
		if (argc < 0 || err == -EINTR || (!current && console_interrupted()))
			break;
	}
	kfree(copy);
	return failed;
}

int shell_capture(const char *line, char *buf, size_t size)
{
	char *copy = kstrdup(line), *rest = copy, *argv[SHELL_MAX_ARGS + 1];
	struct run r = { .json = true, .silent = true };
	int argc, err;

	if (!copy)
		return -ENOMEM;
	argc = shell_split(&rest, argv);
	err = argc > 0 ? run_in(&r, argc, argv) : -EINVAL;
	snprintf(buf, size, "%.*s", (int)r.len, r.doc ? r.doc : "");
	if (!err && r.len >= size)
		err = -ERANGE;
	kfree(r.doc);
	kfree(copy);
	return err;
}

/* ---- The thread ----------------------------------------------------------------------------- */

int shell_status(void)
{
	return failures ? 1 : 0;
}

static void __noreturn prompt(void)
{
	static char line[LINE_SIZE];

	for (;;)
		if (lineedit_read("cascade> ", line, shell_complete) > 0)
			shell_run(line);
}

int shell_main(void *unused)
{
	static char line[CMDLINE_SIZE];

	(void)unused;
	counting = true;
	if (boot_arg("cmd", line, sizeof(line)))
		shell_run(line);
	else
		failures += demo_run();
	counting = false;
	if (boot_arg("interactive", line, sizeof(line)))
		prompt();
	console_flush();
	arch_exit(shell_status());
}
