// SPDX-License-Identifier: GPL-2.0-only
/* Take devices away from their drivers, and give them back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "guest.h"

#define BIND_MS	5000

struct round {
	unsigned long number;
	unsigned long last;
	int counted;	/* Say how many rounds there were. */
};

static int wait_bound(const char *name)
{
	long long end = now_ms() + BIND_MS;

	do {
		struct token driver = link_name(VIRTIO_DEVICES "/%s/driver", name);

		if (strcmp(driver.s, "-"))
			return 0;
		sleep_ms(10);
	} while (now_ms() < end);

	errno = ETIMEDOUT;
	return -1;
}

/* Tell apart a device to leave alone: one without, or one that others depend on. */
int driver_unbind(const char *name, struct token *driver)
{
	*driver = link_name(VIRTIO_DEVICES "/%s/driver", name);
	if (!strcmp(driver->s, "-") || !strcmp(driver->s, "virtio_iommu"))
		return -1;

	if (write_text(token_fmt(VIRTIO_DRIVERS "/%s/unbind", driver->s).s, name)) {
		fail("unbind", name);
		return -1;
	}

	return 0;
}

int driver_bind(const char *name, const struct token *driver)
{
	if (write_text(token_fmt(VIRTIO_DRIVERS "/%s/bind", driver->s).s, name)) {
		fail("bind", name);
		return -1;
	}
	if (wait_bound(name)) {
		fail("no-driver", name);
		return -1;
	}
	alive();

	return 0;
}

static void rebind_one(const char *name, void *arg)
{
	struct token driver, unbound, rounds = { "" };
	struct round *round = arg;

	if (driver_unbind(name, &driver))
		return;
	unbound = mode_token(name);
	/* What leaks has added up by the last round. */
	if (round->number == round->last)
		no_mappings(parent(name).s);
	if (driver_bind(name, &driver))
		return;

	if (round->number < round->last)
		return;
	if (round->counted)
		rounds = token_fmt(" rounds=%lu", round->last);
	report("rebind name=%s unbound=%s bound=%s%s", name, unbound.s,
	       mode_token(name).s, rounds.s);
}

void step_rebind(const char *arg)
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

/* Stop short of the platform: freeze and restore the devices, no more. */
void step_suspend(const char *arg)
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
