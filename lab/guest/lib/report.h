/* SPDX-License-Identifier: GPL-2.0-only */
/* Talk to the host over the report port. */
#ifndef REPORT_H
#define REPORT_H

#include "util.h"

extern unsigned int errors;

int report_open(const char *name);
void report_step(const char *name);
__printf(1, 2) void report(const char *fmt, ...);
void fail(const char *what, const char *at);
void drain(const char *arg);
int ask(const char *what);

#endif
