/*
 * Helpers for tests of machines that play the hypervisor of a guest
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hypervisor-util.h"
#include "libqos/libqos-malloc.h"
#include "qobject/qbool.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "standard-headers/linux/virtio_ring.h"

static void remove_firmware(void *path)
{
    unlink(path);
}

char *hyp_make_firmware(const uint32_t *code, size_t words, size_t offset,
                        bool big_endian)
{
    g_autofree uint32_t *image = g_new0(uint32_t, offset + words);
    size_t i, bytes = (offset + words) * sizeof(*image);
    char *path;
    int fd = g_file_open_tmp("qtest-hypervisor-XXXXXX.bin", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    /* Tests remove it in the end: do it for one that fails, too. */
    qtest_add_abrt_handler(remove_firmware, path);
    for (i = 0; i < words; i++) {
        image[offset + i] = big_endian ? cpu_to_be32(code[i]) :
                                         cpu_to_le32(code[i]);
    }
    g_assert_cmpint(write(fd, image, bytes), ==, bytes);
    close(fd);
    return path;
}

void hyp_call(Hypervisor *h, uint64_t kind, uint64_t regs[4])
{
    int i;

    for (i = 0; i < 4; i++) {
        qtest_writeq(h->qts, h->mailbox + 8 + i * 8, regs[i]);
    }
    qtest_writeq(h->qts, h->mailbox, kind);
    for (i = 0; qtest_readq(h->qts, h->mailbox); i++) {
        g_assert_cmpint(i, <, HYP_TIMEOUT_MS);
        g_usleep(1000);
    }
    for (i = 0; i < 4; i++) {
        regs[i] = qtest_readq(h->qts, h->mailbox + 8 + i * 8);
    }
}

static QObject *hyp_get(Hypervisor *h, const char *name)
{
    QDict *response = qtest_qmp(h->qts, "{ 'execute': 'qom-get', 'arguments': {"
                                "'path': %s, 'property': %s } }",
                                h->path, name);
    QObject *value = qobject_ref(qdict_get(response, "return"));

    g_assert(value);
    qobject_unref(response);
    return value;
}

uint64_t hyp_get_count(Hypervisor *h, const char *name)
{
    QNum *value = qobject_to(QNum, hyp_get(h, name));
    uint64_t count = qnum_get_uint(value);

    qobject_unref(value);
    return count;
}

void hyp_assert_secure(Hypervisor *h, bool expected)
{
    QBool *value = qobject_to(QBool, hyp_get(h, "secure"));

    g_assert_cmpint(qbool_get_bool(value), ==, expected);
    qobject_unref(value);
}

void hyp_assert_shared(Hypervisor *h, uint64_t base, uint64_t size)
{
    QList *list = qobject_to(QList, hyp_get(h, "shared"));
    QDict *range = qobject_to(QDict, qlist_peek(list));

    g_assert_cmpint(qlist_size(list), ==, !!size);
    if (size) {
        g_assert_cmphex(qdict_get_int(range, "base"), ==, base);
        g_assert_cmphex(qdict_get_int(range, "size"), ==, size);
    }
    qobject_unref(list);
}

void hyp_assert_unmigratable(Hypervisor *h)
{
    QDict *response = qtest_qmp_assert_failure_ref(h->qts,
                         "{ 'execute': 'migrate', 'arguments': {"
                         "'uri': 'exec:cat >/dev/null' } }");

    g_assert(strstr(qdict_get_str(response, "desc"), "dma-filter"));
    qobject_unref(response);
}

void hyp_drive_rng(Hypervisor *h, QVirtioDevice *vdev, uint64_t features,
                   uint64_t base, uint64_t size, bool works)
{
    uint64_t refused = hyp_get_count(h, "refused");
    QGuestAllocator alloc;
    QVirtQueue *vq;
    uint64_t buf;
    uint32_t head, len;
    int i;

    alloc_init(&alloc, 0, base, base + size, 4096);
    qvirtio_start_device(vdev);
    qvirtio_set_features(vdev, features);
    vq = qvirtqueue_setup(vdev, &alloc, 0);
    qvirtio_set_driver_ok(vdev);

    buf = guest_alloc(&alloc, 64);
    head = qvirtqueue_add(h->qts, vq, buf, 64, true, false);
    qvirtqueue_kick(h->qts, vdev, vq, head);
    if (works) {
        qvirtio_wait_used_elem(h->qts, vdev, vq, head, &len,
                               HYP_TIMEOUT_MS * 1000);
        g_assert_cmpuint(len, >, 0);
        g_assert_cmpuint(hyp_get_count(h, "refused"), ==, refused);
    } else {
        for (i = 0; hyp_get_count(h, "refused") == refused; i++) {
            g_assert_cmpint(i, <, HYP_TIMEOUT_MS);
            g_usleep(1000);
        }
        g_assert_cmpuint(qtest_readw(h->qts, vq->used +
                                     offsetof(struct vring_used, idx)), ==, 0);
    }

    qvirtqueue_cleanup(vdev->bus, vq, &alloc);
    guest_free(&alloc, buf);
    alloc_destroy(&alloc);
}
