// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decide how a virtio device is handed memory: by guest-physical address, or
 * by the DMA API, and for which device memory is mapped then.
 *
 * Built into the kernel even where virtio is a module, so that architecture
 * code can register before any module is loaded.
 */
#include <kunit/static_stub.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/export.h>
#include <linux/swiotlb.h>
#include <linux/virtio.h>
#include <linux/virtio_anchor.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>
#include <xen/xen.h>

static struct device *(*virtio_dma_arch)(struct virtio_device *vdev);

/**
 * virtio_set_dma_arch - let the architecture name the devices to map for
 * @fn: the hook. It is passed a device whose transport set
 *	&virtio_device.parent_dma. It returns NULL to leave that device alone;
 *	the virtio device itself, &vdev->dev, if it reaches the physical
 *	addresses of shared pages and nothing else; or vdev->dev.parent, if the
 *	parent's IOMMU translates for it.
 *
 * The hook changes nothing, may be asked at any time in process context, and
 * gives the same answer for the same features. The core prepares the device
 * that it names.
 *
 * Call this once, before the first device is probed: the hook does not see
 * those that are probed earlier. An architecture with several reasons has one
 * hook for all of them.
 *
 * Context: Process context.
 */
void virtio_set_dma_arch(struct device *(*fn)(struct virtio_device *vdev))
{
	if (!WARN_ON(virtio_dma_arch))
		virtio_dma_arch = fn;
}

struct device *virtio_dma_arch_dev(struct virtio_device *vdev)
{
	KUNIT_STATIC_STUB_REDIRECT(virtio_dma_arch_dev, vdev);

	return virtio_dma_arch ? virtio_dma_arch(vdev) : NULL;
}
EXPORT_SYMBOL_GPL(virtio_dma_arch_dev);

/* Ask only for transports whose parent does the DMA. */
static struct device *virtio_dma_claim(struct virtio_device *vdev)
{
	return vdev->parent_dma ? virtio_dma_arch_dev(vdev) : NULL;
}

bool virtio_dma_on_xen(void)
{
	KUNIT_STATIC_STUB_REDIRECT(virtio_dma_on_xen);

	return xen_domain();
}
EXPORT_SYMBOL_GPL(virtio_dma_on_xen);

/* Whether the platform restricts what devices access, for @vdev as well. */
bool virtio_dma_restricted(struct virtio_device *vdev)
{
	KUNIT_STATIC_STUB_REDIRECT(virtio_dma_restricted, vdev);

	return virtio_check_mem_acc_cb(vdev);
}
EXPORT_SYMBOL_GPL(virtio_dma_restricted);

/**
 * virtio_dma_accepts - whether VIRTIO_F_PLATFORM_DMA may be accepted
 * @vdev: the device
 *
 * A legacy interface has no such bit, and a device that the architecture
 * claims has no use for it.
 *
 * Context: Process context.
 * Return: true if the transport opted in, the device is not a legacy one, and
 * the architecture does not claim it.
 */
bool virtio_dma_accepts(struct virtio_device *vdev)
{
	return vdev->parent_dma && virtio_has_feature(vdev, VIRTIO_F_VERSION_1) &&
	       !virtio_dma_claim(vdev);
}
EXPORT_SYMBOL_GPL(virtio_dma_accepts);

/**
 * virtio_dma_decide - the DMA mode that the features as they stand lead to
 * @vdev: the device
 *
 * The decision table of Documentation/virtio/dma-modes.rst, row by row. It
 * changes nothing. A driver calls it in validate(), if its features depend on
 * the mode; from probe() on, virtio_dma_dev() has the answer.
 *
 * Context: Process context.
 * Return: the mode, never %VIRTIO_DMA_UNDECIDED.
 */
enum virtio_dma_mode virtio_dma_decide(struct virtio_device *vdev)
{
	if (!virtio_has_dma_quirk(vdev))
		return VIRTIO_DMA_ACCESS_PLATFORM;

	/*
	 * Xen installs DMA ops that know which frames the back end can reach,
	 * for devices that were told nothing as well.
	 */
	if (virtio_dma_on_xen())
		return VIRTIO_DMA_XEN;

	if (virtio_dma_claim(vdev))
		return VIRTIO_DMA_ARCH;

	if (virtio_has_feature(vdev, VIRTIO_F_PLATFORM_DMA))
		return VIRTIO_DMA_PLATFORM_DMA;

	return VIRTIO_DMA_PHYS;
}
EXPORT_SYMBOL_GPL(virtio_dma_decide);

/*
 * Whoever serves a device that was told nothing accesses memory through the
 * CPU's caches, whatever the platform says of the device's parent.
 */
static int virtio_dma_set_coherent(struct device *dev)
{
	dev_assign_dma_coherent(dev, true);

	/* Have the need for cache maintenance worked out anew. */
	return dma_set_mask(dev, dma_get_mask(dev));
}

/* Whether the guest is confidential: devices reach the pages that it shares. */
bool virtio_dma_confidential(struct virtio_device *vdev)
{
	KUNIT_STATIC_STUB_REDIRECT(virtio_dma_confidential, vdev);

	return force_dma_unencrypted(vdev->dev.parent);
}
EXPORT_SYMBOL_GPL(virtio_dma_confidential);

/* Whether whatever is mapped for @dev goes through pages that are shared. */
bool virtio_dma_can_bounce(struct device *dev)
{
	KUNIT_STATIC_STUB_REDIRECT(virtio_dma_can_bounce, dev);

	return is_swiotlb_active(dev) && force_dma_unencrypted(dev);
}
EXPORT_SYMBOL_GPL(virtio_dma_can_bounce);

/*
 * Make the virtio device itself a device for DMA: mapped directly, at physical
 * addresses, as far as the transport reaches, in pages that are shared. All of
 * it is the virtio device's own and goes with it, so nothing is ever put back.
 */
static const char *virtio_dma_prepare_own(struct virtio_device *vdev)
{
	struct device *dev = &vdev->dev, *parent = dev->parent;

	/* Some architectures give ops to every device. These do not bounce. */
	if (get_dma_ops(dev))
		return "the architecture's DMA ops do not bounce";

	vdev->dma_mask = dma_get_mask(parent);
	dev->dma_mask = &vdev->dma_mask;
	if (parent->dma_parms)
		vdev->dma_parms = *parent->dma_parms;
	dev->dma_parms = &vdev->dma_parms;
#ifdef CONFIG_SWIOTLB
	dev->dma_io_tlb_mem = parent->dma_io_tlb_mem;
#endif
	if (virtio_dma_set_coherent(dev) ||
	    dma_set_coherent_mask(dev, parent->coherent_dma_mask))
		return "no usable DMA mask";

	if (!virtio_dma_can_bounce(dev))
		return "no SWIOTLB pool to bounce through";

	return NULL;
}

/*
 * Whether anything can be mapped for the parent. In a confidential guest without
 * a pool that takes an IOMMU. Do not try where there is a pool: it may be full.
 */
bool virtio_dma_can_map(struct virtio_device *vdev)
{
	struct device *dev = vdev->dev.parent;
	dma_addr_t addr;

	KUNIT_STATIC_STUB_REDIRECT(virtio_dma_can_map, vdev);

	if (!virtio_dma_confidential(vdev) || is_swiotlb_active(dev))
		return true;

	addr = dma_map_single_attrs(dev, vdev, sizeof(*vdev), DMA_TO_DEVICE,
				    DMA_ATTR_SKIP_CPU_SYNC);
	if (dma_mapping_error(dev, addr))
		return false;

	dma_unmap_single_attrs(dev, addr, sizeof(*vdev), DMA_TO_DEVICE,
			       DMA_ATTR_SKIP_CPU_SYNC);
	return true;
}
EXPORT_SYMBOL_GPL(virtio_dma_can_map);

static int virtio_dma_prepare(struct virtio_device *vdev, struct device *dma_dev)
{
	const char *reason = NULL;

	if (dma_dev == &vdev->dev)
		reason = virtio_dma_prepare_own(vdev);
	else if (virtio_dma_confidential(vdev))
		reason = "the IOMMU would translate to pages that are not shared";
	else if (virtio_dma_set_coherent(dma_dev))
		reason = "no usable DMA mask";

	if (reason) {
		dev_err(&vdev->dev, "device needs the DMA API: %s\n", reason);
		return -ENODEV;
	}

	dev_info(&vdev->dev, "using the DMA API: %s\n",
		 dma_dev == &vdev->dev ? "bouncing through shared pages" :
					 "coherent, through the IOMMU");
	return 0;
}

/**
 * virtio_dma_setup - decide a device's DMA mode and the device to map for
 * @vdev: the device, its features final
 *
 * The decision holds until the next driver is bound: it outlives a reset, a
 * suspend and the driver itself, whose mappings and virtqueues may be freed
 * later, by devres or when the last user closes a file.
 *
 * Context: Process context, may sleep.
 * Return: 0; or -ENODEV, after a message, if the device that the architecture
 * named cannot be prepared, or nothing can be mapped for the parent. The mode
 * is undecided then, and the ring makes no virtqueue.
 */
int virtio_dma_setup(struct virtio_device *vdev)
{
	enum virtio_dma_mode mode = virtio_dma_decide(vdev);
	struct device *dma_dev = NULL;
	int err;

	vdev->dma_mode = VIRTIO_DMA_UNDECIDED;
	vdev->dma_dev = NULL;

	if (mode == VIRTIO_DMA_ARCH) {
		dma_dev = virtio_dma_claim(vdev);
		err = virtio_dma_prepare(vdev, dma_dev);
		if (err)
			return err;
	} else if (mode != VIRTIO_DMA_PHYS && !vdev->map) {
		dma_dev = vdev->dev.parent;
		if (vdev->parent_dma && !virtio_dma_can_map(vdev)) {
			dev_err(&vdev->dev,
				"device needs the DMA API: nothing can be mapped\n");
			return -ENODEV;
		}
	}

	vdev->dma_dev = dma_dev;
	vdev->dma_mode = mode;
	return 0;
}
EXPORT_SYMBOL_GPL(virtio_dma_setup);

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
		[VIRTIO_DMA_XEN]		= "xen",
		[VIRTIO_DMA_ARCH]		= "arch",
		[VIRTIO_DMA_PLATFORM_DMA]	= "platform_dma",
	};

	return mode < ARRAY_SIZE(names) ? names[mode] : NULL;
}
EXPORT_SYMBOL_GPL(virtio_dma_mode_name);
