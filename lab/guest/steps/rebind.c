// SPDX-License-Identifier: GPL-2.0-only
/* Take every device away from its driver, and give it back. */
#include <errno.h>
#include <stdlib.h>
#include "../lib/device.h"
#include "../lib/driver.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

struct round {
	unsigned long number;
	unsigned long last;
	int counted;	/* Say how many rounds there were. */
};

static void rebind_one(const char *name, void *arg)
{
	struct token driver, unbound, rounds = { "" };
	struct round *round = arg;

	if (driver_unbind(name, &driver))
		return;
	unbound = mode_token(name);
	/* What leaks has added up by the last round. */
	if (round->number == round->last) {
		no_mappings(parent(name).s);
		no_mappings(name);
	}
	if (driver_bind(name, &driver))
		return;

	if (round->number < round->last)
		return;
	if (round->counted)
		rounds = token_fmt(" rounds=%lu", round->last);
	report("rebind name=%s unbound=%s bound=%s%s", name, unbound.s,
	       mode_token(name).s, rounds.s);
}

static void step_rebind(const char *arg)
{
	struct round round = {
		.last = arg ? strtoul(arg, NULL, 0) : 1,
		.counted = !!arg,
	};

	if (!round.last) {
		errno = EINVAL;
		fail("rounds", NULL);
		return;
	}

	/* Stop at the first bad round: the others would only repeat it. */
	for (round.number = 1; round.number <= round.last && !errors; round.number++) {
		if (!for_each(VIRTIO_DEVICES, "virtio", rebind_one, &round)) {
			errno = ENODEV;
			fail("no-device", NULL);
		}
	}
}

STEP(rebind, step_rebind);
