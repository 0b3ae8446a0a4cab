// SPDX-License-Identifier: GPL-2.0-only
/* A PCI function that a program drives, behind the IOMMU. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "sysfs.h"
#include "text.h"
#include "vfio.h"

/* The function's driver is vfio-pci already. On an error close what is open. */
int vfio_open(struct vfio *v, const char *function)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	struct token group = link_name(PCI_DEVICES "/%s/iommu_group", function);

	v->device = -1;
	v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	v->group = open(token_fmt("/dev/vfio/%s", group.s).s, O_RDWR | O_CLOEXEC);
	if (v->container < 0 || v->group < 0 ||
	    ioctl(v->group, VFIO_GROUP_GET_STATUS, &status))
		return -1;
	/* Someone else has a driver for a function of the group. */
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		errno = EBUSY;
		return -1;
	}
	if (ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container) ||
	    ioctl(v->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -1;
	v->device = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, function);

	return v->device < 0 ? -1 : 0;
}

/* Let the device reach @mem at @iova, and nothing else. */
int vfio_map(const struct vfio *v, void *mem, size_t size, unsigned long long iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (unsigned long)mem,
		.iova = iova,
		.size = size,
	};

	return ioctl(v->container, VFIO_IOMMU_MAP_DMA, &map);
}

int vfio_reset(const struct vfio *v)
{
	return ioctl(v->device, VFIO_DEVICE_RESET);
}

/* Where a BAR, or the configuration space, is in the device's file. */
off_t vfio_region(const struct vfio *v, unsigned int region)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = region };

	return ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, &info) ? -1 : (off_t)info.offset;
}

void vfio_close(struct vfio *v)
{
	close_quietly(v->device);
	close_quietly(v->group);
	close_quietly(v->container);
}
