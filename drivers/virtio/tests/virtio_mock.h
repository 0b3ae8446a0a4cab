/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio device that a test plugs in and out: its transport, its driver, the
 * bus it does its DMA on, and what it does with the requests it is given.
 */
#ifndef _VIRTIO_MOCK_H
#define _VIRTIO_MOCK_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-map-ops.h>
#include <linux/platform_device.h>
#include <linux/vhost_iotlb.h>
#include <uapi/linux/vhost_types.h>
#include <linux/virtio.h>
#include <linux/vringh.h>

/* No machine under test has memory up there. */
#define MOCK_OFFSET	BIT_ULL(40)
#define MOCK_SEGS	8

/* How the parent's bus carries the device's DMA, for those who ask the DMA API. */
enum mock_bus {
	MOCK_DIRECT,		/* a DMA address is a physical one */
	MOCK_OFFSET_BUS,	/* it is MOCK_OFFSET more, as dma-ranges may say */
	MOCK_NARROW,		/* one page of memory is out of the bus's reach */
	MOCK_OPS,		/* every mapping has an address of its own, and is counted */
	MOCK_BUSES,
};

/* A feature bit that belongs to device types, among those of the transport. */
#define MOCK_F_TYPE	42

/* Whom the architecture names as the device to map for. */
enum mock_names { MOCK_NOBODY, MOCK_PARENT, MOCK_OWN };

/* All of a parent that decides how its DMA is done. */
struct mock_parent {
	u64 mask, coherent_mask, limit;
	const struct dma_map_ops *ops;
	struct dev_archdata arch;
	const void *range_map;
	bool coherent;
};

/* A buffer as the device finds it, and the memory that its bus led to. */
struct mock_seg {
	u64 addr, phys;
	u32 len;
	bool write;
};

struct virtio_mock {
	struct kunit *test;
	struct virtio_device vdev;
	struct platform_device *parent;
	struct completion released;
	bool plugged;

	/* The device: what it offers, and all that reached it or was written to it. */
	u64 offers, reached, written;
	bool opted_in;
	u8 status;

	/* The driver: what it declines, what its probe() says, its virtqueue. */
	u64 declines;
	int probe_error;
	bool keeps_queue, keeps_buffers, devm_queue;
	int probed, detached;
	struct virtqueue *vq;

	/* The architecture: whom it names, and whether there is a pool for that. */
	enum mock_names names;
	bool cannot_bounce;

	/* The bus: what of memory the device can reach, and how it was mapped. */
	enum mock_bus bus;
	bool noncoherent, follows;
	void *page; /* that a narrow bus does not reach */
	struct vhost_iotlb *iotlb;
	spinlock_t iotlb_lock; /* for the taking of vringh */
	u64 next_iova;
	int calls, fail_at, live, wrong;

	/* The far side of the virtqueue. */
	unsigned int num;
	struct vringh vrh;
	u16 next;
	bool wrap;
	struct mock_seg segs[MOCK_SEGS];
	unsigned int nsegs;
};

/* Suites call these from init and exit, suite_init and suite_exit. */
int virtio_mock_start(struct kunit_suite *suite);
void virtio_mock_stop(struct kunit_suite *suite);
int virtio_mock_init(struct kunit *test);
void virtio_mock_exit(struct kunit *test);

void virtio_mock_plug(struct virtio_mock *mock, enum mock_bus bus);
void virtio_mock_unplug(struct virtio_mock *mock);

int virtio_mock_attach(struct virtio_mock *mock);
int virtio_mock_serve(struct virtio_mock *mock);
void *virtio_mock_reach(struct virtio_mock *mock, u64 addr, u64 len, u32 perm);

/* For virtio_mock_base.h alone. */
int mock_find_vq(struct virtio_device *vdev, struct virtqueue **vq,
		 void (*callback)(struct virtqueue *vq), const char *name);
dma_addr_t mock_map(struct device *dev, phys_addr_t phys, size_t size,
		    enum dma_data_direction dir, unsigned long attrs);
void mock_unmap(struct device *dev, dma_addr_t addr, size_t size,
		enum dma_data_direction dir, unsigned long attrs);

static inline void mock_get_parent(struct device *dev, struct mock_parent *state)
{
	/* Padding is compared, too. */
	memset(state, 0, sizeof(*state));
	state->mask = dma_get_mask(dev);
	state->coherent_mask = dev->coherent_dma_mask;
	state->limit = dev->bus_dma_limit;
	state->ops = get_dma_ops(dev);
	state->arch = dev->archdata;
	state->range_map = dev->dma_range_map;
	state->coherent = dev_is_dma_coherent(dev);
}

static inline struct virtio_mock *to_mock(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_mock, vdev);
}

#endif /* _VIRTIO_MOCK_H */
