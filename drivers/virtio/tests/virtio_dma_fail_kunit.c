// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what fails: the first mapping or allocation for DMA, then the
 * second, and so on until all of a device's life has gone well.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>

#include "virtio_mock_base.h"
#include "virtio_mock_request.h"

/* More than a life has calls. */
#define ENOUGH	100

static void kind_desc(const struct ring_kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kinds, ring_kinds, kind_desc);

/* A request that cannot be mapped leaves nothing behind, and the next one works. */
static int try_request(struct virtio_mock *mock)
{
	unsigned int free = mock->vq->num_free;
	int live = mock->live;
	int err = do_request(mock, mock->page);

	KUNIT_EXPECT_EQ(mock->test, mock->live, live);
	KUNIT_EXPECT_EQ(mock->test, mock->vq->num_free, free);
	/* A driver tries again after -ENOMEM, and gives up after other errors. */
	KUNIT_EXPECT_TRUE(mock->test, !err || err == -ENOMEM);
	return err;
}

/* Whether a life of the device has as many calls, the last of which failed. */
static bool try_life(struct virtio_mock *mock, int fail_at)
{
	struct kunit *test = mock->test;
	const struct ring_kind *kind = test->param_value;
	bool failed = false;
	int err;

	mock->fail_at = fail_at;
	virtio_mock_plug(mock, MOCK_OPS);
	if (mock->vq) {
		failed |= try_request(mock) < 0;
		failed |= try_request(mock) < 0;
		/* Without a new ring the old one is as good. */
		err = mock_resize(mock->vq, mock->num / 2, NULL);
		KUNIT_EXPECT_TRUE(test, !err || err == -ENOMEM);
		KUNIT_EXPECT_EQ(test, virtqueue_get_vring_size(mock->vq),
				err ? mock->num : mock->num / 2);
		failed |= err < 0;
		failed |= try_request(mock) < 0;

		KUNIT_EXPECT_EQ(test, virtio_device_freeze(&mock->vdev), 0);
		KUNIT_EXPECT_EQ(test, mock->live, 0);
		err = virtio_device_restore(&mock->vdev);
		KUNIT_EXPECT_EQ(test, !!mock->vq, !err);
		failed |= err < 0;
	} else {
		KUNIT_EXPECT_PTR_EQ(test, mock->vdev.dev.driver, NULL);
		failed = true;
	}
	virtio_mock_unplug(mock);
	/* Packed rings do without the indirect table that cannot be mapped. */
	if (failed || !kind->falls_back)
		KUNIT_EXPECT_EQ(test, failed, mock->calls >= fail_at);
	return mock->calls >= fail_at;
}

static void virtio_dma_test_fail(struct kunit *test)
{
	const struct ring_kind *kind = test->param_value;
	struct virtio_mock *mock = test->priv;
	int n = 0;

	if (!MOCK_HAS_OPS)
		kunit_skip(test, "a device of this kernel has no DMA ops of its own");

	mock->offers = kind->features | BIT_ULL(VIRTIO_F_PLATFORM_DMA) |
		       BIT_ULL(VIRTIO_F_VERSION_1);
	do {
		n++;
	} while (try_life(mock, n) && n < ENOUGH);

	/* A ring, three requests of three buffers each, two more rings. */
	KUNIT_EXPECT_GT(test, n, 6);
	KUNIT_EXPECT_LT(test, n, ENOUGH);
	kunit_info(test, "each of %d calls failed once", n - 1);
}

static struct kunit_case virtio_dma_fail_cases[] = {
	KUNIT_CASE_PARAM(virtio_dma_test_fail, kinds_gen_params),
	{}
};

static struct kunit_suite virtio_dma_fail_suite = {
	.name = "virtio_dma_fail",
	.suite_init = virtio_mock_start,
	.suite_exit = virtio_mock_stop,
	.init = virtio_mock_init,
	.exit = virtio_mock_exit,
	.test_cases = virtio_dma_fail_cases,
};

kunit_test_suite(virtio_dma_fail_suite);
