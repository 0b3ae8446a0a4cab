// SPDX-License-Identifier: GPL-2.0-only
/* Have the host put another device into a slot, again and again, whatever that may be. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/device.h"
#include "../lib/disk.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/slot.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"
#include "../lib/util.h"

#define PROBE_MS	2000
#define PIECES		16

static int swap(const char *kind, const char *device, const struct slot *slot)
{
	if (ask(token_fmt("take device=%s", kind).s) || slot_wanted(slot) ||
	    write_text(token_fmt(PCI_DEVICES "/%s/remove", device).s, "1") || slot_off(slot) ||
	    ask(token_fmt("give device=%s", kind).s) || slot_on(slot) ||
	    write_text("/sys/bus/pci/rescan", "1")) {
		fail("swap", kind);
		return -1;
	}

	return 0;
}

/* A driver may have taken it or not, and may read something or not. */
static unsigned int try(const char *disk, void *buf)
{
	int fd = open(token_fmt("/dev/%s", disk).s, O_RDONLY | O_DIRECT | O_CLOEXEC);
	unsigned int i, good = 0;

	for (i = 0; fd >= 0 && i < PIECES; i++) {
		good += pread(fd, buf, REQUEST_BYTES, i * REQUEST_BYTES) > 0;
		alive();
	}
	close_quietly(fd);

	return good;
}

/* Take KIND:ROUNDS. */
static void step_replace(const char *arg)
{
	struct token kind = token_fmt("%.*s", (int)strcspn(arg, ":"), arg);
	unsigned long i, bound = 0, rounds = strtoul(arg + strlen(kind.s) + 1, NULL, 0);
	struct token device = parent(device_of(kind.s).s);
	unsigned int pieces = 0;
	struct slot slot;
	void *buf;

	if (slot_find(device.s, &slot) || posix_memalign(&buf, REQUEST_BYTES, REQUEST_BYTES)) {
		fail("no-slot", device.s);
		return;
	}
	for (i = 0; i < rounds; i++) {
		struct patience p = patience(PROBE_MS);

		if (swap(kind.s, device.s, &slot))
			return;
		while (!strcmp(device_of(kind.s).s, "-") && wait_ms(&p, 10))
			;
		if (!strcmp(device_of(kind.s).s, "-"))
			continue;
		bound++;
		pieces += try("vda", buf);
	}
	report("replace device=%s rounds=%lu bound=%lu pieces=%u", kind.s, i, bound, pieces);
	free(buf);
}

STEP(replace, step_replace);
