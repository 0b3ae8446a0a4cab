// SPDX-License-Identifier: GPL-2.0-only
/* Suspend the guest, as far as devices go, and resume it. */
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"

/* Stop short of the platform: freeze and restore the devices, no more. */
static void step_suspend(const char *arg)
{
	long long start;
	int ret;

	(void)arg;
	if (write_text("/sys/power/pm_test", "devices")) {
		fail("pm-test", NULL);
		return;
	}

	start = now_ms();
	ret = write_text("/sys/power/state", "freeze");
	if (ret)
		fail("freeze", NULL);
	else
		report("suspend ms=%lld", now_ms() - start);

	if (write_text("/sys/power/pm_test", "none"))
		fail("pm-test", NULL);
}

STEP(suspend, step_suspend);
