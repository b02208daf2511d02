/* One line from the console, with editing, history and completion. Shell thread. */
#ifndef KERNEL_LINEEDIT_H
#define KERNEL_LINEEDIT_H

#include <lib/types.h>

#define LINE_SIZE	256	/* a typed line and its NUL */

/*
 * Calls FOUND for each word that could stand at WORD_START of LINE in place of what is there
 * (LINE ends at the cursor).
 */
typedef void (*lineedit_words_fn)(const char *line, size_t word_start,
				  void (*found)(void *arg, const char *word), void *arg);

/* Reads a line into BUF (LINE_SIZE bytes) and adds it to the history: its length, or -EINTR after
 * Ctrl-C. */
int lineedit_read(const char *prompt, char *buf, lineedit_words_fn words);

#endif
