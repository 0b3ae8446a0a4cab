// SPDX-License-Identifier: GPL-2.0-only
/* The GPU, and buffers of it that the CPU draws to. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "card.h"
#include "device.h"
#include "sysfs.h"
#include "text.h"

int card_open(void)
{
	struct token card = entry_name("card", VIRTIO_DEVICES "/%s/../drm", device_of("gpu").s);

	return open(token_fmt("/dev/dri/%s", card.s).s, O_RDWR | O_CLOEXEC);
}

/* Make a buffer of the size that @dumb has, and map it. */
void *card_buffer(int fd, struct drm_mode_create_dumb *dumb)
{
	struct drm_mode_map_dumb map = { 0 };

	if (ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, dumb))
		return MAP_FAILED;
	map.handle = dumb->handle;
	if (ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
		return MAP_FAILED;

	return mmap(NULL, dumb->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, map.offset);
}
