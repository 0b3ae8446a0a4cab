// SPDX-License-Identifier: GPL-2.0-only
/* Take the kernel's modules away, and load them again. */
#include <errno.h>
#include <stdlib.h>
#include "../lib/beat.h"
#include "../lib/module.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"

static void found(const char *name, void *arg)
{
	(void)arg;
	errno = EBUSY;
	fail("still-there", name);
}

static void step_modules(const char *arg)
{
	unsigned long rounds = arg ? strtoul(arg, NULL, 0) : 1;
	unsigned long i;

	for (i = 0; i < rounds && !errors; i++) {
		if (!modules_loaded()) {
			errno = ENOENT;
			fail("no-module", NULL);
			return;
		}
		modules_unload();
		for_each(VIRTIO_DEVICES, "virtio", found, NULL);
		modules_load(false);
		alive();
	}
	report("modules removed=%u rounds=%lu", modules_loaded(), rounds);
}

STEP(modules, step_modules);
