// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA mode of every virtio device is the one that the first row of the table
 * in Documentation/virtio/dma-modes.rst leads to, as far as user space can see
 * what the rows ask for: all of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "../kselftest.h"
#include "vdev.h"

/* Name what is wrong with the features that were negotiated, if something is. */
static const char *unsound(const struct vdev *vdev)
{
	if (vdev->features >> 32 && !vdev_has(vdev, VERSION_1))
		return "a legacy device has 32 feature bits";
	if (!vdev_has(vdev, PLATFORM_DMA))
		return NULL;
	if (!vdev_opted_in(vdev))
		return "the transport has not opted in to PLATFORM_DMA";
	if (!strcmp(vdev->driver, "virtio_balloon") || !strcmp(vdev->driver, "virtio_iommu"))
		return "the driver must decline PLATFORM_DMA";

	return NULL;
}

static void check_bound(const struct vdev *vdev)
{
	const char *expected = vdev_expected_mode(vdev), *why = unsound(vdev);

	if (vdev->mode_err)
		ksft_print_msg("%s: dma_mode: %s\n", vdev->name, strerror(vdev->mode_err));
	else if (strcmp(vdev->mode, expected))
		ksft_print_msg("%s: %s, but the table says %s\n", vdev->name, vdev->mode, expected);
	if (why)
		ksft_print_msg("%s: features %#llx: %s\n", vdev->name,
			       (unsigned long long)vdev->features, why);

	ksft_test_result(!vdev->mode_err && !strcmp(vdev->mode, expected) && !why,
			 "%s: %s on %s, IOMMU domain %s: mode %s\n", vdev->name, vdev->driver,
			 vdev->transport, vdev->domain[0] ? vdev->domain : "none", expected);
}

static void check(const char *name)
{
	struct vdev vdev;

	if (vdev_read(&vdev, name))
		ksft_test_result_skip("%s: it has gone\n", name);
	else if (vdev.driver[0])
		check_bound(&vdev);
	else
		ksft_test_result(vdev.mode_err == ENODATA, "%s: no driver: no mode\n", name);
}

int main(void)
{
	struct dirent **vdevs;
	struct vdev first;
	int i, count;

	ksft_print_header();

	count = list(VDEVS, &vdevs);
	if (!count)
		ksft_exit_skip("there is no virtio device\n");
	vdev_read(&first, vdevs[0]->d_name);
	if (first.mode_err == ENOENT)
		ksft_exit_skip("the kernel does not show the dma_mode\n");

	ksft_set_plan(count);
	for (i = 0; i < count; i++)
		check(vdevs[i]->d_name);

	ksft_finished();
}
