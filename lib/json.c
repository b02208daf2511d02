/*
 * The JSON writer. One flag is all its state: whether a value precedes at this level and the next
 * one needs a comma. Whatever strings hold (device trees and users write anything), the document
 * stays valid: control characters are escaped, bytes that are not UTF-8 become U+FFFD. [RFC8259 7]
 */
#include <lib/json.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(struct json *j, const char *text)
{
	j->put(j->arg, text, strlen(text));
}

/* Called before each value: what separates it from the one before. */
static void begin_value(struct json *j)
{
	if (j->comma)
		put(j, ",");
	j->comma = true;
}

void json_init(struct json *j, void (*put_)(void *arg, const char *text, size_t len), void *arg)
{
	*j = (struct json){ put_, arg, false };
}

void json_open(struct json *j, const char *bracket)
{
	begin_value(j);
	put(j, bracket);
	j->comma = false;
}

void json_close(struct json *j, const char *bracket)
{
	put(j, bracket);
	j->comma = true;
}

void json_int(struct json *j, s64 value)
{
	char text[24];

	begin_value(j);
	snprintf(text, sizeof(text), "%lld", (long long)value);
	put(j, text);
}

void json_uint(struct json *j, u64 value)
{
	char text[24];

	begin_value(j);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	put(j, text);
}

void json_bool(struct json *j, bool value)
{
	begin_value(j);
	put(j, value ? "true" : "false");
}

void json_null(struct json *j)
{
	begin_value(j);
	put(j, "null");
}

static bool is_tail(u8 c)
{
	return (c & 0xc0) == 0x80;
}

/* The length of the UTF-8 character at S, 0 if it is none: too short, overlong, or a surrogate. */
static size_t utf8_length(const u8 *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return is_tail(s[1]) ? 2 : 0;
	if (!is_tail(s[1]) || !is_tail(s[2]))
		return 0;
	if ((s[0] & 0xf0) == 0xe0)
		return (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ? 0 : 3;
	if (s[0] < 0xf0 || s[0] > 0xf4 || !is_tail(s[3]))
		return 0;
	return (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90) ? 0 : 4;
}

/* Writes the character at S; returns how many bytes it took. */
static size_t put_char(struct json *j, const char *s)
{
	size_t length = utf8_length((const u8 *)s);
	char escape[8];

	if (!length) {
		put(j, "\\ufffd");
		return 1;
	}
	if (*s == '"' || *s == '\\')
		j->put(j->arg, "\\", 1);
	if ((u8)*s >= ' ' && *s != 0x7f) {
		j->put(j->arg, s, length);
		return length;
	}
	snprintf(escape, sizeof(escape), "\\u%04x", *s);
	put(j, escape);
	return 1;
}

static void put_quoted(struct json *j, const char *text)
{
	put(j, "\"");
	while (*text)
		text += put_char(j, text);
	put(j, "\"");
}

void json_key(struct json *j, const char *name)
{
	begin_value(j);
	put_quoted(j, name);
	put(j, ":");
	j->comma = false;
}

void json_string(struct json *j, const char *text)
{
	if (!text) {
		json_null(j);
		return;
	}
	begin_value(j);
	put_quoted(j, text);
}

void json_stringf(struct json *j, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json_string(j, text);
}
