// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the DMA mode as devices meet it: negotiated by the virtio
 * core, with a driver, a transport, and an architecture that have a say.
 */
#include <kunit/static_stub.h>
#include <linux/module.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>
#include <xen/xen.h>

#include "virtio_mock_base.h"
#include "virtio_mock_request.h"

static const unsigned int bits[] = {
	VIRTIO_F_ACCESS_PLATFORM, VIRTIO_F_PLATFORM_DMA, VIRTIO_F_VERSION_1,
	VIRTIO_F_ORDER_PLATFORM, VIRTIO_F_RING_PACKED,
};

static u64 mask_of(unsigned int set)
{
	u64 mask = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (set & BIT(i))
			mask |= BIT_ULL(bits[i]);
	return mask;
}

/* The table of Documentation/virtio/dma-modes.rst: the first row that holds. */
static enum virtio_dma_mode first_row(const struct virtio_mock *mock, u64 features)
{
	if (features & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))
		return VIRTIO_DMA_ACCESS_PLATFORM;
	if (xen_domain())
		return VIRTIO_DMA_XEN;
	if (mock->opted_in && mock->names != MOCK_NOBODY)
		return VIRTIO_DMA_ARCH;
	if (features & BIT_ULL(VIRTIO_F_PLATFORM_DMA))
		return VIRTIO_DMA_PLATFORM_DMA;
	return VIRTIO_DMA_PHYS;
}

/* Plug the device in and out, and hold what happened against the table. */
static void negotiate(struct kunit *test, struct virtio_mock *mock)
{
	u64 accepted = mock->offers & ~mock->declines;
	struct mock_parent before, after;
	enum virtio_dma_mode mode;
	bool fails;

	if (!mock->opted_in || mock->names != MOCK_NOBODY ||
	    !(accepted & BIT_ULL(VIRTIO_F_VERSION_1)))
		accepted &= ~BIT_ULL(VIRTIO_F_PLATFORM_DMA);
	mode = first_row(mock, accepted);
	fails = mode == VIRTIO_DMA_ARCH && mock->cannot_bounce;

	mock_get_parent(&mock->parent->dev, &before);
	virtio_mock_plug(mock, MOCK_DIRECT);

	KUNIT_EXPECT_EQ(test, mock->probed, !fails);
	KUNIT_EXPECT_EQ(test, !!mock->vdev.dev.driver, !fails && !mock->probe_error);
	KUNIT_EXPECT_EQ(test, !!mock->vq, !fails && !mock->probe_error);
	KUNIT_EXPECT_EQ(test, mock->vdev.features, accepted);
	KUNIT_EXPECT_EQ(test, mock->written & ~mock->offers, 0);
	KUNIT_EXPECT_EQ(test, !!(mock->status & VIRTIO_CONFIG_S_FAILED),
			fails || mock->probe_error);
	KUNIT_EXPECT_EQ(test, !!(mock->status & VIRTIO_CONFIG_S_DRIVER_OK),
			!fails && !mock->probe_error);
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, fails ? VIRTIO_DMA_UNDECIDED : mode);
	virtio_mock_unplug(mock);

	/* What was mapped may be unmapped until the device has gone. */
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, fails ? VIRTIO_DMA_UNDECIDED : mode);
	mock_get_parent(&mock->parent->dev, &after);
	KUNIT_EXPECT_MEMEQ(test, &before, &after, sizeof(before));
}

/* Whom the architecture names, and how the preparation and the driver's probe end. */
static const struct answers {
	const char *name;
	bool opted_in;
	enum mock_names names;
	bool cannot_bounce;
	int probe_error;
} answers[] = {
	{ "another transport", false, MOCK_OWN },
	{ "not claimed", true, MOCK_NOBODY },
	{ "claimed for the parent", true, MOCK_PARENT },
	{ "claimed for itself", true, MOCK_OWN },
	{ "claimed, cannot bounce", true, MOCK_OWN, true },
	{ "not claimed, probe fails", true, MOCK_NOBODY, false, -EIO },
	{ "claimed, probe fails", true, MOCK_OWN, false, -EIO },
};

static void answers_desc(const struct answers *answer, char *desc)
{
	strscpy(desc, answer->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(answers, answers, answers_desc);

/* All that a device can offer, times all that a driver can decline of it. */
static void virtio_dma_test_negotiate(struct kunit *test)
{
	const struct answers *answer = test->param_value;
	struct virtio_mock *mock = test->priv;
	unsigned int offers, declines;

	mock->opted_in = answer->opted_in;
	mock->names = answer->names;
	mock->cannot_bounce = answer->cannot_bounce;
	mock->probe_error = answer->probe_error;
	virtio_mock_plug(mock, MOCK_DIRECT);
	virtio_mock_unplug(mock);

	for (offers = 0; offers < BIT(ARRAY_SIZE(bits)); offers++) {
		for (declines = 0; declines < BIT(ARRAY_SIZE(bits)); declines++) {
			if (declines & ~offers)
				continue;

			mock->offers = mask_of(offers);
			mock->declines = mask_of(declines);
			negotiate(test, mock);
			if (test->status == KUNIT_FAILURE) {
				kunit_err(test, "offered %#x, declined %#x", offers, declines);
				return;
			}
		}
	}
}

static bool restricted(struct virtio_device *vdev)
{
	return true;
}

/*
 * A platform that restricts access to memory wants VERSION_1 and
 * ACCESS_PLATFORM, or a claim of the architecture; an offer does not do.
 */
static void virtio_dma_test_restricted(struct kunit *test)
{
	struct virtio_mock *mock = test->priv;
	unsigned int offers;
	bool wanted;

	kunit_activate_static_stub(test, virtio_dma_restricted, restricted);
	for (offers = 0; offers < 16; offers++) {
		mock->offers = mask_of(offers & 7);
		mock->names = offers & 8 ? MOCK_PARENT : MOCK_NOBODY;
		/* A device that is asked for more than it is claimed for meets the rule. */
		wanted = (offers & 5) == 5 || (offers & 9) == 8;
		virtio_mock_plug(mock, MOCK_DIRECT);
		KUNIT_EXPECT_EQ_MSG(test, mock->probed, wanted, "offered %#llx, named %d",
				    mock->offers, mock->names);
		virtio_mock_unplug(mock);
	}
}

/* A device type's own bit is negotiated; the last of the range reaches its transport. */
static void virtio_dma_test_bits(struct kunit *test)
{
	struct virtio_mock *mock = test->priv;

	mock->offers = BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(MOCK_F_TYPE) |
		       BIT_ULL(VIRTIO_TRANSPORT_F_END - 1);
	virtio_mock_plug(mock, MOCK_DIRECT);
	KUNIT_EXPECT_TRUE(test, virtio_has_feature(&mock->vdev, MOCK_F_TYPE));
	KUNIT_EXPECT_EQ(test, mock->reached, mock->offers);
}

/* A suspend, and whatever the architecture says by then, changes no decision. */
static void virtio_dma_test_restore(struct kunit *test)
{
	struct virtio_mock *mock = test->priv;
	struct device *dev = &mock->parent->dev;
	dma_addr_t addr;

	mock->names = MOCK_PARENT;
	virtio_mock_plug(mock, MOCK_OPS);
	KUNIT_ASSERT_PTR_EQ(test, virtio_dma_dev(&mock->vdev), dev);
	addr = dma_map_single(dev, mock->page, 100, DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, dma_mapping_error(dev, addr));

	mock->names = MOCK_NOBODY;
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&mock->vdev), 0);
	KUNIT_EXPECT_PTR_EQ(test, mock->vq, NULL);
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&mock->vdev), 0);
	KUNIT_EXPECT_NOT_NULL(test, mock->vq);
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_ARCH);

	mock->keeps_queue = true;
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&mock->vdev), 0);
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&mock->vdev), 0);
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_ARCH);
	KUNIT_EXPECT_PTR_EQ(test, virtio_dma_dev(&mock->vdev), dev);

	mock->keeps_queue = false;
	dma_unmap_single(virtio_dma_dev(&mock->vdev), addr, 100, DMA_TO_DEVICE);
}

/* A file that is still open unmaps after the driver has gone; the next bind decides anew. */
static void virtio_dma_test_unbind(struct kunit *test)
{
	struct virtio_mock *mock = test->priv;
	struct device *dev = &mock->parent->dev;
	dma_addr_t addr;

	mock->names = MOCK_PARENT;
	virtio_mock_plug(mock, MOCK_OPS);
	addr = dma_map_single(virtio_dma_dev(&mock->vdev), mock->page, 100, DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, dma_mapping_error(dev, addr));

	mock->names = MOCK_NOBODY;
	device_release_driver(&mock->vdev.dev);
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_ARCH);
	KUNIT_ASSERT_PTR_EQ(test, virtio_dma_dev(&mock->vdev), dev);
	dma_unmap_single(virtio_dma_dev(&mock->vdev), addr, 100, DMA_TO_DEVICE);
	if (MOCK_HAS_OPS)
		KUNIT_EXPECT_EQ(test, mock->live, 0);

	KUNIT_EXPECT_EQ(test, device_attach(&mock->vdev.dev), 1);
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_PHYS);
	KUNIT_EXPECT_NULL(test, virtio_dma_dev(&mock->vdev));
}

/* What becomes of the virtqueue of a driver that does not clean up by itself. */
static const struct leaver {
	const char *name;
	bool devm_queue, keeps_queue, keeps_buffers;
	int probe_error;
} leavers[] = {
	{ "probe fails", false, false, false, -EIO },
	{ "devres deletes the queue after a failed probe", true, true, true, -EIO },
	{ "devres deletes the queue after remove", true, true, true },
	{ "buffers are left in the queue", false, false, true },
	{ "a failed probe leaves the queue", false, true, true, -EIO },
};

static void leaver_desc(const struct leaver *leaver, char *desc)
{
	strscpy(desc, leaver->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(leavers, leavers, leaver_desc);

/* Whatever it is made of is freed alike, and all of it, even after a new decision. */
static void virtio_dma_test_leave(struct kunit *test)
{
	const struct leaver *leaver = test->param_value;
	struct virtio_mock *mock = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(ring_kinds); i++) {
		mock->offers = ring_kinds[i].features | BIT_ULL(VIRTIO_F_VERSION_1);
		mock->names = MOCK_PARENT;
		mock->devm_queue = leaver->devm_queue;
		mock->keeps_queue = leaver->keeps_queue;
		mock->keeps_buffers = leaver->keeps_buffers;
		mock->probe_error = leaver->probe_error;
		virtio_mock_plug(mock, MOCK_OPS);
		KUNIT_EXPECT_EQ(test, mock->probed, 1);
		KUNIT_EXPECT_EQ(test, !mock->vdev.dev.driver, !!leaver->probe_error);

		/* Another driver, and another decision, comes next. */
		device_release_driver(&mock->vdev.dev);
		mock->names = MOCK_NOBODY;
		mock->devm_queue = false;
		mock->keeps_queue = false;
		mock->keeps_buffers = false;
		mock->probe_error = 0;
		KUNIT_EXPECT_EQ(test, device_attach(&mock->vdev.dev), 1);
		KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_PHYS);
		KUNIT_EXPECT_EQ(test, do_request(mock, mock->page), 0);
		virtio_mock_unplug(mock);
	}
}

static struct kunit_case virtio_dma_negotiate_cases[] = {
	KUNIT_CASE_PARAM(virtio_dma_test_negotiate, answers_gen_params),
	KUNIT_CASE(virtio_dma_test_restricted),
	KUNIT_CASE(virtio_dma_test_bits),
	KUNIT_CASE(virtio_dma_test_restore),
	KUNIT_CASE(virtio_dma_test_unbind),
	KUNIT_CASE_PARAM(virtio_dma_test_leave, leavers_gen_params),
	{}
};

static struct kunit_suite virtio_dma_negotiate_suite = {
	.name = "virtio_dma_negotiate",
	.suite_init = virtio_mock_start,
	.suite_exit = virtio_mock_stop,
	.init = virtio_mock_init,
	.exit = virtio_mock_exit,
	.test_cases = virtio_dma_negotiate_cases,
};

kunit_test_suite(virtio_dma_negotiate_suite);

MODULE_DESCRIPTION("KUnit tests of virtio's DMA modes on a device that tests make up");
MODULE_LICENSE("GPL");
