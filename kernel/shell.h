/*
 * The shell: a table of commands, an output that is text or one line of JSON, line editing.
 * A command runs in the shell's thread; it polls console_interrupted() between steps.
 */
#ifndef KERNEL_SHELL_H
#define KERNEL_SHELL_H

#include <kernel/driver.h>
#include <lib/json.h>

#define SHELL_MAX_ARGS	16

struct shell_command {
	const char *name;		/* "blk", unique */
	const char *usage;		/* "blk info\nblk sum LBA COUNT", a form a line */
	const char *help;		/* one sentence */
	/* ARGV[0] is the name; --json was taken out, shell_wants_json() tells. 0; a negative errno
	 * after shell_error(), or with nothing said (then the shell prints errname); or 1: it
	 * failed, and its output says how. */
	int (*run)(int argc, char **argv);
	bool holds_devices;		/* runs under devices_lock(): it walks devices or irqs */
};

/* True when the running command was given --json: it prints one document to shell_json(). */
bool shell_wants_json(void);
/* The document's writer; the shell ends the line. */
struct json *shell_json(void);
/* Text output of the running command. */
void shell_printf(const char *fmt, ...) __printf(1, 2);
/* "error: …", or {"error": …} with --json; returns ERR so that a command can return it. */
int shell_error(int err, const char *fmt, ...) __printf(2, 3);
/* Strict numbers: decimal or 0x…; 0 or -EINVAL after shell_error() that names WHAT. */
int shell_parse_u64(const char *text, const char *what, u64 *value);
/* Takes NAME out of argv if present; true if it was. */
bool shell_take_flag(int *argc, char **argv, const char *name);
/* Takes "NAME VALUE" out of argv if present: 1 taken, 0 absent, -EINVAL (said). */
int shell_take_option(int *argc, char **argv, const char *name, u64 *value);
/* Sleeps in slices until FN(ARG) is true: 0, -ETIMEDOUT, or -EINTR after Ctrl-C. */
int shell_wait(bool (*fn)(void *arg), void *arg, u64 timeout_ns);

/* -EINVAL, after shell_error() that shows how the command is used. */
int shell_usage(const char *command);
/* Its second form and on, each on a line that begins at that column. */
void shell_more_forms(const struct shell_command *cmd, int column);
int shell_unknown(const char *command);	/* -ENOENT, said */
/* Sets ARGV (SHELL_MAX_ARGS + 1 slots) to the words of the next command of *LINE, in place: how
 * many, or -EINVAL (said). */
int shell_split(char **line, char **argv);

/* The reverse: a LINE of SIZE bytes that splits into these words. 0, or -EINVAL (said). */
int shell_join(char *line, size_t size, int argc, char **argv);

/* Runs one command line ("a; b"): the number of commands that failed. Shell thread. */
int shell_run(const char *line);
/* Runs one command with --json and nothing on the console, its document (without newline) into
 * BUF. 0, or what the command returned; -ERANGE if BUF is too small. Shell thread. */
int shell_capture(const char *line, char *buf, size_t size);
/* What the machine ends with: 1 if a command of CMD has failed, else 0. */
int shell_status(void);
/* All commands in the order of their names: PREV NULL gives the first; NULL at the end. */
const struct shell_command *shell_next_command(const struct shell_command *prev);
/* What `make run` shows; itself made of commands. 0, or 1 if one failed. */
int demo_run(void);
/* The words that could stand at WORD_START of LINE: what <kernel/lineedit.h> asks for. */
void shell_complete(const char *line, size_t word_start,
		    void (*found)(void *arg, const char *word), void *arg);
/* Demonstration, CMD, prompt, power-off, as the boot arguments say. Its own thread. */
int shell_main(void *unused);

#endif
