/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts by value, so that a report line can name its sources inline. */
#ifndef TEXT_H
#define TEXT_H

#include <stdarg.h>
#include "util.h"

struct token {
	char s[128];
};

void wordify(char *s);
struct token one_word(const char *text);
struct token vtoken(const char *fmt, va_list args);
__printf(1, 2) struct token token_fmt(const char *fmt, ...);

#endif
