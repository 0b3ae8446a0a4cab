/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver of virtio-rng outside the kernel. */
#ifndef OWN_DRIVER_H
#define OWN_DRIVER_H

#include <stddef.h>
#include "vfio.h"

/* What the driver uses of the memory that it is given. */
#define OWN_DRIVER_MEMORY	4096

int own_driver_draw(const struct vfio *v, void *mem, unsigned long long iova, size_t size,
		    const void **bytes);

#endif
