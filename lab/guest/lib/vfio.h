/* SPDX-License-Identifier: GPL-2.0-only */
/* A PCI function that a program drives, behind the IOMMU. */
#ifndef LIB_VFIO_H
#define LIB_VFIO_H

#include <stddef.h>
#include <sys/types.h>

struct vfio {
	int container;
	int group;
	int device;
};

int vfio_open(struct vfio *v, const char *function);
int vfio_map(const struct vfio *v, void *mem, size_t size, unsigned long long iova);
int vfio_reset(const struct vfio *v);
off_t vfio_region(const struct vfio *v, unsigned int region);
void vfio_close(struct vfio *v);

#endif
