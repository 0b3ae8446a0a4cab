// SPDX-License-Identifier: GPL-2.0-only
/* Make texts that a report line can carry. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "text.h"

/* Make a value that a report line can carry: one word, never an empty one. */
void wordify(char *s)
{
	char *c;

	for (c = s; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '_';
	if (c == s)
		memcpy(s, "-", 2);
}

struct token one_word(const char *text)
{
	struct token t;

	snprintf(t.s, sizeof(t.s), "%s", text);
	wordify(t.s);

	return t;
}

struct token vtoken(const char *fmt, va_list args)
{
	struct token t;

	vsnprintf(t.s, sizeof(t.s), fmt, args);
	return t;
}

struct token token_fmt(const char *fmt, ...)
{
	struct token t;
	va_list args;

	va_start(args, fmt);
	t = vtoken(fmt, args);
	va_end(args);

	return t;
}
