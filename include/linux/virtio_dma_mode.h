/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_VIRTIO_DMA_MODE_H
#define _LINUX_VIRTIO_DMA_MODE_H

#include <linux/types.h>

struct device;
struct virtio_device;

/**
 * enum virtio_dma_mode - how a virtio device is handed memory addresses
 * @VIRTIO_DMA_UNDECIDED: no driver has been bound yet, so there is no virtqueue
 * @VIRTIO_DMA_PHYS: guest-physical addresses, the DMA API is bypassed
 * @VIRTIO_DMA_ACCESS_PLATFORM: DMA API, VIRTIO_F_ACCESS_PLATFORM negotiated
 * @VIRTIO_DMA_XEN: DMA API, the kernel is a Xen guest
 * @VIRTIO_DMA_ARCH: DMA API, for the device that the architecture named
 * @VIRTIO_DMA_PLATFORM_DMA: DMA API, VIRTIO_F_PLATFORM_DMA negotiated
 */
enum virtio_dma_mode {
	VIRTIO_DMA_UNDECIDED,
	VIRTIO_DMA_PHYS,
	VIRTIO_DMA_ACCESS_PLATFORM,
	VIRTIO_DMA_XEN,
	VIRTIO_DMA_ARCH,
	VIRTIO_DMA_PLATFORM_DMA,
};

#ifdef CONFIG_VIRTIO_DMA_MODE
void virtio_set_dma_arch(struct device *(*fn)(struct virtio_device *vdev));
bool virtio_dma_confidential(struct virtio_device *vdev);
#else
static inline void
virtio_set_dma_arch(struct device *(*fn)(struct virtio_device *vdev))
{
}

static inline bool virtio_dma_confidential(struct virtio_device *vdev)
{
	return false;
}
#endif

bool virtio_dma_accepts(struct virtio_device *vdev);
enum virtio_dma_mode virtio_dma_decide(struct virtio_device *vdev);
int virtio_dma_setup(struct virtio_device *vdev);
const char *virtio_dma_mode_name(enum virtio_dma_mode mode);

/* The core's own, and for KUnit to redirect. */
struct device *virtio_dma_arch_dev(struct virtio_device *vdev);
bool virtio_dma_on_xen(void);
bool virtio_dma_restricted(struct virtio_device *vdev);
bool virtio_dma_can_bounce(struct device *dev);
bool virtio_dma_can_map(struct virtio_device *vdev);

#endif /* _LINUX_VIRTIO_DMA_MODE_H */
