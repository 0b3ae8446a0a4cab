// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decide how a virtio device is handed memory: by guest-physical address, or
 * through the DMA API of its transport's parent device.
 *
 * Built into the kernel even where virtio is a module, so that architecture
 * code can register before any module is loaded.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>
#include <xen/xen.h>

static const struct virtio_dma_arch_ops *virtio_dma_arch;

/**
 * virtio_set_dma_arch - let the architecture claim devices for the DMA API
 * @ops: the hook; must stay valid while a device is bound. NULL removes it.
 *
 * Devices that have already negotiated keep their mode, so an architecture
 * calls this before the first device is probed, from an early initcall.
 *
 * Context: Any context.
 * Return: the hook that was registered before, or NULL.
 */
const struct virtio_dma_arch_ops *
virtio_set_dma_arch(const struct virtio_dma_arch_ops *ops)
{
	return xchg(&virtio_dma_arch, ops);
}
EXPORT_SYMBOL_GPL(virtio_set_dma_arch);

/**
 * virtio_dma_accepts - whether VIRTIO_F_PLATFORM_DMA may be accepted
 * @vdev: the device, DMA masks of its parent set
 *
 * It is an offer, so a device goes on by the rows of the table that follow
 * where it is not accepted. A legacy interface has no such bit.
 *
 * Context: Process context.
 * Return: true if the transport opted in, the device is not a legacy one, and
 * the architecture does not decline.
 */
bool virtio_dma_accepts(const struct virtio_device *vdev)
{
	const struct virtio_dma_arch_ops *arch = READ_ONCE(virtio_dma_arch);

	return vdev->platform_dma &&
	       virtio_has_feature(vdev, VIRTIO_F_VERSION_1) &&
	       !(arch && arch->declines && arch->declines(vdev));
}
EXPORT_SYMBOL_GPL(virtio_dma_accepts);

/* The decision table of Documentation/virtio/dma-modes.rst, row by row. */
static enum virtio_dma_mode decide(const struct virtio_device *vdev,
				   const struct virtio_dma_arch_ops *arch)
{
	if (!virtio_has_dma_quirk(vdev))
		return VIRTIO_DMA_ACCESS_PLATFORM;

	if (virtio_has_feature(vdev, VIRTIO_F_PLATFORM_DMA))
		return VIRTIO_DMA_PLATFORM_DMA;

	/*
	 * Xen installs DMA ops that know which frames the back end can reach,
	 * for devices that were told nothing as well.
	 */
	if (xen_domain())
		return VIRTIO_DMA_XEN;

	if (vdev->platform_dma && arch && arch->claims(vdev))
		return VIRTIO_DMA_ARCH;

	return VIRTIO_DMA_PHYS;
}

/**
 * virtio_dma_decide - the DMA mode that the features as they stand lead to
 * @vdev: the device
 *
 * For a driver's validate() that must know the mode before features are
 * final. It changes nothing; afterwards, ask virtio_use_dma_api().
 *
 * Context: Process context.
 * Return: the mode, never %VIRTIO_DMA_UNDECIDED.
 */
enum virtio_dma_mode virtio_dma_decide(const struct virtio_device *vdev)
{
	return decide(vdev, READ_ONCE(virtio_dma_arch));
}
EXPORT_SYMBOL_GPL(virtio_dma_decide);

/**
 * virtio_dma_setup - decide a device's DMA mode and prepare its parent for it
 * @vdev: the device, its features final
 *
 * Decide anew at every negotiation, starting from the parent's own state.
 *
 * Context: Process context, may sleep.
 * Return: 0, or the negative errno of the architecture's set-up, with the
 * mode left undecided.
 */
int virtio_dma_setup(struct virtio_device *vdev)
{
	const struct virtio_dma_arch_ops *arch = READ_ONCE(virtio_dma_arch);
	enum virtio_dma_mode mode;
	int err;

	/*
	 * A driver that does not freeze keeps its virtqueues across a restore.
	 * Keep the mode that they were allocated in, or they cannot be freed.
	 */
	if (!list_empty(&vdev->vqs))
		return 0;

	virtio_dma_release(vdev);

	mode = decide(vdev, arch);
	if (mode == VIRTIO_DMA_ARCH) {
		err = arch->setup(vdev);
		if (err) {
			vdev->dma_arch_priv = NULL;
			return err;
		}
		vdev->dma_arch = arch;
	}
	vdev->dma_mode = mode;

	return 0;
}
EXPORT_SYMBOL_GPL(virtio_dma_setup);

/**
 * virtio_dma_release - forget a device's DMA mode and undo its preparation
 * @vdev: the device, its virtqueues gone
 *
 * Harmless on a device whose mode is undecided.
 *
 * Context: Process context, may sleep.
 */
void virtio_dma_release(struct virtio_device *vdev)
{
	if (vdev->dma_arch)
		vdev->dma_arch->undo(vdev);

	vdev->dma_arch = NULL;
	vdev->dma_arch_priv = NULL;
	vdev->dma_mode = VIRTIO_DMA_UNDECIDED;
}
EXPORT_SYMBOL_GPL(virtio_dma_release);

/**
 * virtio_dma_mode_name - the name of a DMA mode, as sysfs shows it
 * @mode: the mode
 *
 * Context: Any context.
 * Return: the name, or NULL for %VIRTIO_DMA_UNDECIDED.
 */
const char *virtio_dma_mode_name(enum virtio_dma_mode mode)
{
	static const char * const names[] = {
		[VIRTIO_DMA_PHYS]		= "phys",
		[VIRTIO_DMA_ACCESS_PLATFORM]	= "access_platform",
		[VIRTIO_DMA_PLATFORM_DMA]	= "platform_dma",
		[VIRTIO_DMA_XEN]		= "xen",
		[VIRTIO_DMA_ARCH]		= "arch",
	};

	return mode < ARRAY_SIZE(names) ? names[mode] : NULL;
}
EXPORT_SYMBOL_GPL(virtio_dma_mode_name);
