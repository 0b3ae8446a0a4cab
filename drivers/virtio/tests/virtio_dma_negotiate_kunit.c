// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the DMA mode as devices meet it: negotiated by the virtio
 * core, with a driver, a transport, and an architecture that have a say.
 */
#include <linux/module.h>
#include <linux/virtio_anchor.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>
#include <xen/xen.h>

#include "virtio_dma_parent.h"
#include "virtio_mock.h"

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
	if (features & BIT_ULL(VIRTIO_F_PLATFORM_DMA))
		return VIRTIO_DMA_PLATFORM_DMA;
	if (xen_domain())
		return VIRTIO_DMA_XEN;
	if (mock->opted_in && mock->hook_claims)
		return VIRTIO_DMA_ARCH;
	return VIRTIO_DMA_PHYS;
}

/* Plug the device in and out, and hold what happened against the table. */
static void negotiate(struct kunit *test, struct virtio_mock *mock)
{
	u64 accepted = mock->offers & ~mock->declines;
	struct parent_state before, after;
	enum virtio_dma_mode mode;
	bool fails, asks;

	if (!mock->opted_in || mock->hook_declines ||
	    !(accepted & BIT_ULL(VIRTIO_F_VERSION_1)))
		accepted &= ~BIT_ULL(VIRTIO_F_PLATFORM_DMA);
	mode = first_row(mock, accepted);
	fails = mode == VIRTIO_DMA_ARCH && mock->hook_error;
	asks = mock->opted_in && (mode == VIRTIO_DMA_ARCH || mode == VIRTIO_DMA_PHYS);
	mock->follows = mode != VIRTIO_DMA_PHYS;

	get_parent_state(&mock->parent->dev, &before);
	virtio_mock_plug(mock, MOCK_DIRECT);

	KUNIT_EXPECT_EQ(test, mock->asked, asks);
	KUNIT_EXPECT_EQ(test, mock->set_up, mode == VIRTIO_DMA_ARCH && !fails);
	KUNIT_EXPECT_EQ(test, mock->probed, !fails);
	KUNIT_EXPECT_EQ(test, !!mock->vdev.dev.driver, !fails && !mock->probe_error);
	KUNIT_EXPECT_EQ(test, !!mock->vq, !fails && !mock->probe_error);
	KUNIT_EXPECT_EQ(test, mock->vdev.features, accepted);
	KUNIT_EXPECT_EQ(test, mock->written & ~mock->offers, 0);
	KUNIT_EXPECT_EQ(test, !!(mock->status & VIRTIO_CONFIG_S_FAILED),
			fails || mock->probe_error);
	KUNIT_EXPECT_EQ(test, !!(mock->status & VIRTIO_CONFIG_S_DRIVER_OK),
			!fails && !mock->probe_error);
	if (mock->vdev.dev.driver) {
		KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, mode);
	} else {
		KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_UNDECIDED);
		KUNIT_EXPECT_EQ(test, mock->undone, mock->set_up);
	}
	virtio_mock_unplug(mock);
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_UNDECIDED);
	get_parent_state(&mock->parent->dev, &after);
	KUNIT_EXPECT_EQ(test, memcmp(&before, &after, sizeof(before)), 0);
}

/* What the architecture answers, and how its set-up and the driver's probe end. */
static const struct answers {
	const char *name;
	bool opted_in, claims;
	int hook_error, probe_error;
	bool declines;
} answers[] = {
	{ "another transport", false, true },
	{ "not claimed", true, false },
	{ "claimed", true, true },
	{ "claimed, set-up fails", true, true, -ENODEV },
	{ "not claimed, probe fails", true, false, 0, -EIO },
	{ "claimed, probe fails", true, true, 0, -EIO },
	{ "declined, not claimed", true, false, 0, 0, true },
	{ "declined, claimed", true, true, 0, 0, true },
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
	mock->hook_declines = answer->declines;
	mock->hook_claims = answer->claims;
	mock->hook_error = answer->hook_error;
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

/* A platform that restricts access to memory wants VERSION_1 and either bit. */
static void virtio_dma_test_restricted(struct kunit *test)
{
	bool (*check)(struct virtio_device *vdev) = virtio_check_mem_acc_cb;
	struct virtio_mock *mock = test->priv;
	unsigned int offers;

	mock->follows = true;
	for (offers = 0; offers < 8; offers++) {
		mock->offers = mask_of(offers);
		virtio_set_mem_acc_cb(restricted);
		virtio_mock_plug(mock, MOCK_DIRECT);
		virtio_set_mem_acc_cb(check);
		KUNIT_EXPECT_EQ_MSG(test, mock->probed, offers & 4 && offers & 3,
				    "offered %#llx", mock->offers);
		virtio_mock_unplug(mock);
	}
}

/* A device that is rebound, or frozen and restored, is decided upon anew. */
static void virtio_dma_test_restore(struct kunit *test)
{
	struct virtio_mock *mock = test->priv;

	mock->hook_claims = true;
	mock->follows = true;
	virtio_mock_plug(mock, MOCK_DIRECT);
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&mock->vdev), 0);
	KUNIT_EXPECT_PTR_EQ(test, mock->vq, NULL);
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&mock->vdev), 0);
	KUNIT_EXPECT_EQ(test, mock->asked, 2);
	KUNIT_EXPECT_EQ(test, mock->set_up, 2);
	KUNIT_EXPECT_EQ(test, mock->undone, 1);
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_ARCH);
	KUNIT_EXPECT_NOT_NULL(test, mock->vq);

	/* The hook has nothing to say for a driver that keeps its queue. */
	mock->keeps_queue = true;
	mock->hook_claims = false;
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&mock->vdev), 0);
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&mock->vdev), 0);
	KUNIT_EXPECT_EQ(test, mock->asked, 2);
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_ARCH);
	mock->keeps_queue = false;

	/* A set-up that fails on restore leaves a device without a queue. */
	mock->hook_claims = true;
	mock->hook_error = -ENODEV;
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&mock->vdev), 0);
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&mock->vdev), -ENODEV);
	KUNIT_EXPECT_PTR_EQ(test, mock->vq, NULL);
	KUNIT_EXPECT_EQ(test, mock->vdev.dma_mode, VIRTIO_DMA_UNDECIDED);
	KUNIT_EXPECT_EQ(test, mock->undone, 2);
}

static struct kunit_case virtio_dma_negotiate_cases[] = {
	KUNIT_CASE_PARAM(virtio_dma_test_negotiate, answers_gen_params),
	KUNIT_CASE(virtio_dma_test_restricted),
	KUNIT_CASE(virtio_dma_test_restore),
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
