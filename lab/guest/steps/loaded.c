// SPDX-License-Identifier: GPL-2.0-only
/* Do another step, if one is named, while all devices work; what they do must come right. */
#include <errno.h>
#include <string.h>
#include "../lib/device.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/text.h"
#include "../lib/work.h"

static void step_loaded(const char *arg)
{
	struct work *works[WORK_KINDS] = { 0 };
	size_t i;

	for (i = 0; i < WORK_KINDS; i++) {
		if (!strcmp(device_of(work_kinds[i].device).s, "-"))
			continue;
		works[i] = work_start(work_kinds[i].device);
		if (!works[i])
			fail("no-work", work_kinds[i].device);
	}
	if (arg)
		run_step(arg);
	report_step("loaded");
	for (i = 0; i < WORK_KINDS; i++) {
		if (works[i] && work_goes_on(works[i]))
			fail("no-more-work", work_kinds[i].device);
		if (works[i])
			work_stop(works[i]);
	}
	for (i = 0; i < WORK_KINDS; i++) {
		if (!works[i])
			continue;
		errno = work_wait(works[i]);
		if (errno)
			fail("work", work_kinds[i].device);
		report("loaded step=%s device=%s rounds=%u sha256=%s", one_word(arg).s,
		       work_kinds[i].device, works[i]->rounds, one_word(works[i]->hex).s);
	}
}

STEP(loaded, step_loaded);
