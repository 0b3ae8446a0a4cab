// SPDX-License-Identifier: GPL-2.0-only
/* Wait until the host has looked at the guest. */
#include <errno.h>
#include <stddef.h>
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/text.h"

static void step_sync(const char *arg)
{
	if (arg && *arg) {
		ask(token_fmt("ready name=%s", arg).s);
	} else {
		errno = EINVAL;
		fail("no-name", NULL);
	}
}

STEP(sync, step_sync);
