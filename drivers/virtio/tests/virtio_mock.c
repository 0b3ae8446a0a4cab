// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport, the driver and the architecture of a device under test.
 */
#include <kunit/static_stub.h>
#include <linux/module.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>
#include <linux/virtio_ring.h>
#include <xen/xen.h>

#include "virtio_mock_base.h"
#include "virtio_mock_bus.h"
#include "virtio_mock_request.h"

/* No device that anybody has; the one under test is the only one at a time. */
#define MOCK_ID		0xfff0

static u8 mock_get_status(struct virtio_device *vdev)
{
	return to_mock(vdev)->status;
}

static void mock_set_status(struct virtio_device *vdev, u8 status)
{
	to_mock(vdev)->status = status;
}

static void mock_reset(struct virtio_device *vdev)
{
	to_mock(vdev)->status = 0;
}

static u64 mock_get_features(struct virtio_device *vdev)
{
	return to_mock(vdev)->offers;
}

static int mock_finalize_features(struct virtio_device *vdev)
{
	to_mock(vdev)->reached = vdev->features;
	vring_transport_features(vdev);
	to_mock(vdev)->written |= vdev->features;
	return 0;
}

static bool mock_notify(struct virtqueue *vq)
{
	return true;
}

static void mock_del_vqs(struct virtio_device *vdev)
{
	struct virtqueue *vq, *next;

	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		vring_del_virtqueue(vq);
	to_mock(vdev)->vq = NULL;
}

int mock_find_vq(struct virtio_device *vdev, struct virtqueue **vq,
		 void (*callback)(struct virtqueue *vq), const char *name)
{
	struct virtio_mock *mock = to_mock(vdev);
	int err;

	*vq = vring_create_virtqueue(0, mock->num, PAGE_SIZE, vdev, true, false, false,
				     mock_notify, callback, name);
	if (!*vq)
		return -ENOMEM;

	(*vq)->num_max = mock->num;
	mock->vq = *vq;
	err = virtio_mock_attach(mock);
	if (err)
		mock_del_vqs(vdev);
	return err;
}

static int mock_disable_vq(struct virtqueue *vq)
{
	vq->reset = true;
	return 0;
}

static int mock_enable_vq(struct virtqueue *vq)
{
	vq->reset = false;
	return virtio_mock_attach(to_mock(vq->vdev));
}

static const struct virtio_config_ops mock_config_ops = {
	.get_status = mock_get_status,
	.set_status = mock_set_status,
	.reset = mock_reset,
	.get_features = mock_get_features,
	.finalize_features = mock_finalize_features,
	.find_vqs = mock_find_vqs,
	.del_vqs = mock_del_vqs,
	.disable_vq_and_reset = mock_disable_vq,
	.enable_vq_after_reset = mock_enable_vq,
};

static int mock_validate(struct virtio_device *vdev)
{
	vdev->features &= ~to_mock(vdev)->declines;
	return 0;
}

static int mock_restore(struct virtio_device *vdev)
{
	struct virtqueue *vq;

	if (to_mock(vdev)->vq)
		return 0;

	vq = virtio_find_single_vq(vdev, NULL, "mock");
	return PTR_ERR_OR_ZERO(vq);
}

static void mock_remove(struct virtio_device *vdev)
{
	struct virtio_mock *mock = to_mock(vdev);

	virtio_reset_device(vdev);
	while (mock->vq && !mock->keeps_buffers && virtqueue_detach_unused_buf(mock->vq))
		mock->detached++;
	if (!mock->keeps_queue)
		mock_del_vqs(vdev);
}

static void mock_devm_del_vqs(void *vdev)
{
	mock_del_vqs(vdev);
}

/* Whether the device finds addresses of its bus, or physical ones. */
static bool mock_follows(struct virtio_mock *mock)
{
	if (virtio_has_feature(&mock->vdev, VIRTIO_F_ACCESS_PLATFORM) || xen_domain())
		return true;
	if (mock->opted_in && mock->names != MOCK_NOBODY)
		return mock->names == MOCK_PARENT;
	return virtio_has_feature(&mock->vdev, VIRTIO_F_PLATFORM_DMA);
}

static int mock_probe(struct virtio_device *vdev)
{
	struct virtio_mock *mock = to_mock(vdev);
	int err;

	mock->probed++;
	mock->vq = NULL;
	mock->follows = mock_follows(mock);
	err = mock_restore(vdev);
	if (err)
		return err;

	if (mock->keeps_buffers)
		err = add_request(mock->vq, mock->page);
	if (!err && mock->devm_queue)
		err = devm_add_action(&vdev->dev, mock_devm_del_vqs, vdev);
	if (err || mock->probe_error)
		mock_remove(vdev);
	return err ?: mock->probe_error;
}

static int mock_freeze(struct virtio_device *vdev)
{
	mock_remove(vdev);
	return 0;
}

static const struct virtio_device_id mock_ids[] = { { MOCK_ID, VIRTIO_DEV_ANY_ID }, {} };

static const unsigned int mock_features[] = { MOCK_F_TYPE };

static struct virtio_driver mock_driver = {
	.driver.name = "virtio_mock",
	.feature_table = mock_features,
	.feature_table_size = ARRAY_SIZE(mock_features),
	.id_table = mock_ids,
	.validate = mock_validate,
	.probe = mock_probe,
	.remove = mock_remove,
	.freeze = mock_freeze,
	.restore = mock_restore,
};

static struct device *mock_arch_dev(struct virtio_device *vdev)
{
	struct virtio_mock *mock = to_mock(vdev);

	return mock->names == MOCK_OWN ? &vdev->dev :
	       mock->names == MOCK_PARENT ? vdev->dev.parent : NULL;
}

static bool mock_can_bounce(struct device *dev)
{
	return !to_mock(dev_to_virtio(dev))->cannot_bounce;
}

/* Whatever the guest is, the mock reaches memory as its bus does. */
static bool mock_confidential(struct virtio_device *vdev)
{
	return false;
}

int virtio_mock_start(struct kunit_suite *suite)
{
	return register_virtio_driver(&mock_driver);
}

void virtio_mock_stop(struct kunit_suite *suite)
{
	unregister_virtio_driver(&mock_driver);
}

int virtio_mock_init(struct kunit *test)
{
	struct virtio_mock *mock = kunit_kzalloc(test, sizeof(*mock), GFP_KERNEL);
	int err;

	if (!mock)
		return -ENOMEM;

	mock->test = test;
	mock->opted_in = true;
	mock->num = 16;
	kunit_activate_static_stub(test, virtio_dma_arch_dev, mock_arch_dev);
	kunit_activate_static_stub(test, virtio_dma_can_bounce, mock_can_bounce);
	kunit_activate_static_stub(test, virtio_dma_confidential, mock_confidential);
	err = mock_bus_init(mock);
	/* KUnit calls the exit even if this fails. */
	if (!err)
		test->priv = mock;
	return err;
}

void virtio_mock_exit(struct kunit *test)
{
	struct virtio_mock *mock = test->priv;

	if (!mock)
		return;

	if (mock->plugged)
		virtio_mock_unplug(mock);
	mock_bus_exit(mock);
}

static void mock_release(struct device *dev)
{
	complete(&to_mock(dev_to_virtio(dev))->released);
}

/* Whether its probe succeeds is seen by the driver that it then has. */
void virtio_mock_plug(struct virtio_mock *mock, enum mock_bus bus)
{
	mock->bus = bus;
	mock_bus_plug(mock);
	memset(&mock->vdev, 0, sizeof(mock->vdev));
	init_completion(&mock->released);
	mock->written = 0;
	mock->probed = 0;
	mock->detached = 0;
	mock->vdev.id.device = MOCK_ID;
	mock->vdev.config = &mock_config_ops;
	mock->vdev.parent_dma = mock->opted_in;
	mock->vdev.dev.parent = &mock->parent->dev;
	mock->vdev.dev.release = mock_release;
	KUNIT_ASSERT_EQ(mock->test, register_virtio_device(&mock->vdev), 0);
	mock->plugged = true;
}

void virtio_mock_unplug(struct virtio_mock *mock)
{
	mock->plugged = false;
	unregister_virtio_device(&mock->vdev);
	wait_for_completion(&mock->released);
	KUNIT_EXPECT_EQ_MSG(mock->test, mock->live, 0, "a mapping outlives the device");
	KUNIT_EXPECT_EQ_MSG(mock->test, mock->wrong, 0, "what is unmapped was not mapped so");
}
