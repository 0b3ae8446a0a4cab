// SPDX-License-Identifier: GPL-2.0-only
/* Change the type of the devices' IOMMU domains while the transport has no driver. */
#include <string.h>
#include "../lib/device.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"
#include "../lib/transport.h"

static struct token type;

static int change(const struct transport *t)
{
	if (write_text(token_fmt("%s/iommu_group/type", t->device.s).s, type.s)) {
		fail("type", t->name.s);
		return -1;
	}

	return 0;
}

static int change_and_bind(const struct transport *t)
{
	return change(t) || transport_bind(t) ? -1 : 0;
}

static void show(const char *name, void *arg)
{
	(void)arg;
	report("domain parent=%s type=%s mode=%s", parent(name).s,
	       read_token(VIRTIO_DEVICES "/%s/../iommu_group/type", name).s, mode_token(name).s);
}

/* Take the type, and ":bound" to leave the drivers where they are. */
static void step_domain(const char *arg)
{
	const char *bound = arg ? strchr(arg, ':') : NULL;

	type = token_fmt("%.*s", arg ? (int)strcspn(arg, ":") : 0, arg ? arg : "");
	if (bound && strcmp(bound, ":bound"))
		fail("unknown-word", bound);
	else if (bound)
		transport_each(change);
	else if (transport_once(transport_unbind, change_and_bind))
		fail("domain", type.s);
	for_each(VIRTIO_DEVICES, "virtio", show, NULL);
}

STEP(domain, step_domain);
