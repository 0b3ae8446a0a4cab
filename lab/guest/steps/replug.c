// SPDX-License-Identifier: GPL-2.0-only
/* Take the transport's driver away from below the devices, and give it back. */
#include "../lib/step.h"
#include "../lib/transport.h"

static void step_replug(const char *arg)
{
	transport_rounds("replug", arg, transport_unbind, transport_bind);
}

STEP(replug, step_replug);
