// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the DMA mode decision: the table of
 * Documentation/virtio/dma-modes.rst, and what it makes of a device.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>
#include <linux/virtio_ring.h>

#include "virtio_mock_base.h"

/* What the architecture names, and what kind of guest the kernel is, for the test. */
static struct device *named;
static bool on_xen, is_confidential;
static int asked;

static struct device *arch_dev(struct virtio_device *vdev)
{
	asked++;
	return named;
}

static bool xen(void)
{
	return on_xen;
}

static bool confidential(struct virtio_device *vdev)
{
	return is_confidential;
}

static bool bounces(struct device *dev)
{
	return true;
}

static int virtio_dma_test_init(struct kunit *test)
{
	struct platform_device *pdev;
	struct virtio_device *vdev;

	vdev = kunit_kzalloc(test, sizeof(*vdev), GFP_KERNEL);
	if (!vdev)
		return -ENOMEM;

	pdev = platform_device_register_simple("virtio-dma-test", PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);

	INIT_LIST_HEAD(&vdev->vqs);
	vdev->dev.parent = &pdev->dev;
	vdev->parent_dma = true;
	named = &pdev->dev;
	on_xen = false;
	is_confidential = false;
	asked = 0;
	kunit_activate_static_stub(test, virtio_dma_arch_dev, arch_dev);
	kunit_activate_static_stub(test, virtio_dma_on_xen, xen);
	kunit_activate_static_stub(test, virtio_dma_confidential, confidential);
	test->priv = vdev;
	return dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(36));
}

static void virtio_dma_test_exit(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;

	if (vdev)
		platform_device_unregister(to_platform_device(vdev->dev.parent));
}

enum { NO, YES, ANY };

/* The rows of the documentation, in the same order: the first that holds. */
static const struct row {
	const char *name;
	int access_platform, xen, opted_in, named, platform_dma;
	enum virtio_dma_mode mode;
} rows[] = {
	{ "access_platform", YES, ANY, ANY, ANY, ANY, VIRTIO_DMA_ACCESS_PLATFORM },
	{ "xen",             ANY, YES, ANY, ANY, ANY, VIRTIO_DMA_XEN },
	{ "arch",            ANY, ANY, YES, YES, ANY, VIRTIO_DMA_ARCH },
	{ "platform_dma",    ANY, ANY, ANY, ANY, YES, VIRTIO_DMA_PLATFORM_DMA },
	{ "phys",            ANY, ANY, ANY, ANY, ANY, VIRTIO_DMA_PHYS },
};

static void row_desc(const struct row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(rows, rows, row_desc);

static bool fits(int want, bool have)
{
	return want == ANY || want == have;
}

static const struct row *first_row(unsigned int bits)
{
	const struct row *row = rows;

	while (!fits(row->access_platform, bits & 1) || !fits(row->xen, bits & 2) ||
	       !fits(row->opted_in, bits & 4) || !fits(row->named, bits & 8) ||
	       !fits(row->platform_dma, bits & 16))
		row++;

	return row;
}

/* Every combination of inputs leads to the first row it fits, and to its device. */
static void virtio_dma_test_table(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	const struct row *row = test->param_value;
	struct device *parent = vdev->dev.parent;
	unsigned int bits, seen = 0;

	for (bits = 0; bits < 32; bits++) {
		if (first_row(bits) != row)
			continue;

		vdev->features = 0;
		if (bits & 1)
			__virtio_set_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
		on_xen = bits & 2;
		vdev->parent_dma = bits & 4;
		named = bits & 8 ? parent : NULL;
		if (bits & 16)
			__virtio_set_bit(vdev, VIRTIO_F_PLATFORM_DMA);
		asked = 0;

		KUNIT_EXPECT_EQ_MSG(test, virtio_dma_decide(vdev), row->mode,
				    "inputs %#x", bits);
		KUNIT_EXPECT_EQ(test, asked, (bits & 7) == 4);
		KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_UNDECIDED);

		KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
		KUNIT_EXPECT_EQ(test, vdev->dma_mode, row->mode);
		KUNIT_EXPECT_PTR_EQ(test, virtio_dma_dev(vdev),
				    row->mode == VIRTIO_DMA_PHYS ? NULL : parent);
		KUNIT_EXPECT_EQ(test, virtio_use_dma_api(vdev), row->mode != VIRTIO_DMA_PHYS);
		KUNIT_EXPECT_EQ(test, vdev->features & ~(BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
							 BIT_ULL(VIRTIO_F_PLATFORM_DMA)), 0);
		vdev->dma_mode = VIRTIO_DMA_UNDECIDED;
		seen++;
	}
	KUNIT_EXPECT_GT(test, seen, 0);
	KUNIT_EXPECT_STREQ(test, virtio_dma_mode_name(row->mode), row->name);
}

/* The virtio device becomes one for DMA, with all that is its own, and the parent stays. */
static void virtio_dma_test_own(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	struct device *parent = vdev->dev.parent;
	struct device_dma_parameters parms = { .max_segment_size = 12345 };
	struct mock_parent before, after;

	if (get_dma_ops(&vdev->dev))
		kunit_skip(test, "the architecture has DMA ops for every device");

	named = &vdev->dev;
	parent->dma_parms = &parms;
	parent->bus_dma_limit = DMA_BIT_MASK(30);
	mock_set_coherent(parent, false);
	mock_get_parent(parent, &before);
	kunit_activate_static_stub(test, virtio_dma_can_bounce, bounces);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_PTR_EQ(test, virtio_dma_dev(vdev), &vdev->dev);
	KUNIT_EXPECT_EQ(test, dma_get_mask(&vdev->dev), DMA_BIT_MASK(36));
	KUNIT_EXPECT_EQ(test, vdev->dev.coherent_dma_mask, DMA_BIT_MASK(36));
	KUNIT_EXPECT_EQ(test, vdev->dev.bus_dma_limit, 0);
	KUNIT_EXPECT_NULL(test, vdev->dev.dma_range_map);
	KUNIT_EXPECT_TRUE(test, dev_is_dma_coherent(&vdev->dev));

	/* What it takes over it keeps to itself. */
	KUNIT_EXPECT_EQ(test, dma_get_max_seg_size(&vdev->dev), 12345);
	dma_set_max_seg_size(&vdev->dev, 4096);
	KUNIT_EXPECT_EQ(test, dma_get_max_seg_size(parent), 12345);
	mock_get_parent(parent, &after);
	KUNIT_EXPECT_MEMEQ(test, &before, &after, sizeof(before));
	parent->dma_parms = NULL;
}

static bool bounces_not(struct device *dev)
{
	return false;
}

static bool maps_not(struct virtio_device *vdev)
{
	return false;
}

/* Without pages to bounce through there is no mode, nobody to map for, and no ring. */
static void virtio_dma_test_undecided(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;

	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	named = &vdev->dev;
	kunit_activate_static_stub(test, virtio_dma_can_bounce, bounces_not);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), -ENODEV);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_UNDECIDED);
	KUNIT_EXPECT_NULL(test, virtio_dma_dev(vdev));
	KUNIT_EXPECT_NULL(test, virtio_dma_mode_name(vdev->dma_mode));
	KUNIT_EXPECT_NULL(test, vring_create_virtqueue(0, 16, PAGE_SIZE, vdev, true, false, false,
						       NULL, NULL, "undecided"));
	KUNIT_EXPECT_NULL(test, vring_new_virtqueue(0, 16, PAGE_SIZE, vdev, true, false, NULL,
						    NULL, NULL, "undecided"));

	/* Neither where the parent cannot do DMA. */
	named = vdev->dev.parent;
	vdev->dev.parent->dma_mask = NULL;
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), -ENODEV);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_UNDECIDED);

	/* Nor where a device was told, but nothing can be mapped for its parent. */
	kunit_activate_static_stub(test, virtio_dma_can_map, maps_not);
	__virtio_set_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	vdev->parent_dma = true;
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), -ENODEV);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_UNDECIDED);
	/* Other transports map for a device that they choose. */
	vdev->parent_dma = false;
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
}

/* In a confidential guest an IOMMU is no way out: it leads to pages that are not shared. */
static void virtio_dma_test_unshared(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	struct device *parent = vdev->dev.parent;
	struct mock_parent before, after;

	mock_set_coherent(parent, false);
	mock_get_parent(parent, &before);
	is_confidential = true;
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), -ENODEV);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_UNDECIDED);
	KUNIT_EXPECT_NULL(test, virtio_dma_dev(vdev));
	mock_get_parent(parent, &after);
	KUNIT_EXPECT_MEMEQ(test, &before, &after, sizeof(before));

	/* Who was told has to cope with it. */
	__virtio_set_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_PTR_EQ(test, virtio_dma_dev(vdev), parent);
}

/* Only modern devices that nobody claims, of transports that opted in, keep the bit. */
static void virtio_dma_test_transport(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	unsigned int inputs, bit;

	for (inputs = 0; inputs < 8; inputs++) {
		vdev->parent_dma = inputs & 1;
		vdev->features = GENMASK_ULL(VIRTIO_F_PLATFORM_DMA, VIRTIO_F_RING_RESET + 1);
		if (inputs & 2)
			__virtio_set_bit(vdev, VIRTIO_F_VERSION_1);
		named = inputs & 4 ? vdev->dev.parent : NULL;
		__virtio_set_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);

		vring_transport_features(vdev);
		KUNIT_EXPECT_EQ(test, __virtio_test_bit(vdev, VIRTIO_F_PLATFORM_DMA),
				inputs == 3);
		KUNIT_EXPECT_TRUE(test, __virtio_test_bit(vdev, VIRTIO_F_ACCESS_PLATFORM));
		/* The transport's bits that nobody knows go; those of device types stay. */
		for (bit = VIRTIO_F_RING_RESET + 1; bit < VIRTIO_F_PLATFORM_DMA; bit++)
			KUNIT_EXPECT_EQ_MSG(test, __virtio_test_bit(vdev, bit),
					    bit >= VIRTIO_TRANSPORT_F_END, "bit %u", bit);
	}
}

/* The architecture's own hook: what it says of a legacy device behind an IOMMU. */
static void virtio_dma_test_arch(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	struct device *parent = vdev->dev.parent;

	mock_behind_iommu(parent);
	kunit_deactivate_static_stub(test, virtio_dma_arch_dev);
	if (!virtio_dma_arch_dev(vdev))
		kunit_skip(test, "the architecture claims no such device");

	mock_set_coherent(parent, false);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_ARCH);
	KUNIT_ASSERT_NOT_NULL(test, virtio_dma_dev(vdev));
	KUNIT_EXPECT_TRUE(test, dev_is_dma_coherent(virtio_dma_dev(vdev)));
}

/* The same hook in a confidential guest: whom it names, and for what it cannot help. */
static void virtio_dma_test_arch_confidential(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	struct device *parent = vdev->dev.parent;
	int modern;

	kunit_deactivate_static_stub(test, virtio_dma_arch_dev);
	if (virtio_dma_arch_dev(vdev))
		kunit_skip(test, "the architecture claims all devices of this guest");
	is_confidential = true;
	if (!virtio_dma_arch_dev(vdev))
		kunit_skip(test, "the architecture knows no confidential guests");

	kunit_activate_static_stub(test, virtio_dma_can_bounce, bounces);
	for (modern = 0; modern < 2; modern++) {
		vdev->features = modern ? BIT_ULL(VIRTIO_F_VERSION_1) |
					  BIT_ULL(VIRTIO_F_PLATFORM_DMA) : 0;
		KUNIT_EXPECT_PTR_EQ(test, virtio_dma_arch_dev(vdev), &vdev->dev);
		KUNIT_EXPECT_FALSE(test, virtio_dma_accepts(vdev));
		KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
		KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_ARCH);
		KUNIT_EXPECT_PTR_EQ(test, virtio_dma_dev(vdev), &vdev->dev);
	}

	/* An IOMMU in front of a device that was told nothing changes nothing, ... */
	mock_behind_iommu(parent);
	KUNIT_EXPECT_PTR_EQ(test, virtio_dma_arch_dev(vdev), &vdev->dev);
	/* ... except where it is known to translate for it. */
	vdev->features = 0;
	KUNIT_EXPECT_PTR_EQ(test, virtio_dma_arch_dev(vdev), parent);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), -ENODEV);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_UNDECIDED);
}

static struct kunit_case virtio_dma_test_cases[] = {
	KUNIT_CASE_PARAM(virtio_dma_test_table, rows_gen_params),
	KUNIT_CASE(virtio_dma_test_own),
	KUNIT_CASE(virtio_dma_test_undecided),
	KUNIT_CASE(virtio_dma_test_unshared),
	KUNIT_CASE(virtio_dma_test_transport),
	KUNIT_CASE(virtio_dma_test_arch),
	KUNIT_CASE(virtio_dma_test_arch_confidential),
	{}
};

static struct kunit_suite virtio_dma_test_suite = {
	.name = "virtio_dma_mode",
	.init = virtio_dma_test_init,
	.exit = virtio_dma_test_exit,
	.test_cases = virtio_dma_test_cases,
};

kunit_test_suite(virtio_dma_test_suite);

MODULE_DESCRIPTION("KUnit tests of the virtio DMA mode decision");
MODULE_LICENSE("GPL");
