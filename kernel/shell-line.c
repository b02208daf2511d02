/*
 * What the shell and its commands do with words: splitting a line, taking options out of an
 * argument vector, reading numbers, and finding what a half-typed word could become.
 *
 * Completion needs no table of its own: a command's usage text says which words it knows.
 * "blk info", "blk sum LBA COUNT [--disk N]" offer info and sum as second words, --disk anywhere,
 * and the names of all commands where it says COMMAND.
 */
#include <kernel/lineedit.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <kernel/thread.h>
#include <lib/errno.h>

#include <ctype.h>
#include <string.h>

/* ---- Splitting ------------------------------------------------------------------------------ */

/*
 * Moves one word from *IN to *OUT, which may overlap as words only shrink, and takes its
 * delimiter. Returns the delimiter ('\0', ';' or a blank), or -EINVAL for an open quote.
 */
static int take_word(char **in, char **out)
{
	char quote = 0, *from = *in, *to = *out, c;

	for (; (c = *from) != '\0'; from++) {
		if (!quote && (isspace((u8)c) || c == ';'))
			break;
		if (c == '\\' && quote != '\'' && from[1])
			*to++ = *++from;
		else if (quote ? c == quote : c == '"' || c == '\'')
			quote = quote ? 0 : c;
		else
			*to++ = c;
	}
	*in = c ? from + 1 : from;
	*to++ = '\0';
	*out = to;
	return quote ? -EINVAL : c;
}

int shell_split(char **line, char **argv)
{
	char *in = *line, *out = in;
	int argc = 0, end = ' ';

	while (end && end != ';') {
		while (isspace((u8)*in))
			in++;
		if (!*in || *in == ';') {
			in += *in == ';';
			break;
		}
		if (argc == SHELL_MAX_ARGS)
			return shell_error(-EINVAL, "more than %d words", SHELL_MAX_ARGS);
		argv[argc++] = out;
		end = take_word(&in, &out);
		if (end < 0)
			return shell_error(-EINVAL, "a quote is not closed: %s", argv[argc - 1]);
	}
	argv[argc] = NULL;
	*line = in;
	return argc;
}

int shell_join(char *line, size_t size, int argc, char **argv)
{
	size_t len = 0;

	for (int i = 0; i < argc; i++) {
		if (len + 2 * strlen(argv[i]) + 4 > size)
			return shell_error(-EINVAL, "the command is too long");
		line[len++] = '"';
		for (const char *p = argv[i]; *p; p++) {
			if (*p == '"' || *p == '\\')
				line[len++] = '\\';
			line[len++] = *p;
		}
		line[len++] = '"';
		line[len++] = ' ';
	}
	line[len] = '\0';
	return 0;
}

/* ---- Arguments ------------------------------------------------------------------------------ */

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

int shell_parse_u64(const char *text, const char *what, u64 *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned int base = hex ? 16 : 10;
	const char *p = hex ? text + 2 : text;
	u64 sum = 0;

	do {
		unsigned int digit = digit_value(*p);

		if (digit >= base)
			return shell_error(-EINVAL, "%s '%s' is not a number", what, text);
		if (sum > (~0ULL - digit) / base)
			return shell_error(-EINVAL, "%s '%s' is too large", what, text);
		sum = sum * base + digit;
	} while (*++p);
	*value = sum;
	return 0;
}

static void remove_words(int *argc, char **argv, int from, int count)
{
	memmove(&argv[from], &argv[from + count], (*argc - from - count + 1) * sizeof(*argv));
	*argc -= count;
}

bool shell_take_flag(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++)
		if (!strcmp(argv[i], name)) {
			remove_words(argc, argv, i, 1);
			return true;
		}
	return false;
}

int shell_take_option(int *argc, char **argv, const char *name, u64 *value)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], name))
			continue;
		if (i + 1 == *argc)
			return shell_error(-EINVAL, "%s needs a number", name);
		if (shell_parse_u64(argv[i + 1], name, value))
			return -EINVAL;
		remove_words(argc, argv, i, 2);
		return 1;
	}
	return 0;
}

void shell_more_forms(const struct shell_command *cmd, int column)
{
	const char *form = cmd->usage;

	while ((form = strchr(form, '\n'))) {
		form++;
		shell_printf("%*s%.*s\n", column, "", (int)strcspn(form, "\n"), form);
	}
}

int shell_usage(const char *command)
{
	const struct shell_command *cmd = NULL;

	while ((cmd = shell_next_command(cmd))) {
		if (strcmp(cmd->name, command))
			continue;
		if (shell_wants_json())
			return shell_error(-EINVAL, "usage: %s", cmd->usage);
		shell_error(-EINVAL, "usage: %.*s", (int)strcspn(cmd->usage, "\n"), cmd->usage);
		shell_more_forms(cmd, strlen("error: usage: "));
	}
	return -EINVAL;
}

int shell_wait(bool (*fn)(void *arg), void *arg, u64 timeout_ns)
{
	u64 deadline = ktime_get_ns() + timeout_ns;

	while (!fn(arg)) {
		if (console_interrupted())
			return -EINTR;
		if (ktime_get_ns() >= deadline)
			return -ETIMEDOUT;
		msleep(1);
	}
	return 0;
}

/* ---- Completion ----------------------------------------------------------------------------- */

typedef void (*found_fn)(void *arg, const char *word);

static void command_names(found_fn found, void *arg)
{
	const struct shell_command *cmd = NULL;

	while ((cmd = shell_next_command(cmd)))
		found(arg, cmd->name);
}

/*
 * One word of a usage text, LENGTH bytes of it. SECOND: what is looked for is the word after the
 * command; FIRST: this one stands there.
 */
static void usage_word(const char *text, size_t length, bool second, bool first, found_fn found,
		       void *arg)
{
	char word[32];

	if (!length || length >= sizeof(word))
		return;
	memcpy(word, text, length);
	word[length] = '\0';
	if (!strncmp(word, "--", 2) || (second && first && islower((u8)word[0])))
		found(arg, word);
	else if (second == first && (!strcmp(word, "COMMAND") || !strcmp(word, "COMMAND…")))
		command_names(found, arg);
}

static void usage_words(const struct shell_command *cmd, bool second, found_fn found, void *arg)
{
	const char *p = cmd->usage;
	bool first_of_form = false;

	for (;;) {
		size_t length = strcspn(p, " []|\n");
		bool is_name = length == strlen(cmd->name) && !strncmp(p, cmd->name, length);

		if (!is_name)
			usage_word(p, length, second, first_of_form, found, arg);
		if (length)
			first_of_form = is_name;
		p += length;
		if (!*p)
			return;
		first_of_form |= *p++ == '|';
	}
}

void shell_complete(const char *line, size_t word_start, found_fn found, void *arg)
{
	size_t begin = word_start, end, len;
	bool second;
	const struct shell_command *cmd = NULL;

	while (begin && line[begin - 1] != ';')
		begin--;
	begin += strspn(line + begin, " ");
	if (begin >= word_start) {
		command_names(found, arg);
		return;
	}
	end = begin + strcspn(line + begin, " ");
	len = end - begin;
	second = end + strspn(line + end, " ") >= word_start;
	while ((cmd = shell_next_command(cmd)))
		if (strlen(cmd->name) == len && !strncmp(cmd->name, line + begin, len))
			usage_words(cmd, second, found, arg);
}
