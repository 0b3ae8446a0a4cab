// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the DMA mode decision: the table of
 * Documentation/virtio/dma-modes.rst, and the life of an architecture's hook.
 */
#include <kunit/test.h>
#include <linux/dma-map-ops.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>
#include <linux/virtio_ring.h>
#include <xen/xen.h>

#include "virtio_dma_parent.h"

#define REASON	0x5eed

/* What the hook under test saw and answers; it speaks for one device only. */
static struct {
	const struct virtio_device *vdev;
	bool claim;
	int error;
	int asked, set_up, undone;
	bool early;
} hook;

static bool hook_claims(const struct virtio_device *vdev)
{
	if (vdev != hook.vdev)
		return false;

	hook.asked++;
	return hook.claim;
}

static int hook_setup(struct virtio_device *vdev)
{
	/* Nothing may rely on the mode while the parent is not prepared. */
	hook.early = vdev->dma_mode != VIRTIO_DMA_UNDECIDED;
	vdev->dma_arch_priv = (void *)REASON;
	hook.set_up++;
	return hook.error;
}

static void hook_undo(struct virtio_device *vdev)
{
	hook.undone += vdev->dma_arch_priv == (void *)REASON;
}

static const struct virtio_dma_arch_ops hook_ops = {
	.claims = hook_claims,
	.setup = hook_setup,
	.undo = hook_undo,
};

static const struct virtio_dma_arch_ops *previous;

static int virtio_dma_test_init(struct kunit *test)
{
	struct virtio_device *vdev;

	vdev = kunit_kzalloc(test, sizeof(*vdev), GFP_KERNEL);
	if (!vdev)
		return -ENOMEM;

	INIT_LIST_HEAD(&vdev->vqs);
	vdev->platform_dma = true;
	memset(&hook, 0, sizeof(hook));
	hook.vdev = vdev;
	hook.claim = true;
	previous = virtio_set_dma_arch(&hook_ops);
	test->priv = vdev;
	return 0;
}

static void virtio_dma_test_exit(struct kunit *test)
{
	virtio_set_dma_arch(previous);
}

enum { NO, YES, ANY };

/* The rows of the documentation, in the same order: the first that holds. */
static const struct row {
	const char *name;
	int access_platform, platform_dma, xen, opted_in, claimed;
	enum virtio_dma_mode mode;
} rows[] = {
	{ "access_platform", YES, ANY, ANY, ANY, ANY, VIRTIO_DMA_ACCESS_PLATFORM },
	{ "platform_dma",    ANY, YES, ANY, ANY, ANY, VIRTIO_DMA_PLATFORM_DMA },
	{ "xen",             ANY, ANY, YES, ANY, ANY, VIRTIO_DMA_XEN },
	{ "arch",            ANY, ANY, ANY, YES, YES, VIRTIO_DMA_ARCH },
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

	while (!fits(row->access_platform, bits & 1) || !fits(row->platform_dma, bits & 2) ||
	       !fits(row->xen, bits & 4) || !fits(row->opted_in, bits & 8) ||
	       !fits(row->claimed, bits & 16))
		row++;

	return row;
}

/* What the kernel runs on is written once: before its data become read-only. */
static bool can_pretend(bool xen)
{
	return xen == xen_domain() ||
	       (IS_ENABLED(CONFIG_XEN) && system_state < SYSTEM_FREEING_INITMEM);
}

#ifdef CONFIG_XEN
/* Pretend for the one call that the kernel is a Xen guest, or is none. */
static enum virtio_dma_mode decide_on_xen(const struct virtio_device *vdev, bool xen)
{
	enum xen_domain_type type = xen_domain_type;
	enum virtio_dma_mode mode;
	unsigned long flags;

	if (xen == xen_domain())
		return virtio_dma_decide(vdev);

	local_irq_save(flags);
	xen_domain_type = xen ? XEN_HVM_DOMAIN : XEN_NATIVE;
	mode = virtio_dma_decide(vdev);
	xen_domain_type = type;
	local_irq_restore(flags);
	return mode;
}
#else
static enum virtio_dma_mode decide_on_xen(const struct virtio_device *vdev, bool xen)
{
	return virtio_dma_decide(vdev);
}
#endif

/* Every combination of inputs leads to the mode of the first row it fits. */
static void virtio_dma_test_table(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	const struct row *row = test->param_value;
	unsigned int bits, seen = 0;

	for (bits = 0; bits < 32; bits++) {
		if (first_row(bits) != row || !can_pretend(bits & 4))
			continue;

		__virtio_clear_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
		__virtio_clear_bit(vdev, VIRTIO_F_PLATFORM_DMA);
		if (bits & 1)
			__virtio_set_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
		if (bits & 2)
			__virtio_set_bit(vdev, VIRTIO_F_PLATFORM_DMA);
		vdev->platform_dma = bits & 8;
		hook.claim = bits & 16;
		hook.asked = 0;

		KUNIT_EXPECT_EQ_MSG(test, decide_on_xen(vdev, bits & 4), row->mode,
				    "inputs %#x", bits);
		/* Ask the architecture last, and of opted-in transports only. */
		KUNIT_EXPECT_EQ(test, hook.asked, (bits & 15) == 8);
		seen++;
	}
	KUNIT_EXPECT_EQ(test, hook.set_up, 0);
	KUNIT_EXPECT_STREQ(test, virtio_dma_mode_name(row->mode), row->name);
	if (!seen)
		kunit_skip(test, "whether the kernel is a Xen guest is settled");
}

/* Without a hook a device that was told nothing gets physical addresses. */
static void virtio_dma_test_no_hook(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;

	virtio_set_dma_arch(NULL);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_PHYS);
	KUNIT_EXPECT_FALSE(test, virtio_use_dma_api(vdev));
	KUNIT_EXPECT_EQ(test, hook.asked, 0);
}

/* A claim is set up once, cached, kept from the features, and undone once. */
static void virtio_dma_test_claim(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	unsigned int bit;

	KUNIT_EXPECT_PTR_EQ(test, virtio_dma_mode_name(vdev->dma_mode), NULL);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_ARCH);
	KUNIT_EXPECT_TRUE(test, virtio_use_dma_api(vdev));
	KUNIT_EXPECT_EQ(test, hook.asked, 1);
	KUNIT_EXPECT_EQ(test, hook.set_up, 1);
	KUNIT_EXPECT_FALSE(test, hook.early);
	for (bit = VIRTIO_TRANSPORT_F_START; bit < VIRTIO_TRANSPORT_F_END; bit++)
		KUNIT_EXPECT_FALSE(test, __virtio_test_bit(vdev, bit));

	virtio_dma_release(vdev);
	virtio_dma_release(vdev);
	KUNIT_EXPECT_EQ(test, hook.undone, 1);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_UNDECIDED);
	KUNIT_EXPECT_NULL(test, vdev->dma_arch_priv);
}

/* A failed set-up leaves no mode and nothing to undo. */
static void virtio_dma_test_setup_fails(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;

	hook.error = -ENODEV;
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), -ENODEV);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_UNDECIDED);
	KUNIT_EXPECT_NULL(test, vdev->dma_arch_priv);
	virtio_dma_release(vdev);
	KUNIT_EXPECT_EQ(test, hook.undone, 0);
}

/* Each negotiation starts from the parent's own state and may end elsewhere. */
static void virtio_dma_test_again(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;

	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_EQ(test, hook.undone, 1);
	KUNIT_EXPECT_EQ(test, hook.set_up, 2);
	KUNIT_EXPECT_FALSE(test, hook.early);

	__virtio_set_bit(vdev, VIRTIO_F_PLATFORM_DMA);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_EQ(test, hook.undone, 2);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_PLATFORM_DMA);
	virtio_dma_release(vdev);
	KUNIT_EXPECT_EQ(test, hook.undone, 2);
}

/* Whoever set a device up undoes it, whatever is registered by then. */
static void virtio_dma_test_hook_goes(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;

	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_PTR_EQ(test, virtio_set_dma_arch(NULL), &hook_ops);
	virtio_dma_release(vdev);
	KUNIT_EXPECT_EQ(test, hook.undone, 1);
}

/* Virtqueues that outlive a freeze keep the mode they were allocated in. */
static void virtio_dma_test_live_queues(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	LIST_HEAD(queue);

	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	list_add(&queue, &vdev->vqs);
	hook.claim = false;
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_ARCH);
	KUNIT_EXPECT_EQ(test, hook.undone, 0);

	list_del(&queue);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_PHYS);
	KUNIT_EXPECT_EQ(test, hook.undone, 1);
}

/* Only modern devices of transports that opted in keep the bit; unknown ones go. */
static void virtio_dma_test_transport(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	unsigned int inputs, bit;

	for (inputs = 0; inputs < 8; inputs++) {
		virtio_set_dma_arch(inputs & 4 ? &hook_ops : NULL);
		vdev->platform_dma = inputs & 1;
		__virtio_clear_bit(vdev, VIRTIO_F_VERSION_1);
		if (inputs & 2)
			__virtio_set_bit(vdev, VIRTIO_F_VERSION_1);
		for (bit = VIRTIO_F_RING_RESET + 1; bit <= VIRTIO_F_PLATFORM_DMA; bit++)
			__virtio_set_bit(vdev, bit);
		__virtio_set_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);

		vring_transport_features(vdev);
		KUNIT_EXPECT_EQ(test, __virtio_test_bit(vdev, VIRTIO_F_PLATFORM_DMA),
				(inputs & 3) == 3);
		KUNIT_EXPECT_TRUE(test, __virtio_test_bit(vdev, VIRTIO_F_ACCESS_PLATFORM));
		for (bit = VIRTIO_F_RING_RESET + 1; bit < VIRTIO_F_PLATFORM_DMA; bit++)
			KUNIT_EXPECT_FALSE(test, __virtio_test_bit(vdev, bit));
	}
}

/* The architecture's own hook leaves the parent as it was, coherent or not. */
static void virtio_dma_test_arch_undo(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	struct parent_state before, during, after;
	int coherent, claimed = 0;

	if (!previous)
		kunit_skip(test, "the architecture has no hook");

	virtio_set_dma_arch(previous);
	for (coherent = 0; coherent <= 1; coherent++) {
		vdev->dev.parent = legacy_parent(test, coherent);
		vdev->dev.parent->bus_dma_limit = DMA_BIT_MASK(40);
		get_parent_state(vdev->dev.parent, &before);
		KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), 0);
		get_parent_state(vdev->dev.parent, &during);
		claimed += vdev->dma_mode == VIRTIO_DMA_ARCH;
		virtio_dma_release(vdev);
		get_parent_state(vdev->dev.parent, &after);

		KUNIT_EXPECT_TRUE(test, during.coherent);
		KUNIT_EXPECT_FALSE(test, during.need_sync && !IS_ENABLED(CONFIG_DMA_API_DEBUG));
		KUNIT_EXPECT_EQ(test, memcmp(&before, &after, sizeof(before)), 0);
		platform_device_unregister(to_platform_device(vdev->dev.parent));
	}
	KUNIT_EXPECT_EQ(test, claimed, 2);
}

/* So does a set-up of it that fails. */
static void virtio_dma_test_arch_fails(struct kunit *test)
{
	struct virtio_device *vdev = test->priv;
	struct parent_state before, after;

	if (!previous)
		kunit_skip(test, "the architecture has no hook");

	virtio_set_dma_arch(previous);
	vdev->dev.parent = legacy_parent(test, false);
	vdev->dev.parent->bus_dma_limit = DMA_BIT_MASK(40);
	vdev->dev.parent->dma_mask = NULL;
	get_parent_state(vdev->dev.parent, &before);
	KUNIT_EXPECT_EQ(test, virtio_dma_setup(vdev), -ENODEV);
	KUNIT_EXPECT_EQ(test, vdev->dma_mode, VIRTIO_DMA_UNDECIDED);
	get_parent_state(vdev->dev.parent, &after);
	KUNIT_EXPECT_EQ(test, memcmp(&before, &after, sizeof(before)), 0);
	platform_device_unregister(to_platform_device(vdev->dev.parent));
}

static struct kunit_case virtio_dma_test_cases[] = {
	KUNIT_CASE_PARAM(virtio_dma_test_table, rows_gen_params),
	KUNIT_CASE(virtio_dma_test_no_hook),
	KUNIT_CASE(virtio_dma_test_claim),
	KUNIT_CASE(virtio_dma_test_setup_fails),
	KUNIT_CASE(virtio_dma_test_again),
	KUNIT_CASE(virtio_dma_test_hook_goes),
	KUNIT_CASE(virtio_dma_test_live_queues),
	KUNIT_CASE(virtio_dma_test_transport),
	KUNIT_CASE(virtio_dma_test_arch_undo),
	KUNIT_CASE(virtio_dma_test_arch_fails),
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
