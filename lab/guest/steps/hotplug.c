// SPDX-License-Identifier: GPL-2.0-only
/* Let the host take a device that is at work, and give it back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/device.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/slot.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"
#include "../lib/work.h"

#define PROBE_MS	5000

/* The device goes while I/O is under way: that must end, and with an error. */
static int take(const char *kind, const char *device, const struct slot *slot)
{
	struct work *work = work_start(kind);
	int err;

	if (!work) {
		fail("no-work", kind);
		return -1;
	}
	if (ask(token_fmt("take device=%s", kind).s))
		return -1;
	if (slot_wanted(slot) || work_goes_on(work) ||
	    write_text(token_fmt(PCI_DEVICES "/%s/remove", device).s, "1")) {
		fail("remove", kind);
		return -1;
	}
	err = work_wait(work);
	report("taken device=%s errno=%d", kind, err);
	if (err == ETIMEDOUT) {
		errno = err;
		fail("work-hangs", kind);
	}
	no_mappings(device);
	if (!access(token_fmt(PCI_DEVICES "/%s", device).s, F_OK)) {
		errno = EBUSY;
		fail("still-there", device);
	}

	return errors ? -1 : 0;
}

static int give(const char *kind, const struct slot *slot)
{
	struct patience p = patience(PROBE_MS);

	if (slot_off(slot)) {
		fail("slot-off", kind);
		return -1;
	}
	if (ask(token_fmt("give device=%s", kind).s))
		return -1;
	if (slot_on(slot) || write_text("/sys/bus/pci/rescan", "1")) {
		fail("slot-on", kind);
		return -1;
	}
	while (!strcmp(device_of(kind).s, "-")) {
		if (!wait_ms(&p, 1)) {
			errno = ETIMEDOUT;
			fail("no-device", kind);
			return -1;
		}
	}

	return 0;
}

/* Take KIND:ROUNDS. */
static void step_hotplug(const char *arg)
{
	struct token kind = token_fmt("%.*s", (int)strcspn(arg, ":"), arg);
	unsigned long i, rounds = strtoul(arg + strlen(kind.s) + 1, NULL, 0);
	struct token device = parent(device_of(kind.s).s);
	struct slot slot;

	if (slot_find(device.s, &slot)) {
		fail("no-slot", device.s);
		return;
	}
	for (i = 0; i < rounds; i++) {
		if (take(kind.s, device.s, &slot) || give(kind.s, &slot))
			return;
		show_devices();
	}
	report("hotplug device=%s rounds=%lu", kind.s, i);
}

STEP(hotplug, step_hotplug);
