// SPDX-License-Identifier: GPL-2.0-only
/* Hold a buffer of the GPU while its device goes, and let it go after that. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/card.h"
#include "../lib/device.h"
#include "../lib/driver.h"
#include "../lib/module.h"
#include "../lib/patience.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define POOL_USED	"/sys/kernel/debug/swiotlb/io_tlb_used"
#define TRANSPORT	"virtio_pci"
#define PROBE_MS	5000

struct gpu {
	/* Take only the driver, the PCI device, or the module of the transport below. */
	enum { UNBIND, UNPLUG, MODULE } way;
	struct token name, device, driver;
};

static int take(struct gpu *gpu)
{
	gpu->name = device_of("gpu");
	gpu->device = parent(gpu->name.s);
	if (gpu->way == UNBIND)
		return driver_unbind(gpu->name.s, &gpu->driver);
	if (gpu->way == MODULE)
		return module_unload(TRANSPORT);

	return write_text(token_fmt(PCI_DEVICES "/%s/remove", gpu->device.s).s, "1");
}

static int give(const struct gpu *gpu)
{
	struct patience p = patience(PROBE_MS);

	if (gpu->way == UNBIND)
		return driver_bind(gpu->name.s, &gpu->driver);
	if (gpu->way == MODULE)
		module_load(TRANSPORT);
	else if (write_text("/sys/bus/pci/rescan", "1"))
		return -1;
	while (!strcmp(device_of("gpu").s, "-")) {
		if (!wait_ms(&p, 1)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}

	return 0;
}

/* What is drawn after the last transfer is in the buffer alone. */
static bool hold(struct gpu *gpu, __u64 *pixels, size_t size, __u64 *drawn, struct token *gone)
{
	fill_pattern(pixels, size, size);
	fill_pattern(drawn, size, size);
	if (take(gpu)) {
		fail("take", gpu->device.s);
		return false;
	}
	*gone = read_token(POOL_USED);
	no_mappings(gpu->name.s);
	no_mappings(gpu->device.s);

	return !memcmp(pixels, drawn, size);
}

static int hold_once(struct gpu *gpu, unsigned long round)
{
	struct drm_mode_create_dumb dumb = { .width = 640, .height = 480, .bpp = 32 };
	struct token before = read_token(POOL_USED), held, gone = { "-" };
	int fd = card_open();
	void *pixels, *drawn;
	bool kept = false;

	pixels = fd < 0 ? MAP_FAILED : card_buffer(fd, &dumb);
	if (pixels == MAP_FAILED) {
		fail("buffer", NULL);
		close(fd);
		return -1;
	}
	held = read_token(POOL_USED);
	drawn = malloc(dumb.size);
	if (drawn)
		kept = hold(gpu, pixels, dumb.size, drawn, &gone);
	free(drawn);
	munmap(pixels, dumb.size);
	close(fd);
	report("hold round=%lu before=%s held=%s gone=%s closed=%s kept=%u", round, before.s,
	       held.s, gone.s, read_token(POOL_USED).s, kept);
	if (errors || give(gpu)) {
		fail("give", gpu->device.s);
		return -1;
	}
	alive();

	return 0;
}

/* Take WAY:ROUNDS, where WAY is unbind, unplug or module. */
static void step_hold(const char *arg)
{
	unsigned long i, rounds = strtoul(arg + strcspn(arg, ":") + 1, NULL, 0);
	struct gpu gpu = { .way = UNBIND };

	if (!strncmp(arg, "unplug:", 7))
		gpu.way = UNPLUG;
	else if (!strncmp(arg, "module:", 7))
		gpu.way = MODULE;

	for (i = 1; i <= rounds; i++)
		if (hold_once(&gpu, i))
			return;
}

STEP(hold, step_hold);
