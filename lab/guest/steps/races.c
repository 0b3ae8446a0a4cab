// SPDX-License-Identifier: GPL-2.0-only
/* Have KCSAN look for data races from here on, or no longer. */
#include <stdio.h>
#include <string.h>
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"

#define KCSAN	"/sys/kernel/debug/kcsan"

static long count(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	long n = -1;

	if (at)
		sscanf(at + strlen(name), ": %ld", &n);

	return n;
}

/* Take on or off. */
static void step_races(const char *arg)
{
	char text[4096] = "";

	if (!arg || write_text(KCSAN, arg) || read_text(KCSAN, text, sizeof(text))) {
		fail("kcsan", arg);
		return;
	}
	report("races state=%s watched=%ld found=%ld", arg, count(text, "setup_watchpoints"),
	       count(text, "data_races"));
}

STEP(races, step_races);
