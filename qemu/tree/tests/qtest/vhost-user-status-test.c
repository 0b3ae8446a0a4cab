/*
 * QTest testcase for what QEMU says of a device that has a vhost-user back end
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/generic-pcihost.h"
#include "libqos/libqos-malloc.h"
#include "libqos/virtio.h"
#include "libqos/virtio-pci.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/virtio_config.h"
#include "vhost-user-util.h"

#define RAM_BASE        0x40000000
#define ALLOC_SIZE      0x02000000
#define PAGE_BYTES      4096
#define SLOT            1

/* Does x-query-virtio-status know of a vhost back end that runs? */
static bool status_has_vhost(QTestState *qts, int queues)
{
    QDict *rsp = qtest_qmp_assert_success_ref(qts,
        "{ 'execute': 'x-query-virtio-status', 'arguments': { 'path':"
        " '/machine/peripheral/dev/virtio-backend' } }");
    bool started = qdict_get_bool(rsp, "vhost-started");

    g_assert(qdict_haskey(rsp, "vhost-dev") == started);
    if (started) {
        g_assert_cmpint(qdict_get_int(qdict_get_qdict(rsp, "vhost-dev"),
                                      "nvqs"), ==, queues);
    }
    qobject_unref(rsp);

    return started;
}

typedef struct StatusTest {
    const char *device;
    int queues;
} StatusTest;

static const StatusTest tests[] = {
    { "vhost-user-rng-pci", 1 },
    { "vhost-user-scmi-pci", 2 },
};

static void test_status(gconstpointer opaque)
{
    const StatusTest *test = opaque;
    QPCIAddress addr = { .devfn = QPCI_DEVFN(SLOT, 0) };
    QGuestAllocator alloc;
    QGenericPCIBus bus;
    QVirtioPCIDevice dev;
    QVirtQueue *vq;
    QTestState *qts;
    VhostUser v;

    vhost_user_start(&v, 0);
    qts = qtest_initf("-machine virt,memory-backend=ram -cpu max -nodefaults "
                      "-m 128M -object memory-backend-memfd,id=ram,size=128M,"
                      "share=on -chardev socket,id=backend,path=%s "
                      "-device %s,id=dev,addr=1,chardev=backend", v.path,
                      test->device);
    alloc_init(&alloc, 0, RAM_BASE, RAM_BASE + ALLOC_SIZE, PAGE_BYTES);
    qpci_init_generic(&bus, qts, &alloc, false);
    virtio_pci_init(&dev, &bus.bus, &addr);
    qvirtio_pci_device_enable(&dev);
    g_assert(!status_has_vhost(qts, test->queues));

    qvirtio_start_device(&dev.vdev);
    qvirtio_set_features(&dev.vdev, 1ull << VIRTIO_F_VERSION_1);
    vq = qvirtqueue_setup(&dev.vdev, &alloc, 0);
    qvirtio_set_driver_ok(&dev.vdev);
    g_assert_cmpuint(v.kicks, ==, 1);
    g_assert(status_has_vhost(qts, test->queues));

    qvirtio_reset(&dev.vdev);
    g_assert(!status_has_vhost(qts, test->queues));

    qvirtqueue_cleanup(dev.vdev.bus, vq, &alloc);
    qvirtio_pci_device_disable(&dev);
    g_free(dev.pdev);
    alloc_destroy(&alloc);
    qtest_quit(qts);
    vhost_user_end(&v);
}

int main(int argc, char **argv)
{
    int i;

    g_test_init(&argc, &argv, NULL);
    for (i = 0; i < ARRAY_SIZE(tests); i++) {
        if (qtest_has_device(tests[i].device)) {
            g_autofree char *path = g_strdup_printf("/vhost-user/status/%s",
                                                    tests[i].device);

            qtest_add_data_func(path, &tests[i], test_status);
        }
    }

    return g_test_run();
}
