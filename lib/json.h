/*
 * A streaming JSON writer. It puts the commas, quotes and escapes; the caller gives values in
 * order. Output goes to a function, so that a document of any length needs no buffer of its own.
 *
 *	json_open(&j, "{");  json_key(&j, "irq");  json_int(&j, 7);  json_close(&j, "}");
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <lib/types.h>

struct json {
	void (*put)(void *arg, const char *text, size_t len);
	void *arg;
	bool comma;		/* a value precedes at this level */
};

void json_init(struct json *j, void (*put)(void *arg, const char *text, size_t len), void *arg);
void json_open(struct json *j, const char *bracket);	/* "{" or "[" */
void json_close(struct json *j, const char *bracket);	/* "}" or "]" */
void json_key(struct json *j, const char *name);
void json_int(struct json *j, s64 value);
void json_uint(struct json *j, u64 value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
void json_string(struct json *j, const char *text);	/* NULL gives null; escapes as RFC 8259 */
void json_stringf(struct json *j, const char *fmt, ...) __printf(2, 3);	/* at most 255 bytes */

#endif
