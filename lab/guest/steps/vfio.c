// SPDX-License-Identifier: GPL-2.0-only
/* Give a device's PCI function to a program for a while: a driver of our own, behind vfio. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "../lib/device.h"
#include "../lib/hash.h"
#include "../lib/own_driver.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"
#include "../lib/vfio.h"

#define IOVA	0x200000000ULL	/* no RAM is there */
#define BYTES	32
#define BACK_MS	5000

/* Take the function from its driver, and have the bus choose one of this name, or any. */
static int change_driver(const char *function, const char *wanted)
{
	struct token path = token_fmt(PCI_DEVICES "/%s/driver_override", function);

	if (write_text(token_fmt(PCI_DEVICES "/%s/driver/unbind", function).s, function) ||
	    write_text(path.s, wanted) ||
	    write_text("/sys/bus/pci/drivers_probe", function)) {
		fail("driver", function);
		return -1;
	}

	return 0;
}

/* Reset the device twice, and have it answer between if it is one that we can drive. */
static int use(const struct vfio *v, const char *kind, void *mem, char *hex)
{
	const void *bytes;

	if (vfio_map(v, mem, OWN_DRIVER_MEMORY, IOVA)) {
		fail("map", kind);
		return -1;
	}
	if (vfio_reset(v)) {
		fail("reset", kind);
		return -1;
	}
	if (!strcmp(kind, "rng")) {
		if (own_driver_draw(v, mem, IOVA, BYTES, &bytes) != BYTES)
			fail("no-answer", kind);
		else
			to_hex(hex, bytes, BYTES);
	}
	if (vfio_reset(v)) {
		fail("reset", kind);
		return -1;
	}

	return 0;
}

static void away(const char *kind, const char *function)
{
	struct token driver = link_name(PCI_DEVICES "/%s/driver", function);
	char hex[2 * BYTES + 1] = "-";
	struct vfio v;
	void *mem;

	mem = mmap(NULL, OWN_DRIVER_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	if (mem == MAP_FAILED || vfio_open(&v, function))
		fail("open", function);
	else if (!use(&v, kind, mem, hex))
		report("vfio device=%s driver=%s iova=%#llx bytes=%s", kind, driver.s, IOVA, hex);
	if (mem != MAP_FAILED)
		vfio_close(&v);
}

static void back(const char *kind, const char *function)
{
	struct token name = device_of(kind);
	struct patience p = patience(BACK_MS);

	while (!strcmp(name.s, "-") && wait_ms(&p, 10))
		name = device_of(kind);
	report("returned device=%s mode=%s domain=%s", kind, mode_token(name.s).s,
	       read_token(PCI_DEVICES "/%s/iommu_group/type", function).s);
}

/* Take the device. */
static void step_vfio(const char *arg)
{
	struct token name = device_of(arg ? arg : "");
	struct token function;

	if (!strcmp(name.s, "-")) {
		errno = ENODEV;
		fail("no-device", arg);
		return;
	}
	function = parent(name.s);
	if (change_driver(function.s, "vfio-pci"))
		return;
	away(arg, function.s);
	if (!change_driver(function.s, "\n"))
		back(arg, function.s);
}

STEP(vfio, step_vfio);
