// SPDX-License-Identifier: GPL-2.0-only
/*
 * A feature that debugfs keeps from a device is not negotiated, and the DMA mode
 * is the one without it; given back, all is as it was.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../kselftest.h"
#include "vdev.h"

#define FILTERS	"/sys/kernel/debug/virtio"

/* EVENT_IDX, which most devices have, belongs to the transport as well. */
static const struct feature {
	unsigned int bit;
	const char *name;
} features[] = {
	{ EVENT_IDX, "RING_F_EVENT_IDX" },
	{ PLATFORM_DMA, "F_PLATFORM_DMA" },
};

static int negotiate(const struct vdev *vdev, unsigned int bit, const char *file,
		     struct vdev *now)
{
	char number[8];

	snprintf(number, sizeof(number), "%u", bit);
	return text_write(number, FILTERS, vdev->name, file) ?:
	       vdev_unbind(vdev) ?: vdev_bind(vdev) ?: vdev_read(now, vdev->name);
}

static const char *wrong(const struct vdev *vdev, unsigned int bit)
{
	struct vdev without, after;
	int err = negotiate(vdev, bit, "filter_feature_add", &without);

	/* Give it back whatever has happened. */
	if (negotiate(vdev, bit, "filter_feature_del", &after) || err)
		return "features cannot be negotiated anew";
	if (vdev_has(&without, bit))
		return "it is negotiated all the same";
	if (without.mode_err || strcmp(without.mode, vdev_expected_mode(&without)))
		return "without it, the mode is not the table's";
	if (after.features != vdev->features)
		return "given back, the features are others";
	if (after.mode_err || strcmp(after.mode, vdev->mode))
		return "given back, the mode is another";

	return NULL;
}

static void filter(const struct vdev *vdev)
{
	const char *what;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const char *name = features[i].name;

		if (!vdev_has(vdev, features[i].bit)) {
			ksft_test_result_skip("%s: VIRTIO_%s is not negotiated\n", vdev->name,
					      name);
			continue;
		}
		what = wrong(vdev, features[i].bit);
		if (what)
			ksft_print_msg("%s: %s: %s\n", vdev->name, name, what);
		ksft_test_result(!what, "%s: VIRTIO_%s filtered, and given back\n", vdev->name,
				 name);
	}
}

int main(void)
{
	struct vdev vdevs[NAMED_MAX];
	unsigned int i, count;
	const char *why;

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("only root may do this\n");
	if (access(FILTERS, F_OK))
		ksft_exit_skip("there is no " FILTERS ": CONFIG_VIRTIO_DEBUG, and debugfs\n");
	why = vdev_named(vdevs, &count);
	if (why)
		ksft_exit_skip("%s\n", why);
	if (vdevs[0].mode_err == ENOENT)
		ksft_exit_skip("the kernel does not show the dma_mode\n");

	ksft_set_plan(count * ARRAY_SIZE(features));
	for (i = 0; i < count; i++)
		filter(&vdevs[i]);

	ksft_finished();
}
