// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what a device finds in its virtqueue, in each DMA mode and on
 * each kind of bus: addresses that it reaches, and data that arrives.
 */
#include <linux/cc_platform.h>
#include <linux/mm.h>
#include <linux/swiotlb.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>

#include "virtio_mock_base.h"
#include "virtio_mock_request.h"

/* What a device offers and an architecture claims, for each mode. */
static const struct mode {
	enum virtio_dma_mode mode;
	u64 offers;
	enum mock_names names;
} modes[] = {
	{ VIRTIO_DMA_PHYS },
	{ VIRTIO_DMA_ACCESS_PLATFORM, BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) },
	{ VIRTIO_DMA_PLATFORM_DMA, BIT_ULL(VIRTIO_F_PLATFORM_DMA) },
	{ VIRTIO_DMA_ARCH, 0, MOCK_PARENT },
	{ VIRTIO_DMA_ARCH, BIT_ULL(VIRTIO_F_PLATFORM_DMA), MOCK_OWN },
};

static const char * const buses[] = {
	[MOCK_DIRECT] = "direct",
	[MOCK_OFFSET_BUS] = "offset",
	[MOCK_NARROW] = "narrow",
	[MOCK_OPS] = "own addresses",
};

struct combination {
	const struct mode *mode;
	enum mock_bus bus;
};

static const struct combination all[] = {
	{ &modes[0], MOCK_DIRECT }, { &modes[0], MOCK_OFFSET_BUS },
	{ &modes[0], MOCK_NARROW }, { &modes[0], MOCK_OPS },
	{ &modes[1], MOCK_DIRECT }, { &modes[1], MOCK_OFFSET_BUS },
	{ &modes[1], MOCK_NARROW }, { &modes[1], MOCK_OPS },
	{ &modes[2], MOCK_DIRECT }, { &modes[2], MOCK_OFFSET_BUS },
	{ &modes[2], MOCK_NARROW }, { &modes[2], MOCK_OPS },
	{ &modes[3], MOCK_DIRECT }, { &modes[3], MOCK_OFFSET_BUS },
	{ &modes[3], MOCK_NARROW }, { &modes[3], MOCK_OPS },
	{ &modes[4], MOCK_DIRECT }, { &modes[4], MOCK_OFFSET_BUS },
	{ &modes[4], MOCK_NARROW }, { &modes[4], MOCK_OPS },
};

/* There is nothing to map for a device that is handed physical addresses. */
static const struct combination mapped[] = {
	{ &modes[1], MOCK_DIRECT }, { &modes[1], MOCK_OFFSET_BUS },
	{ &modes[1], MOCK_NARROW }, { &modes[1], MOCK_OPS },
	{ &modes[2], MOCK_DIRECT }, { &modes[2], MOCK_OFFSET_BUS },
	{ &modes[2], MOCK_NARROW }, { &modes[2], MOCK_OPS },
	{ &modes[3], MOCK_DIRECT }, { &modes[3], MOCK_OFFSET_BUS },
	{ &modes[3], MOCK_NARROW }, { &modes[3], MOCK_OPS },
	{ &modes[4], MOCK_DIRECT }, { &modes[4], MOCK_OPS },
};

static void combination_desc(const struct combination *both, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s%s, %s",
		 virtio_dma_mode_name(both->mode->mode),
		 both->mode->names == MOCK_OWN ? " for itself" : "", buses[both->bus]);
}

KUNIT_ARRAY_PARAM(all, all, combination_desc);
KUNIT_ARRAY_PARAM(mapped, mapped, combination_desc);

static void plug(struct virtio_mock *mock, const struct mode *mode, enum mock_bus bus,
		 const struct ring_kind *kind)
{
	struct kunit *test = mock->test;

	mock->offers = mode->offers | kind->features | BIT_ULL(VIRTIO_F_VERSION_1);
	mock->names = mode->names;
	virtio_mock_plug(mock, bus);
	KUNIT_ASSERT_EQ(test, mock->vdev.dma_mode, mode->mode);
	KUNIT_ASSERT_NOT_NULL(test, mock->vq);
}

static bool has_pool(struct device *dev)
{
#ifdef CONFIG_SWIOTLB
	return dev->dma_io_tlb_mem && dev->dma_io_tlb_mem->nslabs;
#else
	return false;
#endif
}

static void skip_unless(struct kunit *test, const struct mode *mode, enum mock_bus bus)
{
	struct virtio_mock *mock = test->priv;

	if (bus == MOCK_OPS && !MOCK_HAS_OPS)
		kunit_skip(test, "a device of this kernel has no DMA ops of its own");
	if ((bus == MOCK_OFFSET_BUS || bus == MOCK_NARROW) &&
	    IS_ENABLED(CONFIG_ARCH_HAS_PHYS_TO_DMA))
		kunit_skip(test, "the architecture has no dma-ranges");
	if (mode->names == MOCK_OWN && get_dma_ops(&mock->vdev.dev))
		kunit_skip(test, "the architecture has DMA ops for every device");
	if (bus == MOCK_NARROW && mode->mode != VIRTIO_DMA_PHYS && mode->names != MOCK_OWN &&
	    !has_pool(&mock->parent->dev))
		kunit_skip(test, "there is no swiotlb to bounce in");
}

/* Does the device find an address as the mode and the bus say? */
static void expect_address(struct virtio_mock *mock, u64 addr)
{
	bool high = mock->follows && (mock->bus == MOCK_OFFSET_BUS || mock->bus == MOCK_OPS);

	KUNIT_EXPECT_EQ_MSG(mock->test, addr >= MOCK_OFFSET, high, "address %#llx", addr);
}

static void expect_buffer(struct virtio_mock *mock, const struct mock_seg *seg, void *buffer)
{
	bool mapped = mock->vdev.dma_mode != VIRTIO_DMA_PHYS;
	bool direct = mock->bus != MOCK_OPS || !mock->follows;
	bool bounced = mapped && direct &&
		       ((mock->bus == MOCK_NARROW && mock->follows) ||
			cc_platform_has(CC_ATTR_MEM_ENCRYPT) ||
			is_swiotlb_force_bounce(&mock->parent->dev));

	expect_address(mock, seg->addr);
	/* An answer has come, so the address led to the buffer or to its bounce. */
	KUNIT_EXPECT_EQ_MSG(mock->test, seg->phys == virt_to_phys(buffer),
			    !bounced, "address %#llx", seg->addr);
}

static void expect_request(struct virtio_mock *mock)
{
	int i;

	KUNIT_ASSERT_EQ(mock->test, do_request(mock, mock->page), 0);
	KUNIT_ASSERT_EQ(mock->test, mock->nsegs, ARRAY_SIZE(request));
	for (i = 0; i < mock->nsegs; i++) {
		KUNIT_EXPECT_EQ(mock->test, mock->segs[i].len, request[i].len);
		KUNIT_EXPECT_EQ(mock->test, mock->segs[i].write, request[i].write);
		expect_buffer(mock, &mock->segs[i], mock->page + request[i].at);
	}
	expect_address(mock, virtqueue_get_desc_addr(mock->vq));
	expect_address(mock, virtqueue_get_avail_addr(mock->vq));
	expect_address(mock, virtqueue_get_used_addr(mock->vq));
}

static void recycle(struct virtqueue *vq, void *buffer)
{
	to_mock(vq->vdev)->detached++;
}

/* Requests go through before and after the ring is reset, resized and restored. */
static void virtio_dma_test_ring(struct kunit *test)
{
	const struct combination *both = test->param_value;
	const struct mode *mode = both->mode;
	enum mock_bus bus = both->bus;
	struct virtio_mock *mock = test->priv;
	int i, n, calls;

	skip_unless(test, mode, bus);
	for (i = 0; i < ARRAY_SIZE(ring_kinds); i++) {
		plug(mock, mode, bus, &ring_kinds[i]);
		/* Go round the ring. */
		for (n = 0; n < mock->num; n++)
			expect_request(mock);
		calls = mock->calls;
		KUNIT_EXPECT_EQ(test, calls > 0, mock->follows && bus == MOCK_OPS);

		/* A request that is lost with the ring is unmapped. */
		KUNIT_ASSERT_EQ(test, add_request(mock->vq, mock->page), 0);
		KUNIT_EXPECT_EQ(test, mock_reset_queue(mock->vq, recycle), 0);
		KUNIT_EXPECT_EQ(test, mock->detached, 1);
		expect_request(mock);
		KUNIT_ASSERT_EQ(test, add_request(mock->vq, mock->page), 0);
		KUNIT_EXPECT_EQ(test, mock_resize(mock->vq, mock->num / 2, recycle), 0);
		KUNIT_EXPECT_EQ(test, mock->detached, 2);
		for (n = 0; n < mock->num; n++)
			expect_request(mock);
		KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, mode->mode);

		KUNIT_EXPECT_EQ(test, virtio_device_freeze(&mock->vdev), 0);
		KUNIT_EXPECT_EQ(test, mock->live, 0);
		KUNIT_ASSERT_EQ(test, virtio_device_restore(&mock->vdev), 0);
		expect_request(mock);

		/* Leave one request to the removal of the driver. */
		KUNIT_ASSERT_EQ(test, add_request(mock->vq, mock->page), 0);
		virtio_mock_unplug(mock);
		KUNIT_EXPECT_EQ(test, mock->detached, 3);
	}
}

/* The driver maps and unmaps what it says is mapped; the ring does neither. */
static void virtio_dma_test_premapped(struct kunit *test)
{
	const struct combination *both = test->param_value;
	const struct mode *mode = both->mode;
	enum mock_bus bus = both->bus;
	struct virtio_mock *mock = test->priv;
	struct device *dev;
	struct scatterlist sg;
	unsigned int len;
	dma_addr_t addr;
	int i, live;

	if (!MOCK_HAS_PREMAPPED)
		kunit_skip(test, "this kernel has no premapped buffers");
	skip_unless(test, mode, bus);
	for (i = 0; i < ARRAY_SIZE(ring_kinds); i++) {
		plug(mock, mode, bus, &ring_kinds[i]);
		dev = virtio_dma_dev(&mock->vdev);
		KUNIT_EXPECT_PTR_EQ(test, dev, mode->names == MOCK_OWN ? &mock->vdev.dev :
							&mock->parent->dev);
		KUNIT_EXPECT_TRUE(test, mock_maps_for(mock->vq, dev));
		addr = dma_map_single(dev, mock->page, 100, DMA_TO_DEVICE);
		KUNIT_ASSERT_FALSE(test, dma_mapping_error(dev, addr));
		live = mock->live;

		sg_init_table(&sg, 1);
		sg_dma_address(&sg) = addr;
		sg_dma_len(&sg) = 100;
		sg.length = 100;
		KUNIT_ASSERT_EQ(test, mock_add_premapped(mock->vq, &sg, mock->page), 0);
		KUNIT_EXPECT_EQ(test, virtio_mock_serve(mock), 1);
		KUNIT_EXPECT_EQ(test, mock->segs[0].addr, (u64)addr);
		KUNIT_EXPECT_PTR_EQ(test, virtqueue_get_buf(mock->vq, &len), mock->page);
		KUNIT_EXPECT_EQ(test, mock->live, live);

		dma_unmap_single(dev, addr, 100, DMA_TO_DEVICE);
		virtio_mock_unplug(mock);
	}
}

/* A device that does not snoop gets a ring that is not cached: if it asks for one. */
static void virtio_dma_test_noncoherent(struct kunit *test)
{
	struct virtio_mock *mock = test->priv;
	int i;

	mock->noncoherent = true;
	virtio_mock_plug(mock, MOCK_DIRECT);
	if (dev_is_dma_coherent(&mock->parent->dev))
		kunit_skip(test, "the architecture knows coherent devices only");
	virtio_mock_unplug(mock);

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		bool apart;

		plug(mock, &modes[i], MOCK_DIRECT, &ring_kinds[0]);
		apart = is_vmalloc_addr(virtqueue_get_vring(mock->vq)->desc);
		/* Nothing told a device that is claimed: its host is coherent. */
		KUNIT_EXPECT_EQ_MSG(test, apart, mock->follows && !modes[i].names, "%s",
				    virtio_dma_mode_name(modes[i].mode));
		virtio_mock_unplug(mock);
	}
}

static struct kunit_case virtio_dma_ring_cases[] = {
	KUNIT_CASE_PARAM(virtio_dma_test_ring, all_gen_params),
	KUNIT_CASE_PARAM(virtio_dma_test_premapped, mapped_gen_params),
	KUNIT_CASE(virtio_dma_test_noncoherent),
	{}
};

static struct kunit_suite virtio_dma_ring_suite = {
	.name = "virtio_dma_ring",
	.suite_init = virtio_mock_start,
	.suite_exit = virtio_mock_stop,
	.init = virtio_mock_init,
	.exit = virtio_mock_exit,
	.test_cases = virtio_dma_ring_cases,
};

kunit_test_suite(virtio_dma_ring_suite);
