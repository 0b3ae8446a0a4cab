/*
 * QTest testcase for the DMA of virtio devices behind a virtio-iommu, and for
 * that of the virtio-iommu itself
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/generic-pcihost.h"
#include "libqos/libqos-malloc.h"
#include "libqos/virtio.h"
#include "libqos/virtio-pci.h"
#include "standard-headers/linux/virtio_config.h"
#include "standard-headers/linux/virtio_iommu.h"
#include "standard-headers/linux/virtio_pci.h"
#include "standard-headers/linux/virtio_ring.h"

#define PATH            "/virtio/iommu-dma/"
#define MACHINE         "-machine virt -cpu max -nodefaults "
#define IOMMU           "-device virtio-iommu-pci,addr=1"
/* Without ioeventfd, virtio-rng has read the queue when its kick is over. */
#define RNG             " -device virtio-rng-pci,addr=2,ioeventfd=off," \
                        "disable-legacy=on,iommu_platform=on"
#define IOMMU_SLOT      1
#define RNG_SLOT        2
#define RNG_EP          (RNG_SLOT << 3)
#define DOMAIN          1

#define RAM_BASE        0x40000000
#define ALLOC_SIZE      0x02000000
#define PAGE_BYTES      4096

/* The virtio-iommu maps what the allocator has this much higher. */
#define IOVA_OFFSET     0x100000000ull

/* Two pages, one behind the other for the device, that lie apart in memory */
#define SPLIT_IOVA      0x200000000ull
#define SPLIT_FIRST     0x44000000
#define SPLIT_GUARD     (SPLIT_FIRST + PAGE_BYTES)
#define SPLIT_SECOND    0x44008000
#define GUARD_BYTE      0xa5

/* Where a used ring starts whose first element has its length behind a page */
#define SPLIT_USED      (PAGE_BYTES - offsetof(struct vring_used, ring[0].len))

#define UNMAPPED_IOVA   0x300000000ull

#define EVENTS          16
#define REQUEST_BYTES   64
#define TIMEOUT_US      (10 * 1000 * 1000)

typedef struct Guest {
    QTestState *qts;
    QGuestAllocator alloc;
    QGenericPCIBus bus;
    QVirtioPCIDevice iommu;
    QVirtQueue *request_vq;
    QVirtQueue *event_vq;
    uint64_t events;
    QVirtioPCIDevice rng;
    QVirtQueue *rng_vq;
    uint64_t buf;
} Guest;

static void pci_start(Guest *g, QVirtioPCIDevice *dev, int slot)
{
    QPCIAddress addr = { .devfn = QPCI_DEVFN(slot, 0) };

    virtio_pci_init(dev, &g->bus.bus, &addr);
    qvirtio_pci_device_enable(dev);
    qvirtio_start_device(&dev->vdev);
}

static void pci_stop(QVirtioPCIDevice *dev)
{
    qvirtio_pci_device_disable(dev);
    g_free(dev->pdev);
}

static void guest_start(Guest *g, const char *options)
{
    uint64_t features;

    g->qts = qtest_initf(MACHINE "%s", options);
    alloc_init(&g->alloc, 0, RAM_BASE, RAM_BASE + ALLOC_SIZE, PAGE_BYTES);
    qpci_init_generic(&g->bus, g->qts, &g->alloc, false);

    pci_start(g, &g->iommu, IOMMU_SLOT);
    features = qvirtio_get_features(&g->iommu.vdev);
    features &= ~(QVIRTIO_F_BAD_FEATURE |
                  1ull << VIRTIO_RING_F_INDIRECT_DESC |
                  1ull << VIRTIO_RING_F_EVENT_IDX);
    qvirtio_set_features(&g->iommu.vdev, features);
}

/* Set up both queues of the virtio-iommu, and have it report faults. */
static void iommu_ready(Guest *g)
{
    QVirtioDevice *vdev = &g->iommu.vdev;
    const size_t size = sizeof(struct virtio_iommu_fault);
    int i;

    g->request_vq = qvirtqueue_setup(vdev, &g->alloc, 0);
    g->event_vq = qvirtqueue_setup(vdev, &g->alloc, 1);
    qvirtio_set_driver_ok(vdev);

    g->events = guest_alloc(&g->alloc, EVENTS * size);
    for (i = 0; i < EVENTS; i++) {
        uint32_t head = qvirtqueue_add(g->qts, g->event_vq,
                                       g->events + i * size, size, true,
                                       false);

        qvirtqueue_kick(g->qts, vdev, g->event_vq, head);
    }
}

static void guest_stop(Guest *g)
{
    if (g->rng_vq) {
        qvirtqueue_cleanup(g->rng.vdev.bus, g->rng_vq, &g->alloc);
        pci_stop(&g->rng);
    }
    qvirtqueue_cleanup(g->iommu.vdev.bus, g->event_vq, &g->alloc);
    qvirtqueue_cleanup(g->iommu.vdev.bus, g->request_vq, &g->alloc);
    pci_stop(&g->iommu);
    alloc_destroy(&g->alloc);
    qtest_quit(g->qts);
}

/* Let the virtio-iommu do a request, and return its status. */
static uint8_t iommu_request(Guest *g, const void *request, size_t size)
{
    QVirtioDevice *vdev = &g->iommu.vdev;
    QVirtQueue *vq = g->request_vq;
    struct virtio_iommu_req_tail tail;
    uint64_t out = guest_alloc(&g->alloc, size);
    uint64_t in = guest_alloc(&g->alloc, sizeof(tail));
    uint32_t head;

    qtest_memwrite(g->qts, out, request, size);
    qtest_memset(g->qts, in, 0xff, sizeof(tail));
    head = qvirtqueue_add(g->qts, vq, out, size, false, true);
    qvirtqueue_add(g->qts, vq, in, sizeof(tail), true, false);
    qvirtqueue_kick(g->qts, vdev, vq, head);
    qvirtio_wait_used_elem(g->qts, vdev, vq, head, NULL, TIMEOUT_US);
    qtest_memread(g->qts, in, &tail, sizeof(tail));
    guest_free(&g->alloc, out);
    guest_free(&g->alloc, in);

    return tail.status;
}

static uint8_t iommu_attach(Guest *g, uint32_t endpoint)
{
    const struct virtio_iommu_req_attach request = {
        .head.type = VIRTIO_IOMMU_T_ATTACH,
        .domain = cpu_to_le32(DOMAIN),
        .endpoint = cpu_to_le32(endpoint),
    };

    return iommu_request(g, &request, offsetof(typeof(request), tail));
}

static void iommu_map(Guest *g, uint64_t iova, uint64_t phys, uint64_t size)
{
    const struct virtio_iommu_req_map request = {
        .head.type = VIRTIO_IOMMU_T_MAP,
        .domain = cpu_to_le32(DOMAIN),
        .virt_start = cpu_to_le64(iova),
        .virt_end = cpu_to_le64(iova + size - 1),
        .phys_start = cpu_to_le64(phys),
        .flags = cpu_to_le32(VIRTIO_IOMMU_MAP_F_READ |
                             VIRTIO_IOMMU_MAP_F_WRITE),
    };

    g_assert_cmpint(iommu_request(g, &request, offsetof(typeof(request), tail)),
                    ==, VIRTIO_IOMMU_S_OK);
}

static unsigned faults(Guest *g)
{
    return qtest_readw(g->qts,
                       g->event_vq->used + offsetof(struct vring_used, idx));
}

/* The latest fault must be that the device got at this address. */
static void assert_fault(Guest *g, uint64_t address)
{
    unsigned last = faults(g) - 1;
    uint32_t id = qtest_readl(g->qts, g->event_vq->used +
                              offsetof(struct vring_used, ring[last].id));
    struct virtio_iommu_fault fault;

    qtest_memread(g->qts, g->events + id * sizeof(fault), &fault,
                  sizeof(fault));
    g_assert_cmpint(fault.reason, ==, VIRTIO_IOMMU_FAULT_R_MAPPING);
    g_assert_cmphex(le32_to_cpu(fault.endpoint), ==, RNG_EP);
    g_assert_cmphex(le64_to_cpu(fault.address), ==, address);
}

/* Start all, and let the virtio-iommu translate for virtio-rng. */
static void rng_start(Guest *g, uint64_t features)
{
    QVirtioDevice *vdev = &g->rng.vdev;

    guest_start(g, IOMMU RNG);
    iommu_ready(g);
    pci_start(g, &g->rng, RNG_SLOT);

    g_assert_cmpint(iommu_attach(g, RNG_EP), ==, VIRTIO_IOMMU_S_OK);
    iommu_map(g, RAM_BASE + IOVA_OFFSET, RAM_BASE, ALLOC_SIZE);
    iommu_map(g, SPLIT_IOVA, SPLIT_FIRST, PAGE_BYTES);
    qtest_memset(g->qts, SPLIT_FIRST, 0, PAGE_BYTES);
    qtest_memset(g->qts, SPLIT_GUARD, GUARD_BYTE, PAGE_BYTES);
    qtest_memset(g->qts, SPLIT_SECOND, 0, PAGE_BYTES);

    features |= 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_F_ACCESS_PLATFORM;
    qvirtio_set_features(vdev, features);
    g->rng_vq = qvirtqueue_setup(vdev, &g->alloc, 0);
    g->buf = guest_alloc(&g->alloc, REQUEST_BYTES);
    qtest_memset(g->qts, g->buf, 0, REQUEST_BYTES);
}

/* Tell virtio-rng where its queue is, and start it. */
static void rng_ready(Guest *g, uint64_t desc, uint64_t used)
{
    QVirtioPCIDevice *dev = &g->rng;
    QVirtQueue vq = {
        .desc = desc,
        .avail = g->rng_vq->avail + IOVA_OFFSET,
        .used = used,
    };

    dev->vdev.bus->set_queue_address(&dev->vdev, &vq);
    qpci_io_writew(dev->pdev, dev->bar, dev->common_cfg_offset +
                   offsetof(struct virtio_pci_common_cfg, queue_enable), 1);
    qvirtio_set_driver_ok(&dev->vdev);
}

static void rng_request(Guest *g)
{
    uint32_t head = qvirtqueue_add(g->qts, g->rng_vq, g->buf + IOVA_OFFSET,
                                   REQUEST_BYTES, true, false);

    qvirtqueue_kick(g->qts, &g->rng.vdev, g->rng_vq, head);
}

/* Wait until virtio-rng has used one buffer. */
static void rng_wait(Guest *g, uint64_t used)
{
    gint64 end = g_get_monotonic_time() + TIMEOUT_US;

    while (!qtest_readw(g->qts, used + offsetof(struct vring_used, idx))) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(1000);
    }
}

static void assert_guard(Guest *g)
{
    uint8_t page[PAGE_BYTES];
    int i;

    qtest_memread(g->qts, SPLIT_GUARD, page, sizeof(page));
    for (i = 0; i < sizeof(page); i++) {
        g_assert_cmphex(page[i], ==, GUARD_BYTE);
    }
}

static void assert_random(Guest *g)
{
    uint8_t data[REQUEST_BYTES], none[REQUEST_BYTES] = {};

    qtest_memread(g->qts, g->buf, data, sizeof(data));
    g_assert(memcmp(data, none, sizeof(data)));
}

static void test_cached_write(void)
{
    Guest g = {};
    const uint64_t id = SPLIT_FIRST + SPLIT_USED +
                        offsetof(struct vring_used, ring[0].id);

    rng_start(&g, 0);
    iommu_map(&g, SPLIT_IOVA + PAGE_BYTES, SPLIT_SECOND, PAGE_BYTES);
    rng_ready(&g, g.rng_vq->desc + IOVA_OFFSET, SPLIT_IOVA + SPLIT_USED);

    qtest_writel(g.qts, id, UINT32_MAX);
    rng_request(&g);
    rng_wait(&g, SPLIT_FIRST + SPLIT_USED);

    assert_guard(&g);
    g_assert_cmphex(qtest_readl(g.qts, id), ==, 0);
    g_assert_cmphex(qtest_readl(g.qts, SPLIT_SECOND), ==, REQUEST_BYTES);
    assert_random(&g);
    g_assert_cmpuint(faults(&g), ==, 0);

    guest_stop(&g);
}

/* An indirect descriptor may be anywhere, such as across two pages. */
static void test_cached_read(void)
{
    Guest g = {};
    const size_t first = offsetof(struct vring_desc, len);
    struct vring_desc desc = {};
    uint32_t head;

    rng_start(&g, 1ull << VIRTIO_RING_F_INDIRECT_DESC);
    iommu_map(&g, SPLIT_IOVA + PAGE_BYTES, SPLIT_SECOND, PAGE_BYTES);
    rng_ready(&g, g.rng_vq->desc + IOVA_OFFSET, g.rng_vq->used + IOVA_OFFSET);

    desc.addr = cpu_to_le64(g.buf + IOVA_OFFSET);
    desc.len = cpu_to_le32(REQUEST_BYTES);
    desc.flags = cpu_to_le16(VRING_DESC_F_WRITE);
    qtest_memwrite(g.qts, SPLIT_FIRST + PAGE_BYTES - first, &desc, first);
    qtest_memwrite(g.qts, SPLIT_SECOND, &desc.len, sizeof(desc) - first);

    head = qvirtqueue_add(g.qts, g.rng_vq, SPLIT_IOVA + PAGE_BYTES - first,
                          sizeof(desc), false, false);
    qtest_writew(g.qts, g.rng_vq->desc + offsetof(struct vring_desc, flags),
                 VRING_DESC_F_INDIRECT);
    qvirtqueue_kick(g.qts, &g.rng.vdev, g.rng_vq, head);
    rng_wait(&g, g.rng_vq->used);

    assert_random(&g);
    g_assert_cmpuint(faults(&g), ==, 0);

    guest_stop(&g);
}

/* virtio-rng looks at the first descriptor once for each kick. */
static void test_fault_read(void)
{
    Guest g = {};

    rng_start(&g, 0);
    rng_ready(&g, UNMAPPED_IOVA, g.rng_vq->used + IOVA_OFFSET);
    g_assert_cmpuint(faults(&g), ==, 0);

    rng_request(&g);
    g_assert_cmpuint(faults(&g), ==, 1);
    assert_fault(&g, UNMAPPED_IOVA);

    g.rng.vdev.bus->virtqueue_kick(&g.rng.vdev, g.rng_vq);
    g_assert_cmpuint(faults(&g), ==, 2);
    assert_fault(&g, UNMAPPED_IOVA);

    guest_stop(&g);
}

/* What is not mapped of a used element is in the next page. */
static void test_fault_write(void)
{
    Guest g = {};

    rng_start(&g, 0);
    rng_ready(&g, g.rng_vq->desc + IOVA_OFFSET, SPLIT_IOVA + SPLIT_USED);

    rng_request(&g);
    rng_wait(&g, SPLIT_FIRST + SPLIT_USED);

    assert_guard(&g);
    g_assert_cmpuint(faults(&g), ==, 1);
    assert_fault(&g, SPLIT_IOVA + PAGE_BYTES);

    guest_stop(&g);
}

/* The virtio-iommu must answer, and have no fault of its own to report. */
static void assert_answers(Guest *g)
{
    g_assert_cmpint(iommu_attach(g, 0), ==, VIRTIO_IOMMU_S_OK);
    iommu_map(g, 0, RAM_BASE, PAGE_BYTES);
    g_assert_cmpint(iommu_attach(g, IOMMU_SLOT << 3), ==,
                    VIRTIO_IOMMU_S_NOENT);
    g_assert_cmpuint(faults(g), ==, 0);
}

static void test_own_boot(void)
{
    Guest g = {};

    guest_start(&g, IOMMU ",iommu_platform=on,boot-bypass=off");
    g_assert(g.iommu.vdev.features & 1ull << VIRTIO_F_ACCESS_PLATFORM);
    iommu_ready(&g);
    assert_answers(&g);
    guest_stop(&g);
}

static void test_own_config(void)
{
    Guest g = {};

    guest_start(&g, IOMMU ",iommu_platform=on");
    g_assert(g.iommu.vdev.features & 1ull << VIRTIO_F_ACCESS_PLATFORM);
    iommu_ready(&g);
    qpci_io_writeb(g.iommu.pdev, g.iommu.bar, g.iommu.device_cfg_offset +
                   offsetof(struct virtio_iommu_config, bypass), 0);
    assert_answers(&g);
    guest_stop(&g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func(PATH "cached-access/write", test_cached_write);
    qtest_add_func(PATH "cached-access/read", test_cached_read);
    qtest_add_func(PATH "one-fault/read", test_fault_read);
    qtest_add_func(PATH "one-fault/write", test_fault_write);
    qtest_add_func(PATH "own-dma/boot-bypass", test_own_boot);
    qtest_add_func(PATH "own-dma/config-bypass", test_own_config);

    return g_test_run();
}
