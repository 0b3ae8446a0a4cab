// SPDX-License-Identifier: GPL-2.0-only
/* Look for memory that was lost. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/util.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* kmemleak does not speak of objects that are younger than 5 seconds. */
#define AGE_MS		5500

/* Show what is lost, but for what comes from @known; return how much that is. */
static unsigned int show_leaks(char *text, const char *known)
{
	static const char first[] = "unreferenced object";
	char *leak = strstr(text, first), *next;
	unsigned int found = 0;

	for (; leak; leak = next) {
		next = strstr(leak + 1, first);
		if (next)
			next[-1] = '\0';
		if (known && strstr(leak, known))
			continue;
		puts(leak);
		found++;
	}

	return found;
}

/*
 * Have kmemleak look twice: what moved during the first scan is not lost. Take
 * the name of a function that is known to lose memory.
 */
static void step_leaks(const char *arg)
{
	static char text[MIB];
	unsigned int found;

	sleep_ms(AGE_MS);
	if (write_text(KMEMLEAK, "scan") || write_text(KMEMLEAK, "scan") ||
	    read_text(KMEMLEAK, text, sizeof(text))) {
		fail("kmemleak", NULL);
		return;
	}
	found = show_leaks(text, arg);
	if (found) {
		errno = ENOMEM;
		fail("leaks", NULL);
	}
	report("leaks found=%u", found);
}

STEP(leaks, step_leaks);
