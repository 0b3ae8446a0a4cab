// SPDX-License-Identifier: GPL-2.0-only
/* Take the transport away from below the devices, and give it back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "beat.h"
#include "device.h"
#include "patience.h"
#include "report.h"
#include "sysfs.h"
#include "text.h"
#include "transport.h"

#define MANY	16
#define BACK_MS	5000

static struct transport transports[MANY];
static unsigned int count;

static void collect(const char *name, void *arg)
{
	struct token bus = link_name(VIRTIO_DEVICES "/%s/../subsystem", name);
	struct token driver = link_name(VIRTIO_DEVICES "/%s/../driver", name);

	(void)arg;
	if (count == MANY || !strcmp(driver.s, "-"))
		return;
	transports[count].name = parent(name);
	transports[count].device = token_fmt("/sys/bus/%s/devices/%s", bus.s, transports[count].name.s);
	transports[count].driver = token_fmt("/sys/bus/%s/drivers/%s", bus.s, driver.s);
	count++;
}

static void probed(const char *name, void *arg)
{
	unsigned int *drivers = arg;
	struct token driver = link_name(VIRTIO_DEVICES "/%s/driver", name);

	*drivers += !!strcmp(driver.s, "-");
}

static int all_back(void)
{
	struct patience p = patience(BACK_MS);
	unsigned int drivers;

	do {
		drivers = 0;
		for_each(VIRTIO_DEVICES, "virtio", probed, &drivers);
		if (drivers >= count)
			return 0;
	} while (wait_ms(&p, 10));

	errno = ETIMEDOUT;
	return -1;
}

static int round_trip(int (*take)(const struct transport *t),
		      int (*give)(const struct transport *t), int last)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (take(&transports[i]))
			return -1;
	if (for_each(VIRTIO_DEVICES, "virtio", probed, &(unsigned int){ 0 })) {
		errno = EBUSY;
		return -1;
	}
	/* What leaks has added up by the last round. */
	for (i = 0; last && i < count; i++)
		no_mappings(transports[i].name.s);
	for (i = 0; i < count; i++)
		if (give(&transports[i]))
			return -1;

	return all_back();
}

/* Find the transports; there must be some. */
static int find(void)
{
	count = 0;
	for_each(VIRTIO_DEVICES, "virtio", collect, NULL);
	if (count)
		return 0;

	errno = ENODEV;
	fail("no-device", NULL);
	return -1;
}

int transport_unbind(const struct transport *t)
{
	return write_text(token_fmt("%s/unbind", t->driver.s).s, t->name.s);
}

int transport_bind(const struct transport *t)
{
	return write_text(token_fmt("%s/bind", t->driver.s).s, t->name.s);
}

/* Call @fn for each transport until it returns an error, and return that. */
int transport_each(int (*fn)(const struct transport *t))
{
	unsigned int i;
	int ret = find();

	for (i = 0; !ret && i < count; i++)
		ret = fn(&transports[i]);

	return ret;
}

/* Take all transports, and give them back once. */
int transport_once(int (*take)(const struct transport *t),
		   int (*give)(const struct transport *t))
{
	return find() || round_trip(take, give, 1) ? -1 : 0;
}

/* Take all transports, and give them back, as often as @arg says. */
void transport_rounds(const char *what, const char *arg,
		      int (*take)(const struct transport *t),
		      int (*give)(const struct transport *t))
{
	unsigned long rounds = arg ? strtoul(arg, NULL, 0) : 1;
	unsigned long i;

	if (!rounds) {
		errno = EINVAL;
		fail("rounds", NULL);
	}
	if (!rounds || find())
		return;

	for (i = 0; i < rounds; i++) {
		if (round_trip(take, give, i + 1 == rounds)) {
			fail(what, NULL);
			return;
		}
		alive();
	}
	report("%s devices=%u rounds=%lu", what, count, rounds);
}
