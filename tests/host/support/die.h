/* For tests of what must end a program: runs it in a child. */
#ifndef TESTS_HOST_DIE_H
#define TESTS_HOST_DIE_H

/* FN, in a child, must die by a signal or a sanitizer within 20 seconds, and say TEXT. */
void must_die(void (*fn)(void), const char *text);

#endif
