// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "vdev.h"

#define DRIVERS	"/sys/bus/virtio/drivers"

static int open_at(const char *dir, const char *name, const char *file, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", dir, name, file);
	return open(path, flags | O_CLOEXEC);
}

int text_read(char *buf, size_t size, const char *dir, const char *name, const char *file)
{
	int err, fd = open_at(dir, name, file, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, buf, size - 1);

	err = len < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	buf[len < 0 ? 0 : len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';

	return err;
}

int text_write(const char *text, const char *dir, const char *name, const char *file)
{
	int err, fd = open_at(dir, name, file, O_WRONLY);
	ssize_t len = fd < 0 ? -1 : write(fd, text, strlen(text));

	err = len < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);

	return err;
}

int link_read(char *buf, size_t size, const char *dir, const char *name, const char *file)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%s/%s", dir, name, file);
	len = readlink(path, target, sizeof(target) - 1);
	target[len < 0 ? 0 : len] = '\0';
	snprintf(buf, size, "%s", basename(target));

	return len < 0 ? errno : 0;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int list(const char *path, struct dirent ***entries)
{
	int count = scandir(path, entries, not_hidden, versionsort);

	return count < 0 ? 0 : count;
}

int vdev_read(struct vdev *vdev, const char *name)
{
	char bits[256];
	int i, err;

	memset(vdev, 0, sizeof(*vdev));
	snprintf(vdev->name, sizeof(vdev->name), "%s", name);

	err = text_read(bits, sizeof(bits), VDEVS, name, "features");
	if (err)
		return err;
	for (i = 0; i < 64 && bits[i]; i++)
		vdev->features |= (uint64_t)(bits[i] == '1') << i;

	link_read(vdev->driver, sizeof(vdev->driver), VDEVS, name, "driver");
	link_read(vdev->transport, sizeof(vdev->transport), VDEVS, name, "../driver");
	text_read(vdev->domain, sizeof(vdev->domain), VDEVS, name, "../iommu_group/type");
	vdev->mode_err = text_read(vdev->mode, sizeof(vdev->mode), VDEVS, name, "dma_mode");
	return 0;
}

int vdev_unbind(const struct vdev *vdev)
{
	return text_write(vdev->name, DRIVERS, vdev->driver, "unbind");
}

int vdev_bind(const struct vdev *vdev)
{
	return text_write(vdev->name, DRIVERS, vdev->driver, "bind");
}

bool vdev_has(const struct vdev *vdev, unsigned int bit)
{
	return vdev->features >> bit & 1;
}

bool vdev_opted_in(const struct vdev *vdev)
{
	return !strcmp(vdev->transport, "virtio-pci") ||
	       !strcmp(vdev->transport, "virtio-mmio") ||
	       !strcmp(vdev->transport, "virtio_ccw");
}

static bool demanded(const struct vdev *vdev)
{
	return vdev_has(vdev, ACCESS_PLATFORM);
}

static bool accepted(const struct vdev *vdev)
{
	return vdev_has(vdev, PLATFORM_DMA);
}

static bool xen_guest(const struct vdev *vdev)
{
	char type[32];

	(void)vdev;
	text_read(type, sizeof(type), "/sys", "hypervisor", "type");
	return !strcmp(type, "xen") || !access("/proc/xen", F_OK);
}

static bool secure_power_guest(void)
{
	char svm[8];

	text_read(svm, sizeof(svm), "/sys/devices/system", "cpu", "svm");
	return !strcmp(svm, "1");
}

/* arm64 does not tell user space. */
static bool confidential_arm_guest(void)
{
	return getenv(CONFIDENTIAL);
}

static bool legacy_mmio_translated(const struct vdev *vdev)
{
	return !vdev_has(vdev, VERSION_1) && !strcmp(vdev->transport, "virtio-mmio") &&
	       !strncmp(vdev->domain, "DMA", strlen("DMA"));
}

static bool claimed(const struct vdev *vdev)
{
	struct utsname uts;

	if (!vdev_opted_in(vdev) || uname(&uts))
		return false;
	if (!strncmp(uts.machine, "ppc64", strlen("ppc64")))
		return secure_power_guest();

	return !strcmp(uts.machine, "aarch64") &&
	       (confidential_arm_guest() || legacy_mmio_translated(vdev));
}

static bool otherwise(const struct vdev *vdev)
{
	(void)vdev;
	return true;
}

const char *vdev_expected_mode(const struct vdev *vdev)
{
	static const struct row {
		const char *mode;
		bool (*holds)(const struct vdev *vdev);
	} rows[] = {
		{ "access_platform", demanded },
		{ "xen", xen_guest },
		{ "arch", claimed },
		{ "platform_dma", accepted },
		{ "phys", otherwise },
	};
	const struct row *row = rows;

	while (!row->holds(vdev))
		row++;

	return row->mode;
}

const char *vdev_named(struct vdev *vdevs, unsigned int *count)
{
	char *name, *rest, *names = strdup(getenv(NAMED) ?: "");

	*count = 0;
	for (name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		if (*count == NAMED_MAX)
			return NAMED " names too many devices";
		if (vdev_read(&vdevs[*count], name))
			return NAMED " names a device that is not there";
		if (!vdevs[(*count)++].driver[0])
			return NAMED " names a device that has no driver";
	}
	free(names);

	return *count ? NULL : NAMED " names no device that may be unbound";
}
