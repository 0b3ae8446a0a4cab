// SPDX-License-Identifier: GPL-2.0-only
/* Keep a feature from every device, and have its driver negotiate anew. */
#include <errno.h>
#include "device.h"
#include "driver.h"
#include "filter.h"
#include "report.h"
#include "sysfs.h"
#include "text.h"

struct filter {
	const char *step;
	const char *file;
	const char *bit;
};

static void filter_one(const char *name, void *arg)
{
	struct filter *filter = arg;
	struct token path = token_fmt("/sys/kernel/debug/virtio/%s/%s", name, filter->file);
	struct token before = feature_bits(name), driver;

	if (write_text(path.s, filter->bit)) {
		fail("debugfs", name);
		return;
	}
	if (driver_unbind(name, &driver) || driver_bind(name, &driver))
		return;

	report("%s name=%s bit=%s before=%s after=%s mode=%s", filter->step, name, filter->bit,
	       before.s, feature_bits(name).s, mode_token(name).s);
}

void filter_all(const char *step, const char *file, const char *bit)
{
	struct filter filter = { step, file, bit };

	if (!bit) {
		errno = EINVAL;
		fail("no-bit", NULL);
	} else if (!for_each(VIRTIO_DEVICES, "virtio", filter_one, &filter)) {
		errno = ENODEV;
		fail("no-device", NULL);
	}
}
