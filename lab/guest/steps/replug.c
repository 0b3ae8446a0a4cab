// SPDX-License-Identifier: GPL-2.0-only
/* Take the transport's driver away from below the devices, and give it back. */
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"
#include "../lib/transport.h"

static int unbind(const struct transport *t)
{
	return write_text(token_fmt("%s/unbind", t->driver.s).s, t->name.s);
}

static int bind(const struct transport *t)
{
	return write_text(token_fmt("%s/bind", t->driver.s).s, t->name.s);
}

static void step_replug(const char *arg)
{
	transport_rounds("replug", arg, unbind, bind);
}

STEP(replug, step_replug);
