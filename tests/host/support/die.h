/* For tests of what must end a program, or may: in a child. */
#ifndef TESTS_HOST_DIE_H
#define TESTS_HOST_DIE_H

#include <stddef.h>

/* Runs FN in a child, for 60 seconds at most; returns how it ended, as waitpid() does. What it
 * prints is in OUT, a string, as far as SIZE goes. */
int in_child(void (*fn)(void), char *out, size_t size);
/* FN, in a child, must die by a signal or a sanitizer, and say TEXT. */
void must_die(void (*fn)(void), const char *text);

#endif
