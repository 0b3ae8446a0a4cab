// SPDX-License-Identifier: GPL-2.0-only
/* Take every CPU but the first away, one after the other, and give it back. */
#include <errno.h>
#include <stdio.h>
#include "../lib/beat.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define CPUS	"/sys/devices/system/cpu"

static void step_offline(const char *arg)
{
	struct token online, now;
	unsigned int cpu;

	(void)arg;
	for (cpu = 1;; cpu++) {
		online = token_fmt(CPUS "/cpu%u/online", cpu);
		if (get_token(online.s, &now))
			break;
		if (write_text(online.s, "0") || write_text(online.s, "1")) {
			fail("offline", online.s);
			return;
		}
		alive();
	}
	if (cpu == 1) {
		errno = ENODEV;
		fail("one-cpu", NULL);
	}
	report("offline cpus=%u online=%s", cpu, read_token(CPUS "/online").s);
}

STEP(offline, step_offline);
