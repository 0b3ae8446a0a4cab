// SPDX-License-Identifier: GPL-2.0-only
/* Start the kernel anew from below: the next one finds the devices as they are. */
#include <stddef.h>
#include <sys/reboot.h>
#include "../lib/kexec.h"
#include "../lib/report.h"
#include "../lib/step.h"

static void step_kexec(const char *arg)
{
	(void)arg;
	if (kexec_load_shared(0, ""))
		return;

	report("kexec");
	drain(NULL);
	reboot(RB_KEXEC);
	fail("reboot", NULL);
}

STEP(kexec, step_kexec);
