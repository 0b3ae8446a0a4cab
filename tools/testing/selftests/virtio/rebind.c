// SPDX-License-Identifier: GPL-2.0-only
/* Drivers that go and come find the device as it was, its DMA mode included. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../kselftest.h"
#include "vdev.h"

#define ROUNDS	5

static const char *lost(const struct vdev *before)
{
	struct vdev without, now;

	if (vdev_unbind(before) || vdev_read(&without, before->name) || without.driver[0])
		return "it cannot be unbound";
	if (vdev_bind(before) || vdev_read(&now, before->name) ||
	    strcmp(now.driver, before->driver))
		return "it cannot be bound again";
	if (before->mode_err != ENOENT && without.mode_err != ENODATA)
		return "it has a mode without a driver";
	if (now.features != before->features)
		return "its features are others";
	if (now.mode_err != before->mode_err || strcmp(now.mode, before->mode))
		return "its mode is another";

	return NULL;
}

static void rebind(const struct vdev *vdev)
{
	const char *what = NULL;
	int round;

	for (round = 1; round <= ROUNDS && !what; round++) {
		what = lost(vdev);
		if (what)
			ksft_print_msg("%s: round %d: %s\n", vdev->name, round, what);
	}

	ksft_test_result(!what, "%s: %s bound %d times, mode %s\n", vdev->name, vdev->driver,
			 ROUNDS, vdev->mode_err ? "unknown" : vdev->mode);
}

int main(void)
{
	struct vdev vdevs[NAMED_MAX];
	unsigned int i, count;
	const char *why;

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("only root may do this\n");
	why = vdev_named(vdevs, &count);
	if (why)
		ksft_exit_skip("%s\n", why);

	ksft_set_plan(count);
	for (i = 0; i < count; i++)
		rebind(&vdevs[i]);

	ksft_finished();
}
