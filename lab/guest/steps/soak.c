// SPDX-License-Identifier: GPL-2.0-only
/* Do other steps at random, many of them, and have all devices work after each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/draw.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"
#include "../lib/util.h"

#define KINDS		8
#define SETTLE_MS	1000
/* Who makes the requests that follow each event, and how large they may be. */
#define STORM		"storm:4:%lu:65536:%u"
#define STORMERS	4

/* How much memory the kernel has for what it cannot give back, in KiB. */
static long kept(void)
{
	static const char name[] = "SUnreclaim:";
	char text[4096] = "", *at;

	sleep_ms(SETTLE_MS);
	read_text("/proc/meminfo", text, sizeof(text));
	at = strstr(text, name);

	return at ? atol(at + strlen(name)) : -1;
}

/* Take EVENTS:SEED:REQUESTS:STEP+STEP...; caches are warm after a tenth of the events. */
static void step_soak(const char *arg)
{
	char spec[256], *kinds[KINDS], *rest, *word;
	unsigned long long seed;
	unsigned int count, i, n = 0;
	unsigned long requests;
	long before = -1;

	snprintf(spec, sizeof(spec), "%s", arg ? arg : "");
	count = strtoul(strtok_r(spec, ":", &rest) ?: "", NULL, 0);
	seed = strtoull(strtok_r(NULL, ":", &rest) ?: "", NULL, 0);
	requests = strtoul(strtok_r(NULL, ":", &rest) ?: "", NULL, 0);
	while (n < KINDS && (word = strtok_r(NULL, "+", &rest)))
		kinds[n++] = word;
	if (!n || !count) {
		errno = EINVAL;
		fail("events", NULL);
		return;
	}

	/* Stop at the first error: the seed brings it back. */
	for (i = 0; i < count && !errors; i++) {
		word = kinds[draw(&seed, n)];
		if (i == count / 10)
			before = kept();
		report("soaked number=%u event=%s", i, word);
		run_step(word);
		run_step("loaded");
		if (requests)
			run_step(token_fmt(STORM, requests / STORMERS, i).s);
	}
	report("soak events=%u before=%ld after=%ld", i, before, kept());
}

STEP(soak, step_soak);
