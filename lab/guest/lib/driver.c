// SPDX-License-Identifier: GPL-2.0-only
/* Take devices away from their drivers, and give them back. */
#include <errno.h>
#include <string.h>
#include "beat.h"
#include "driver.h"
#include "patience.h"
#include "report.h"
#include "sysfs.h"
#include "text.h"

#define BIND_MS	5000

static int wait_bound(const char *name)
{
	struct patience p = patience(BIND_MS);

	do {
		struct token driver = link_name(VIRTIO_DEVICES "/%s/driver", name);

		if (strcmp(driver.s, "-"))
			return 0;
	} while (wait_ms(&p, 10));

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
