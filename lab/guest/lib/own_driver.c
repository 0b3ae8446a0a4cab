// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of virtio-rng outside the kernel: a modern device, one request.
 *
 * All that the device is told are addresses of the program's own, which lead
 * nowhere unless its accesses go through the IOMMU.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <unistd.h>
#include "own_driver.h"
#include "patience.h"

#define PLATFORM_DMA	44	/* newer than the headers of the system */
#define DESCS		2
#define ANSWER_MS	5000

/* How the memory is used; each part is aligned as its kind must be. */
struct layout {
	struct vring_desc desc[DESCS];
	struct {
		__u16 flags, idx, ring[DESCS], event;
	} avail;
	_Alignas(16) struct {
		__u16 flags, idx;
		struct vring_used_elem ring[DESCS];
		__u16 event;
	} used;
	_Alignas(16) unsigned char bytes[OWN_DRIVER_MEMORY / 2];
};

_Static_assert(sizeof(struct layout) <= OWN_DRIVER_MEMORY, "the memory is too small");

struct place {
	off_t at;	/* in the device's file */
	__u32 multiplier;
};

static __u32 get(const struct vfio *v, off_t at, size_t size)
{
	__u32 value = 0;

	return pread(v->device, &value, size, at) == (ssize_t)size ? value : ~0U;
}

static void put(const struct vfio *v, off_t at, size_t size, __u32 value)
{
	/* What is lost shows when the device does not answer. */
	if (pwrite(v->device, &value, size, at) != (ssize_t)size)
		errno = EIO;
}

/* Find a structure of the device by the capability that says where it is. */
static int find(const struct vfio *v, off_t config, unsigned int type, struct place *place)
{
	__u32 cap = get(v, config + PCI_CAPABILITY_LIST, 1);

	for (; cap >= PCI_STD_HEADER_SIZEOF && cap < PCI_CFG_SPACE_SIZE;
	     cap = get(v, config + cap + PCI_CAP_LIST_NEXT, 1)) {
		if (get(v, config + cap, 1) != PCI_CAP_ID_VNDR ||
		    get(v, config + cap + VIRTIO_PCI_CAP_CFG_TYPE, 1) != type)
			continue;
		place->at = vfio_region(v, VFIO_PCI_BAR0_REGION_INDEX +
					get(v, config + cap + VIRTIO_PCI_CAP_BAR, 1));
		if (place->at < 0)
			return -1;
		place->at += get(v, config + cap + VIRTIO_PCI_CAP_OFFSET, 4);
		place->multiplier = get(v, config + cap + sizeof(struct virtio_pci_cap), 4);
		return 0;
	}
	errno = ENODEV;

	return -1;
}

/* Accept a bit of the upper 32 if it is offered. */
static __u32 accept(__u32 offered, unsigned int bit)
{
	return offered & 1U << (bit - 32);
}

static int negotiate(const struct vfio *v, off_t common)
{
	__u32 offered, status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	put(v, common + VIRTIO_PCI_COMMON_STATUS, 1, 0);
	put(v, common + VIRTIO_PCI_COMMON_STATUS, 1, status);
	put(v, common + VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	offered = get(v, common + VIRTIO_PCI_COMMON_DF, 4);
	put(v, common + VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	put(v, common + VIRTIO_PCI_COMMON_GF, 4, 0);
	put(v, common + VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	put(v, common + VIRTIO_PCI_COMMON_GF, 4, accept(offered, VIRTIO_F_VERSION_1) |
	    accept(offered, VIRTIO_F_ACCESS_PLATFORM) | accept(offered, PLATFORM_DMA));
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	put(v, common + VIRTIO_PCI_COMMON_STATUS, 1, status);
	if (get(v, common + VIRTIO_PCI_COMMON_STATUS, 1) == status)
		return 0;
	errno = EPROTO;

	return -1;
}

static void set_address(const struct vfio *v, off_t at, unsigned long long address)
{
	put(v, at, 4, address);
	put(v, at + 4, 4, address >> 32);
}

static void set_ring(const struct vfio *v, off_t common, unsigned long long iova)
{
	put(v, common + VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	put(v, common + VIRTIO_PCI_COMMON_Q_SIZE, 2, DESCS);
	set_address(v, common + VIRTIO_PCI_COMMON_Q_DESCLO, iova + offsetof(struct layout, desc));
	set_address(v, common + VIRTIO_PCI_COMMON_Q_AVAILLO,
		    iova + offsetof(struct layout, avail));
	set_address(v, common + VIRTIO_PCI_COMMON_Q_USEDLO, iova + offsetof(struct layout, used));
	put(v, common + VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	put(v, common + VIRTIO_PCI_COMMON_STATUS, 1,
	    get(v, common + VIRTIO_PCI_COMMON_STATUS, 1) | VIRTIO_CONFIG_S_DRIVER_OK);
}

/*
 * Have the device write @size bytes into memory that it knows at @iova.
 * Return how many it wrote, and show where they are.
 */
int own_driver_draw(const struct vfio *v, void *mem, unsigned long long iova, size_t size,
		    const void **bytes)
{
	off_t config = vfio_region(v, VFIO_PCI_CONFIG_REGION_INDEX);
	struct patience p = patience(ANSWER_MS);
	struct layout *l = mem;
	struct place common, notify;

	if (config < 0 || size > sizeof(l->bytes) ||
	    find(v, config, VIRTIO_PCI_CAP_COMMON_CFG, &common) ||
	    find(v, config, VIRTIO_PCI_CAP_NOTIFY_CFG, &notify))
		return -1;

	memset(l, 0, sizeof(*l));
	put(v, config + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	if (negotiate(v, common.at))
		return -1;
	set_ring(v, common.at, iova);

	l->desc[0] = (struct vring_desc){ .addr = iova + offsetof(struct layout, bytes),
					  .len = size, .flags = VRING_DESC_F_WRITE };
	__atomic_store_n(&l->avail.idx, 1, __ATOMIC_RELEASE);
	notify.at += get(v, common.at + VIRTIO_PCI_COMMON_Q_NOFF, 2) * notify.multiplier;
	put(v, notify.at, 2, 0);
	while (!__atomic_load_n(&l->used.idx, __ATOMIC_ACQUIRE)) {
		if (!wait_ms(&p, 1)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
	*bytes = l->bytes;

	return l->used.ring[0].len;
}
