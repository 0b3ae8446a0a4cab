// SPDX-License-Identifier: GPL-2.0-only
/* Take the PCI devices away from below their drivers, and find them again. */
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"
#include "../lib/transport.h"

static int unplug(const struct transport *t)
{
	return write_text(token_fmt(PCI_DEVICES "/%s/remove", t->name.s).s, "1");
}

/* All of the bus is looked at: what comes back first is not there twice. */
static int rescan(const struct transport *t)
{
	(void)t;
	return write_text("/sys/bus/pci/rescan", "1");
}

static void step_unplug(const char *arg)
{
	transport_rounds("unplug", arg, unplug, rescan);
}

STEP(unplug, step_unplug);
