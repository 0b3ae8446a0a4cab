// SPDX-License-Identifier: GPL-2.0-only
/* Show what the kernel says of the virtio devices. */
#include "../lib/device.h"
#include "../lib/step.h"

static void step_devices(const char *arg)
{
	(void)arg;
	show_devices();
}

STEP(devices, step_devices);
