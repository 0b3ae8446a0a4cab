// SPDX-License-Identifier: GPL-2.0-only
/* Have the host do something to the guest. */
#include <errno.h>
#include <stddef.h>
#include "../lib/report.h"
#include "../lib/step.h"

static void step_host(const char *arg)
{
	if (arg && *arg) {
		ask(arg);
	} else {
		errno = EINVAL;
		fail("nothing-to-ask", NULL);
	}
}

STEP(host, step_host);
