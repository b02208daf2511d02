/* The console is a buffer that host_printk() empties; and the end of a program that went wrong. */
#include <kernel/printk.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "port.h"

#define LOG_SIZE	(256 * 1024)

static char text[2][LOG_SIZE];		/* being filled / given out */
static unsigned int filling;
static size_t used;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t log_write(const char *s, size_t len)
{
	size_t n;

	pthread_mutex_lock(&lock);
	n = min(len, LOG_SIZE - 1 - used);
	memcpy(text[filling] + used, s, n);
	used += n;
	text[filling][used] = '\0';
	pthread_mutex_unlock(&lock);
	if (getenv("HOST_LOG"))
		fwrite(s, 1, len, stderr);
	return len;
}

static void log_putc(char c)
{
	log_write(&c, 1);
}

void host_console_reset(void)
{
	used = 0;
	text[filling][0] = '\0';
}

void host_console_start(void)
{
	static const struct console console = { "host", log_putc, log_write };

	console_register(&console);
}

const char *host_printk(void)
{
	const char *s;

	pthread_mutex_lock(&lock);
	s = text[filling];
	filling ^= 1;
	used = 0;
	text[filling][0] = '\0';
	pthread_mutex_unlock(&lock);
	return s;
}

void host_log_dump(void)
{
	if (used && !getenv("HOST_LOG"))
		fprintf(stderr, "---- log ----\n%s-------------\n", text[filling]);
}

void host_die(const char *fmt, ...)
{
	va_list args;

	host_log_dump();
	va_start(args, fmt);
	fputs("host: ", stderr);
	vfprintf(stderr, fmt, args);
	fputs("\n", stderr);
	va_end(args);
	abort();
}

/* A panic (2) or a watchdog (3) is a failed test; a power-off (0) ends the program. */
void arch_exit(int status)
{
	fflush(NULL);
	if (status)
		host_die("the kernel ended with status %d", status);
	exit(0);
}
