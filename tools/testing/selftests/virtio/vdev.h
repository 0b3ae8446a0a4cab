/* SPDX-License-Identifier: GPL-2.0-only */
/* What user space can see of a virtio device, and do to it. */
#ifndef VDEV_H
#define VDEV_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VDEVS		"/sys/bus/virtio/devices"

/* Bits of the features; headers of the system may not have all of them. */
#define EVENT_IDX	29
#define VERSION_1	32
#define ACCESS_PLATFORM	33
#define PLATFORM_DMA	44

/*
 * What a test may do beyond looking is for the user to say. VIRTIO_TEST_DEVICES
 * names devices, such as "virtio1 virtio2", that may be unbound.
 */
#define NAMED		"VIRTIO_TEST_DEVICES"
#define NAMED_MAX	64
/* Set for a guest of arm64 that is confidential. */
#define CONFIDENTIAL	"VIRTIO_TEST_CONFIDENTIAL"

struct vdev {
	char name[32];
	char driver[64];	/* empty: none is bound */
	char transport[64];	/* the driver of the parent */
	char domain[32];	/* type of the parent's IOMMU domain, empty: none */
	uint64_t features;
	char mode[32];
	int mode_err;		/* the errno of reading the mode */
};

/* What is at dir/name/file. All return 0 or an errno. */
int text_read(char *buf, size_t size, const char *dir, const char *name, const char *file);
int text_write(const char *text, const char *dir, const char *name, const char *file);
/* Read the last component of what a link points to. */
int link_read(char *buf, size_t size, const char *dir, const char *name, const char *file);

int vdev_read(struct vdev *vdev, const char *name);
int vdev_unbind(const struct vdev *vdev);
int vdev_bind(const struct vdev *vdev);

/* The entries of a folder in the order of their numbers; none if there is none. */
int list(const char *path, struct dirent ***entries);

bool vdev_has(const struct vdev *vdev, unsigned int bit);
bool vdev_opted_in(const struct vdev *vdev);

/* The mode of the table in Documentation/virtio/dma-modes.rst. */
const char *vdev_expected_mode(const struct vdev *vdev);

/* Read the devices that may be unbound, or say why there is none. */
const char *vdev_named(struct vdev *vdevs, unsigned int *count);

#endif
