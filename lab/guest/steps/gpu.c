// SPDX-License-Identifier: GPL-2.0-only
/* Show a picture on the screen of the GPU, for the host to look at. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../lib/card.h"
#include "../lib/cmdline.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/step.h"

#define PIXEL	4

struct screen {
	__u32 connector;
	__u32 crtc;
	__u32 fb;
	struct drm_mode_modeinfo mode;
};

/* The GPU has one screen: take what comes first. */
static int find_screen(int fd, struct screen *screen)
{
	struct drm_mode_card_res res = {
		.count_connectors = 1,
		.connector_id_ptr = (unsigned long)&screen->connector,
		.count_crtcs = 1,
		.crtc_id_ptr = (unsigned long)&screen->crtc,
	};
	struct drm_mode_get_connector get = { 0 };
	struct drm_mode_modeinfo *modes;
	int ret;

	if (ioctl(fd, DRM_IOCTL_MODE_GETRESOURCES, &res))
		return -1;

	/* Without room for modes this asks the device, with room it lists them. */
	get.connector_id = screen->connector;
	if (ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &get))
		return -1;
	if (!get.count_modes) {
		errno = ENODEV;
		return -1;
	}
	modes = calloc(get.count_modes, sizeof(*modes));
	get.modes_ptr = (unsigned long)modes;
	get.count_props = 0;
	get.count_encoders = 0;
	ret = modes ? ioctl(fd, DRM_IOCTL_MODE_GETCONNECTOR, &get) : -1;
	/* The one that the device prefers is the first. */
	if (!ret)
		screen->mode = modes[0];
	free(modes);

	return ret;
}

/* Make a frame buffer that is all black. */
static void *make_buffer(int fd, struct screen *screen, struct drm_mode_create_dumb *dumb)
{
	struct drm_mode_fb_cmd fb = { 0 };
	void *pixels;

	dumb->width = screen->mode.hdisplay;
	dumb->height = screen->mode.vdisplay;
	dumb->bpp = 8 * PIXEL;
	pixels = card_buffer(fd, dumb);
	if (pixels == MAP_FAILED)
		return pixels;

	fb.width = dumb->width;
	fb.height = dumb->height;
	fb.pitch = dumb->pitch;
	fb.bpp = dumb->bpp;
	fb.depth = 24;
	fb.handle = dumb->handle;
	if (ioctl(fd, DRM_IOCTL_MODE_ADDFB, &fb))
		return MAP_FAILED;
	screen->fb = fb.fb_id;

	return pixels;
}

static int show(int fd, struct screen *screen)
{
	struct drm_mode_crtc crtc = {
		.set_connectors_ptr = (unsigned long)&screen->connector,
		.count_connectors = 1,
		.crtc_id = screen->crtc,
		.fb_id = screen->fb,
		.mode_valid = 1,
		.mode = screen->mode,
	};

	return ioctl(fd, DRM_IOCTL_MODE_SETCRTC, &crtc);
}

/* Draw when the screen is on: the device must fetch it once more. */
static int draw(int fd, const struct screen *screen, char *to, size_t pitch)
{
	struct drm_mode_fb_dirty_cmd dirty = { .fb_id = screen->fb };
	__u64 seed = strtoull(param("vdma.seed"), NULL, 16);
	unsigned int y;

	for (y = 0; y < screen->mode.vdisplay; y++)
		seed = fill_pattern((__u64 *)(to + y * pitch), screen->mode.hdisplay * PIXEL,
				    seed);

	return ioctl(fd, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

static void picture(int fd)
{
	struct drm_mode_create_dumb dumb = { 0 };
	struct screen screen = { 0 };
	void *pixels;

	if (find_screen(fd, &screen)) {
		fail("screen", NULL);
		return;
	}
	pixels = make_buffer(fd, &screen, &dumb);
	if (pixels == MAP_FAILED)
		fail("buffer", NULL);
	else if (show(fd, &screen))
		fail("show", NULL);
	else if (draw(fd, &screen, pixels, dumb.pitch))
		fail("draw", NULL);
	else if (!ask("look device=gpu"))
		report("gpu width=%u height=%u", dumb.width, dumb.height);
}

static void step_gpu(const char *arg)
{
	int fd = card_open();

	(void)arg;
	if (fd < 0) {
		fail("open", NULL);
		return;
	}
	picture(fd);
	/* All that was made goes with it. */
	close(fd);
}

STEP(gpu, step_gpu);
