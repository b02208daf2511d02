/*
 * Line editing on an 80-column terminal that understands CR, ESC [ K and ESC [ n C.
 *
 *	cascade> trace irq 9 --on|ce            the window scrolls when the line is longer
 *	         ^ start          ^ cursor
 *
 * Every change repaints the one screen line; the terminal is never asked anything, so that the
 * bytes sent depend only on the bytes typed.
 */
#include <kernel/lineedit.h>
#include <kernel/printk.h>
#include <kernel/thread.h>
#include <lib/errno.h>

#include <stdio.h>
#include <string.h>

#define COLUMNS		80
#define HISTORY		16
#define CTRL(c)		((c) & 31)
#define ESCAPE_WAIT	(5 * NSEC_PER_SEC)	/* for the rest of a key's sequence */

/* Keys that are not one character; the control characters stand for themselves. */
enum { KEY_NONE = 0, KEY_DELETE = 256, KEY_UP, KEY_DOWN, KEY_LEFT, KEY_RIGHT, KEY_HOME, KEY_END };

struct edit {
	const char *prompt;
	lineedit_words_fn words;
	char *buf;
	size_t len, cursor;
	size_t window;			/* first byte that is visible */
	unsigned int back;		/* how far up in the history; 0: the line being typed */
	char typed[LINE_SIZE];		/* that line, while another one is shown */
};

static char history[HISTORY][LINE_SIZE];
static unsigned int history_count;	/* lines ever added */

/* ---- Screen --------------------------------------------------------------------------------- */

static void put(const char *text)
{
	console_write(text, strlen(text));
}

static void repaint(struct edit *e)
{
	size_t room = COLUMNS - 1 - strlen(e->prompt), shown;
	char out[COLUMNS + 32];

	if (e->cursor < e->window)
		e->window = e->cursor;
	if (e->cursor > e->window + room)
		e->window = e->cursor - room;
	shown = min(room, e->len - e->window);
	snprintf(out, sizeof(out), "\r%s%.*s\033[K\r\033[%zuC", e->prompt, (int)shown,
		 e->buf + e->window, strlen(e->prompt) + e->cursor - e->window);
	put(out);
}

/* ---- Changes -------------------------------------------------------------------------------- */

static void erase(struct edit *e, size_t from, size_t to)
{
	memmove(e->buf + from, e->buf + to, e->len - to + 1);
	e->len -= to - from;
	e->cursor = from;
}

static void insert(struct edit *e, const char *text, size_t len)
{
	if (e->len + len >= LINE_SIZE) {
		put("\a");
		return;
	}
	memmove(e->buf + e->cursor + len, e->buf + e->cursor, e->len - e->cursor + 1);
	memcpy(e->buf + e->cursor, text, len);
	e->len += len;
	e->cursor += len;
}

static void replace(struct edit *e, const char *line)
{
	snprintf(e->buf, LINE_SIZE, "%s", line);
	e->len = e->cursor = strlen(e->buf);
}

static size_t word_before(const struct edit *e)
{
	size_t p = e->cursor;

	while (p && e->buf[p - 1] == ' ')
		p--;
	while (p && e->buf[p - 1] != ' ')
		p--;
	return p;
}

/* A character typed at the end of a line that fits is all the terminal must be sent. */
static bool insert_char(struct edit *e, char c)
{
	bool simple = e->cursor == e->len && !e->window &&
		      strlen(e->prompt) + e->len + 2 < COLUMNS;

	insert(e, &c, 1);
	if (simple)
		console_write(&c, 1);
	return simple;
}

/* ---- History -------------------------------------------------------------------------------- */

static char *history_line(unsigned int back)
{
	return history[(history_count - back) % HISTORY];
}

static void history_add(const char *line)
{
	if (!*line || (history_count && !strcmp(history_line(1), line)))
		return;
	strcpy(history[history_count++ % HISTORY], line);
}

static void history_move(struct edit *e, int step)
{
	unsigned int back = e->back + step;

	if (back > min(history_count, (unsigned int)HISTORY))
		return;			/* also below 0 */
	if (!e->back)
		strcpy(e->typed, e->buf);
	e->back = back;
	replace(e, back ? history_line(back) : e->typed);
}

/* ---- Completion ----------------------------------------------------------------------------- */

struct candidates {
	const char *prefix;
	size_t prefix_len;
	unsigned int count;
	char common[LINE_SIZE];		/* what all of them begin with */
	char list[LINE_SIZE];		/* " word  word ", each once */
};

static void candidate(void *arg, const char *word)
{
	struct candidates *c = arg;
	size_t len = strlen(c->list), n = 0;
	char entry[40];

	snprintf(entry, sizeof(entry), " %s ", word);
	if (strncmp(word, c->prefix, c->prefix_len) || strstr(c->list, entry))
		return;
	if (!c->count++)
		snprintf(c->common, sizeof(c->common), "%s", word);
	while (c->common[n] && c->common[n] == word[n])
		n++;
	c->common[n] = '\0';
	snprintf(c->list + len, sizeof(c->list) - len, "%s", entry);
}

static void complete_word(struct edit *e)
{
	struct candidates c = { 0 };
	char line[LINE_SIZE];
	size_t start = e->cursor;

	while (start && e->buf[start - 1] != ' ' && e->buf[start - 1] != ';')
		start--;
	snprintf(line, sizeof(line), "%.*s", (int)e->cursor, e->buf);
	c.prefix = line + start;
	c.prefix_len = e->cursor - start;
	e->words(line, start, candidate, &c);
	if (!c.count)
		return;
	insert(e, c.common + c.prefix_len, strlen(c.common) - c.prefix_len);
	if (c.count == 1) {
		insert(e, " ", 1);
	} else if (strlen(c.common) == c.prefix_len) {
		put("\n");
		put(c.list);
		put("\n");
	}
}

/* ---- Keys ----------------------------------------------------------------------------------- */

static const struct {
	char final, digit;		/* ESC [ final, or ESC [ digit ~ */
	int key;
} sequences[] = {
	{ 'A', 0, KEY_UP }, { 'B', 0, KEY_DOWN }, { 'C', 0, KEY_RIGHT }, { 'D', 0, KEY_LEFT },
	{ 'H', 0, KEY_HOME }, { 'F', 0, KEY_END }, { '~', '1', KEY_HOME }, { '~', '7', KEY_HOME },
	{ '~', '4', KEY_END }, { '~', '8', KEY_END }, { '~', '3', KEY_DELETE },
};

/* After ESC: the key, or KEY_NONE for a sequence that means nothing here. */
static int read_sequence(void)
{
	int c = console_getc(ktime_get_ns() + ESCAPE_WAIT);
	char digit = 0;

	if (c != '[' && c != 'O')
		return c < 0 ? KEY_NONE : c;
	for (unsigned int n = 0; n < 8; n++) {
		c = console_getc(ktime_get_ns() + ESCAPE_WAIT);
		if (c < 0 || c >= '@')
			break;
		digit = digit ? digit : c;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(sequences); i++)
		if (c == sequences[i].final && (!sequences[i].digit || digit == sequences[i].digit))
			return sequences[i].key;
	return KEY_NONE;
}

static int read_key(void)
{
	int c = console_getc(TIME_NEVER);

	return c == '\033' ? read_sequence() : c;
}

static void move_or_erase(struct edit *e, int key)
{
	switch (key) {
	case CTRL('A'): case KEY_HOME: e->cursor = 0; break;
	case CTRL('E'): case KEY_END: e->cursor = e->len; break;
	case CTRL('B'): case KEY_LEFT: e->cursor -= e->cursor > 0; break;
	case CTRL('F'): case KEY_RIGHT: e->cursor += e->cursor < e->len; break;
	case CTRL('P'): case KEY_UP: history_move(e, 1); break;
	case CTRL('N'): case KEY_DOWN: history_move(e, -1); break;
	case CTRL('D'): case KEY_DELETE:
		if (e->cursor < e->len)
			erase(e, e->cursor, e->cursor + 1);
		break;
	case CTRL('H'): case 127:
		if (e->cursor)
			erase(e, e->cursor - 1, e->cursor);
		break;
	case CTRL('K'): erase(e, e->cursor, e->len); break;
	case CTRL('U'): erase(e, 0, e->cursor); break;
	case CTRL('W'): erase(e, word_before(e), e->cursor); break;
	case CTRL('L'): put("\033[H\033[2J"); break;
	}
}

/* Applies KEY; true if the screen shows it already. */
static bool apply(struct edit *e, int key)
{
	if (key >= ' ' && key < 127)
		return insert_char(e, key);
	if (key == '\t')
		complete_word(e);
	else
		move_or_erase(e, key);
	return false;
}

int lineedit_read(const char *prompt, char *buf, lineedit_words_fn words)
{
	struct edit e = { .prompt = prompt, .buf = buf, .words = words };
	bool painted = false;

	buf[0] = '\0';
	for (;;) {
		int key;

		if (!painted)
			repaint(&e);
		key = read_key();
		if (console_interrupted() || key == CTRL('C')) {
			put("^C\n");
			return -EINTR;
		}
		if (key == '\r' || key == '\n')
			break;
		painted = apply(&e, key);
	}
	put("\n");
	history_add(buf);
	return e.len;
}
