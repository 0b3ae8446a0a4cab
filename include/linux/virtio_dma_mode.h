/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_VIRTIO_DMA_MODE_H
#define _LINUX_VIRTIO_DMA_MODE_H

#include <linux/types.h>

struct virtio_device;

/**
 * enum virtio_dma_mode - how a virtio device is handed memory addresses
 * @VIRTIO_DMA_UNDECIDED: no negotiation has succeeded since the last driver left
 * @VIRTIO_DMA_PHYS: guest-physical addresses, the DMA API is bypassed
 * @VIRTIO_DMA_ACCESS_PLATFORM: DMA API, VIRTIO_F_ACCESS_PLATFORM negotiated
 * @VIRTIO_DMA_PLATFORM_DMA: DMA API, VIRTIO_F_PLATFORM_DMA negotiated
 * @VIRTIO_DMA_XEN: DMA API, the kernel is a Xen guest
 * @VIRTIO_DMA_ARCH: DMA API, the architecture claimed the device
 *
 * Every mode after @VIRTIO_DMA_PHYS uses the DMA API.
 */
enum virtio_dma_mode {
	VIRTIO_DMA_UNDECIDED,
	VIRTIO_DMA_PHYS,
	VIRTIO_DMA_ACCESS_PLATFORM,
	VIRTIO_DMA_PLATFORM_DMA,
	VIRTIO_DMA_XEN,
	VIRTIO_DMA_ARCH,
};

/**
 * struct virtio_dma_arch_ops - the architecture's word on a device's DMA
 * @declines: true if @vdev must not accept VIRTIO_F_PLATFORM_DMA, because what
 *	the DMA API makes of the platform's description would not work. Must
 *	change nothing; may be asked more than once. NULL if that never is so.
 * @claims: true if @vdev must use the DMA API although it was not told so.
 *	Must change nothing, since a driver may ask before features are final,
 *	and must give the same answer for the same features whenever asked.
 * @setup: make the DMA configuration of vdev->dev.parent fit a device that
 *	was not told. May keep what @undo needs in vdev->dma_arch_priv. Returns
 *	0; or -ENODEV, which the driver core does not comment on, after one
 *	dev_err() that names the reason and with the parent left as it was.
 * @undo: put the parent back into the state that @setup found.
 *
 * @setup and @undo are called in pairs, may sleep, and never run while the
 * device has a virtqueue. Only devices whose transport set
 * &virtio_device.platform_dma are ever passed.
 */
struct virtio_dma_arch_ops {
	bool (*declines)(const struct virtio_device *vdev);
	bool (*claims)(const struct virtio_device *vdev);
	int (*setup)(struct virtio_device *vdev);
	void (*undo)(struct virtio_device *vdev);
};

#ifdef CONFIG_VIRTIO_DMA_MODE
const struct virtio_dma_arch_ops *
virtio_set_dma_arch(const struct virtio_dma_arch_ops *ops);
#else
static inline const struct virtio_dma_arch_ops *
virtio_set_dma_arch(const struct virtio_dma_arch_ops *ops)
{
	return NULL;
}
#endif

bool virtio_dma_accepts(const struct virtio_device *vdev);
enum virtio_dma_mode virtio_dma_decide(const struct virtio_device *vdev);
int virtio_dma_setup(struct virtio_device *vdev);
void virtio_dma_release(struct virtio_device *vdev);
const char *virtio_dma_mode_name(enum virtio_dma_mode mode);

#endif /* _LINUX_VIRTIO_DMA_MODE_H */
