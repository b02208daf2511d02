/*
 * The violations that models note: the rule, and who broke it. The sanitizer's runtime knows the
 * functions behind return addresses, inlined ones too; of those in front that are the models', the
 * port's and register accessors nobody needs to hear.
 */
#include <execinfo.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"
#include "support/violation.h"

#define CALLERS	4		/* named */

/* Strings one behind the other, an empty one last; weak: without it callers have no name. */
void __sanitizer_symbolize_pc(void *pc, const char *fmt, char *out, size_t size)
	__attribute__((weak));

static char text[2][8192];
static unsigned int now;
static size_t used;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void __printf(1, 0) put(const char *fmt, va_list args)
{
	used += vsnprintf(text[now] + used, sizeof(text[0]) - used, fmt, args);
	used = min(used, sizeof(text[0]) - 1);
}

static void __printf(1, 2) add(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put(fmt, args);
	va_end(args);
}

static bool is_in_front(const char *file)
{
	static const char *const ours[] = { "tests/host/models/", "tests/host/port/",
					    "tests/host/support/", "tests/host/include/",
					    "kernel/io.h", "libsanitizer/", "kernel/mmio" };

	for (unsigned int i = 0; i < ARRAY_SIZE(ours); i++)
		if (strstr(file, ours[i]))
			return true;
	return false;
}

/* One "function file:line", or what stands for it. */
static unsigned int add_caller(const char *where, unsigned int named)
{
	const char *file = strchr(where, ' ');

	if (!file || *where == '<' || (!named && is_in_front(file)))
		return named;
	add("%s%.*s", named ? " < " : ", by ", (int)(file - where), where);
	if (!named)
		add(" (%s)", strrchr(file, '/') ? strrchr(file, '/') + 1 : file + 1);
	return named + 1;
}

static void add_callers(void)
{
	unsigned int named = 0;
	void *pc[32];
	int n = backtrace(pc, ARRAY_SIZE(pc));

	for (int i = 1; i < n && __sanitizer_symbolize_pc && named < CALLERS; i++) {
		char frames[2048] = "";

		__sanitizer_symbolize_pc((char *)pc[i] - 1, "%f %s:%l", frames, sizeof(frames) - 1);
		for (const char *p = frames; *p && named < CALLERS; p += strlen(p) + 1)
			named = add_caller(p, named);
	}
}

void model_violation(const char *fmt, ...)
{
	va_list args;

	pthread_mutex_lock(&lock);
	va_start(args, fmt);
	put(fmt, args);
	va_end(args);
	add_callers();
	add("\n");
	pthread_mutex_unlock(&lock);
}

const char *model_violations(void)
{
	const char *all = text[now];

	pthread_mutex_lock(&lock);
	now ^= 1;
	used = 0;
	text[now][0] = '\0';
	pthread_mutex_unlock(&lock);
	return all;
}

void assert_violations(const struct violation *v, unsigned int nr, void (*fresh)(void))
{
	for (unsigned int i = 0; i < nr; i++) {
		const char *all, *end;

		fresh();
		all = model_violations();
		if (*all)
			fail_msg("before %s: %s", v[i].name, all);
		v[i].fn();
		all = model_violations();
		end = strchr(all, '\n');
		if (!end || end[1] || !strstr(all, v[i].text) || !strstr(all, v[i].name))
			fail_msg("%s: not one \"%s\", but: %s", v[i].name, v[i].text, all);
	}
}
