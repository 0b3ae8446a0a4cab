/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LINUX_SWIOTLB_H
#define LINUX_SWIOTLB_H

#include <stddef.h>

struct device;

/* Nothing bounces in user space. */
static inline size_t swiotlb_pool_size(struct device *dev)
{
	return 0;
}

#endif /* LINUX_SWIOTLB_H */
