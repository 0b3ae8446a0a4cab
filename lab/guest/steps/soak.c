// SPDX-License-Identifier: GPL-2.0-only
/* Do other steps at random, many of them, and have all devices work after each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/device.h"
#include "../lib/draw.h"
#include "../lib/kept.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/text.h"

#define KINDS		8
/* Who makes the requests that follow each event, and how large they may be. */
#define STORM		"storm:4:%lu:65536:%u"
#define STORMERS	4
#define PING		"ping:4"

static void report_kept(const char *when, const struct kept *kept)
{
	report("kept when=%s unreclaimable=%ld slots=%ld mappings=%ld slabs=%u", when,
	       kept->unreclaimable, kept->slots, kept->mappings, kept->slabs);
}

/* Take EVENTS:SEED:REQUESTS:STEP+STEP...; caches are warm after a tenth of the events. */
static void step_soak(const char *arg)
{
	char spec[256], *kinds[KINDS], *rest, *word;
	unsigned long long seed;
	unsigned int count, i, n = 0;
	static struct kept before, after;
	unsigned long requests;

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
			kept_look(&before);
		report("soaked number=%u event=%s", i, word);
		run_step(word);
		run_step("loaded");
		if (strcmp(device_of("net").s, "-"))
			run_step(PING);
		if (requests)
			run_step(token_fmt(STORM, requests / STORMERS, i).s);
	}
	kept_look(&after);
	kept_compare(&before, &after);
	report_kept("before", &before);
	report_kept("after", &after);
	report("soak events=%u", i);
}

STEP(soak, step_soak);
