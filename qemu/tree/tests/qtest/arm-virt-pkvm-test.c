/*
 * QTest testcase for protected KVM guests of the Arm virt machine
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hypervisor-util.h"
#include "libqos/generic-pcihost.h"
#include "libqos/libqos-malloc.h"
#include "libqos/virtio-mmio.h"
#include "libqos/virtio-pci.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/virtio_config.h"
#include "vhost-user-util.h"

#define PSCI_FEATURES       0x8400000a
#define SMCCC_VERSION       0x80000000
#define SMCCC_ARCH_FEATURES 0x80000001
#define HYP_CALL_UID        0x8600ff01
#define HYP_FEATURES        0x86000000
#define HYP_MEMINFO         0xc6000002
#define HYP_MEM_SHARE       0xc6000003
#define HYP_MEM_UNSHARE     0xc6000004
#define HYP_MMIO_GUARD      0xc6000007
#define HYP_NONE            0xc6000008

#define SUCCESS             0
#define NOT_SUPPORTED       (-1)
#define INVALID_PARAMETER   (-3)

#define MACHINE             "-accel tcg -machine virt,x-pkvm=on"
#define CPU                 " -cpu cortex-a57 -nodefaults -bios %s "
#define MMIO_BASE           0x0a000000
#define MMIO_LAST           (MMIO_BASE + 31 * 0x200)
#define PCI_SLOT            1

#define RAM_END             0x48000000
#define MAILBOX             0x41000000
#define PAGE_BYTES          0x1000ull
#define PAGE                0x42000000ull
/* The queue and the buffer of a device */
#define DMA_BYTES           (16 * PAGE_BYTES)

/* Firmware that makes the calls which the test leaves in the mailbox */
static const uint32_t code[] = {
    0xd2a82013, /*    mov     x19, #MAILBOX                                  */
    0xf9400260, /* 1: ldr     x0, [x19]      wait for a call                 */
    0xb4ffffe0, /*    cbz     x0, 1b                                         */
    0xa9408660, /*    ldp     x0, x1, [x19, #8]                              */
    0xa9418e62, /*    ldp     x2, x3, [x19, #24]                             */
    0xd4000002, /*    hvc     #0                                             */
    0xa9008660, /*    stp     x0, x1, [x19, #8]                              */
    0xa9018e62, /*    stp     x2, x3, [x19, #24]                             */
    0xd5033fbf, /*    dmb     sy                                             */
    0xf900027f, /*    str     xzr, [x19]                                     */
    0x17fffff7, /*    b       1b                                             */
};

static char *firmware;

static Hypervisor G_GNUC_PRINTF(1, 2) start(const char *format, ...)
{
    Hypervisor h = { .path = "/machine/pkvm", .mailbox = MAILBOX };
    va_list args;

    va_start(args, format);
    h.qts = qtest_vinitf(format, args);
    va_end(args);
    return h;
}

static void expect(Hypervisor *h, uint64_t function, uint64_t x1, uint64_t x2,
                   uint64_t x3, int64_t expected)
{
    uint64_t regs[4] = { function, x1, x2, x3 };

    hyp_call(h, 1, regs);
    g_assert_cmpint(regs[0], ==, expected);
}

static void share_page(Hypervisor *h, uint64_t addr, int64_t expected)
{
    expect(h, HYP_MEM_SHARE, addr, 0, 0, expected);
}

static void unshare_page(Hypervisor *h, uint64_t addr, int64_t expected)
{
    expect(h, HYP_MEM_UNSHARE, addr, 0, 0, expected);
}

static void share_dma(Hypervisor *h)
{
    uint64_t ofs;

    for (ofs = 0; ofs < DMA_BYTES; ofs += PAGE_BYTES) {
        share_page(h, PAGE + ofs, SUCCESS);
    }
}

static void unshare_dma(Hypervisor *h)
{
    uint64_t ofs;

    for (ofs = 0; ofs < DMA_BYTES; ofs += PAGE_BYTES) {
        unshare_page(h, PAGE + ofs, SUCCESS);
    }
}

static void test_off(void)
{
    Hypervisor h = start("-accel tcg -machine virt" CPU, firmware);
    QDict *response;

    response = qtest_qmp(h.qts, "{ 'execute': 'qom-get', 'arguments': {"
                         "'path': '/machine', 'property': 'x-pkvm' } }");
    g_assert(!qdict_get_bool(response, "return"));
    qobject_unref(response);

    response = qtest_qmp_assert_failure_ref(h.qts, "{ 'execute': 'qom-list',"
                         "'arguments': { 'path': '/machine/pkvm' } }");
    qobject_unref(response);

    expect(&h, PSCI_FEATURES, PSCI_FEATURES, 0, 0, SUCCESS);
    expect(&h, PSCI_FEATURES, SMCCC_VERSION, 0, 0, NOT_SUPPORTED);
    expect(&h, SMCCC_VERSION, 0, 0, 0, NOT_SUPPORTED);
    expect(&h, HYP_CALL_UID, 0, 0, 0, NOT_SUPPORTED);
    expect(&h, HYP_MEM_SHARE, PAGE, 0, 0, NOT_SUPPORTED);
    qtest_quit(h.qts);
}

static void test_migration(void)
{
    Hypervisor h = start("-machine virt,x-pkvm=on" CPU, firmware);

    hyp_assert_unmigratable(&h);
    qtest_quit(h.qts);
}

static void test_discovery(void)
{
    Hypervisor h = start(MACHINE CPU, firmware);
    uint64_t uid[4] = { HYP_CALL_UID }, features[4] = { HYP_FEATURES };

    expect(&h, PSCI_FEATURES, SMCCC_VERSION, 0, 0, SUCCESS);
    expect(&h, SMCCC_VERSION, 0, 0, 0, 0x10001);
    expect(&h, SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0, 0, SUCCESS);
    expect(&h, SMCCC_ARCH_FEATURES, HYP_MEM_SHARE, 0, 0, NOT_SUPPORTED);

    hyp_call(&h, 1, uid);
    g_assert_cmphex(uid[0], ==, 0xb66fb428);
    g_assert_cmphex(uid[1], ==, 0xe911c52e);
    g_assert_cmphex(uid[2], ==, 0x564bcaa9);
    g_assert_cmphex(uid[3], ==, 0x743a004d);

    features[1] = features[2] = features[3] = -1;
    hyp_call(&h, 1, features);
    g_assert_cmphex(features[0], ==, 0x9d);
    g_assert_cmphex(features[1] | features[2] | features[3], ==, 0);

    expect(&h, HYP_MEMINFO, 0, 0, 0, PAGE_BYTES);
    expect(&h, HYP_MEMINFO, PAGE, 0, 0, INVALID_PARAMETER);
    expect(&h, HYP_MEMINFO, 0, 0, 1, INVALID_PARAMETER);
    expect(&h, HYP_NONE, 0, 0, 0, NOT_SUPPORTED);
    qtest_quit(h.qts);
}

static void test_calls(void)
{
    Hypervisor h = start(MACHINE CPU, firmware);

    /* Nothing is shared at first, and each call has to change a page */
    hyp_assert_secure(&h, true);
    hyp_assert_shared(&h, 0, 0);
    unshare_page(&h, PAGE, INVALID_PARAMETER);
    qtest_writeq(h.qts, PAGE, 0x1234);
    share_page(&h, PAGE, SUCCESS);
    g_assert_cmphex(qtest_readq(h.qts, PAGE), ==, 0x1234);
    share_page(&h, PAGE, INVALID_PARAMETER);
    share_page(&h, PAGE + PAGE_BYTES, SUCCESS);
    hyp_assert_shared(&h, PAGE, 2 * PAGE_BYTES);
    unshare_page(&h, PAGE, SUCCESS);
    unshare_page(&h, PAGE, INVALID_PARAMETER);
    hyp_assert_shared(&h, PAGE + PAGE_BYTES, PAGE_BYTES);

    /* What is not a page of RAM */
    share_page(&h, PAGE + 8, INVALID_PARAMETER);
    expect(&h, HYP_MEM_SHARE, PAGE, 1, 0, INVALID_PARAMETER);
    expect(&h, HYP_MEM_SHARE, PAGE, 0, 1, INVALID_PARAMETER);
    share_page(&h, MMIO_BASE, INVALID_PARAMETER);
    share_page(&h, RAM_END, INVALID_PARAMETER);
    share_page(&h, -PAGE_BYTES, INVALID_PARAMETER);
    hyp_assert_shared(&h, PAGE + PAGE_BYTES, PAGE_BYTES);

    /* The last page of RAM */
    unshare_page(&h, PAGE + PAGE_BYTES, SUCCESS);
    share_page(&h, RAM_END - PAGE_BYTES, SUCCESS);
    hyp_assert_shared(&h, RAM_END - PAGE_BYTES, PAGE_BYTES);

    expect(&h, HYP_MMIO_GUARD, MMIO_BASE, 0, 0, SUCCESS);
    expect(&h, HYP_MMIO_GUARD, MMIO_BASE + 8, 0, 0, INVALID_PARAMETER);
    expect(&h, HYP_MMIO_GUARD, PAGE, 0, 0, INVALID_PARAMETER);

    /* A reset takes all pages back */
    qtest_system_reset(h.qts);
    hyp_assert_secure(&h, true);
    hyp_assert_shared(&h, 0, 0);
    share_page(&h, PAGE, SUCCESS);
    qtest_quit(h.qts);
}

static void test_refuse(void)
{
    Hypervisor h = start(MACHINE CPU "-global virt-pkvm.x-refuse-share=2",
                         firmware);

    /* What fails by itself does not count */
    share_page(&h, PAGE, SUCCESS);
    share_page(&h, PAGE, INVALID_PARAMETER);
    share_page(&h, PAGE + PAGE_BYTES, INVALID_PARAMETER);
    share_page(&h, PAGE + PAGE_BYTES, SUCCESS);
    qtest_quit(h.qts);
}

typedef struct DMATest {
    const char *name;
    const char *machine;
    const char *device;
    bool pci;
    uint64_t features;
} DMATest;

#define VIRTIO_F_PLATFORM_DMA 44

#define MODERN  (1ull << VIRTIO_F_VERSION_1)
#define TOLD    (MODERN | 1ull << VIRTIO_F_ACCESS_PLATFORM)
#define ON_MMIO "-device virtio-rng-device"
#define ON_PCI  "-device virtio-rng-pci,addr=1"

static const DMATest dma_tests[] = {
    { "mmio-legacy", "", ON_MMIO, false, 0 },
    { "mmio", "", "-global virtio-mmio.force-legacy=off " ON_MMIO, false,
      MODERN },
    { "mmio-told", "", "-global virtio-mmio.force-legacy=off " ON_MMIO
      ",iommu_platform=on", false, TOLD },
    { "pci", "", ON_PCI, true, MODERN },
    { "pci-told", "", ON_PCI ",iommu_platform=on,disable-legacy=on", true,
      TOLD },
    /* What follows is translated, or bypasses the SMMU for two reasons */
    { "smmu", ",iommu=smmuv3", ON_PCI, true, MODERN },
    { "smmu-told", ",iommu=smmuv3", ON_PCI
      ",iommu_platform=on,disable-legacy=on", true, TOLD },
    { "smmu-bypass", ",iommu=smmuv3,default-bus-bypass-iommu=on", ON_PCI
      ",iommu_platform=on,disable-legacy=on", true, TOLD },
    { "smmu-mmio", ",iommu=smmuv3,acpi=off,virtio-mmio-iommu=1", ON_MMIO
      ",x-force-bus-dma=on", false, 0 },
};

/* Does a device reach shared pages, and no others? */
static void test_dma(gconstpointer opaque)
{
    const DMATest *t = opaque;
    Hypervisor h = start("-accel tcg -machine virt,x-pkvm=on%s" CPU
                         "-global virtio-mmio.ioeventfd=off %s",
                         t->machine, firmware, t->device);
    QPCIAddress addr = { .devfn = QPCI_DEVFN(PCI_SLOT, 0) };
    QVirtioMMIODevice mmio_dev = {};
    QVirtioPCIDevice pci_dev = {};
    QGenericPCIBus bus = {};
    QGuestAllocator alloc;
    QVirtioDevice *vdev;

    alloc_init(&alloc, 0, PAGE, PAGE + DMA_BYTES, PAGE_BYTES);
    if (t->pci) {
        qpci_init_generic(&bus, h.qts, &alloc, false);
        virtio_pci_init(&pci_dev, &bus.bus, &addr);
        qvirtio_pci_device_enable(&pci_dev);
        vdev = &pci_dev.vdev;
    } else {
        qvirtio_mmio_init_device(&mmio_dev, h.qts, MMIO_LAST, PAGE_BYTES);
        vdev = &mmio_dev.vdev;
    }

    hyp_drive_rng(&h, vdev, t->features, PAGE, DMA_BYTES, false);
    share_dma(&h);
    hyp_drive_rng(&h, vdev, t->features, PAGE, DMA_BYTES, true);
    unshare_dma(&h);
    hyp_drive_rng(&h, vdev, t->features, PAGE, DMA_BYTES, false);

    if (t->pci) {
        qvirtio_pci_device_disable(&pci_dev);
        g_free(pci_dev.pdev);
    }
    alloc_destroy(&alloc);
    qtest_quit(h.qts);
}

typedef struct Vhost {
    Hypervisor h;
    VhostUser back;
    QGuestAllocator alloc;
    QGenericPCIBus bus;
    QVirtioPCIDevice dev;
} Vhost;

static void vhost_start(Vhost *v, uint64_t offers)
{
    QPCIAddress addr = { .devfn = QPCI_DEVFN(PCI_SLOT, 0) };

    vhost_user_start(&v->back, offers);
    v->h = start(MACHINE ",memory-backend=ram" CPU "-m 128M "
                 "-object memory-backend-memfd,id=ram,size=128M,share=on "
                 "-chardev socket,id=backend,path=%s "
                 "-device vhost-user-rng-pci,addr=1,chardev=backend",
                 firmware, v->back.path);
    alloc_init(&v->alloc, 0, PAGE, PAGE + DMA_BYTES, PAGE_BYTES);
    qpci_init_generic(&v->bus, v->h.qts, &v->alloc, false);
    virtio_pci_init(&v->dev, &v->bus.bus, &addr);
    qvirtio_pci_device_enable(&v->dev);
}

/* Start the device. Return whether its back end is given this used ring. */
static bool vhost_drive(Vhost *v, bool ask)
{
    QVirtioDevice *vdev = &v->dev.vdev;
    QVirtQueue *vq;
    bool given;

    qvirtio_start_device(vdev);
    qvirtio_set_features(vdev, MODERN);
    vq = qvirtqueue_setup(vdev, &v->alloc, 0);
    qvirtio_set_driver_ok(vdev);
    given = ask && vhost_user_ask(&v->back, vq->used);
    qvirtqueue_cleanup(vdev->bus, vq, &v->alloc);

    return given;
}

static void vhost_stop(Vhost *v)
{
    qvirtio_pci_device_disable(&v->dev);
    g_free(v->dev.pdev);
    alloc_destroy(&v->alloc);
    qtest_quit(v->h.qts);
    vhost_user_end(&v->back);
}

/* A vhost back end has to ask for each page, and is given shared ones. */
static void test_vhost(void)
{
    Vhost v = {};

    vhost_start(&v, 1ull << VIRTIO_F_ACCESS_PLATFORM);
    vhost_drive(&v, false);
    g_assert_cmphex(v.back.told & (TOLD | 1ull << VIRTIO_F_PLATFORM_DMA), ==,
                    TOLD);
    g_assert_cmpuint(v.back.updates, ==, 0);

    share_dma(&v.h);
    g_assert(vhost_drive(&v, true));
    g_assert(vhost_user_ask(&v.back, PAGE));
    g_assert(!vhost_user_ask(&v.back, PAGE + DMA_BYTES));
    unshare_dma(&v.h);
    g_assert(!vhost_user_ask(&v.back, PAGE));
    vhost_stop(&v);
}

/* One that cannot ask is not started, whatever is shared. */
static void test_vhost_refused(void)
{
    Vhost v = {};

    vhost_start(&v, 0);
    share_dma(&v.h);
    g_assert(!vhost_drive(&v, true));
    vhost_stop(&v);
    g_assert_cmphex(v.back.told, ==, 0);
    g_assert_cmpuint(v.back.kicks, ==, 0);
}

int main(int argc, char **argv)
{
    int i, ret;

    g_test_init(&argc, &argv, NULL);
    firmware = hyp_make_firmware(code, ARRAY_SIZE(code), 0, false);

    qtest_add_func("/arm/virt/pkvm/migration", test_migration);
    if (qtest_has_accel("tcg")) {
        qtest_add_func("/arm/virt/pkvm/off", test_off);
        qtest_add_func("/arm/virt/pkvm/discovery", test_discovery);
        qtest_add_func("/arm/virt/pkvm/calls", test_calls);
        qtest_add_func("/arm/virt/pkvm/refuse", test_refuse);
        for (i = 0; i < ARRAY_SIZE(dma_tests); i++) {
            g_autofree char *path = g_strdup_printf("/arm/virt/pkvm/dma/%s",
                                                    dma_tests[i].name);

            qtest_add_data_func(path, &dma_tests[i], test_dma);
        }
        if (qtest_has_device("vhost-user-rng-pci")) {
            qtest_add_func("/arm/virt/pkvm/vhost/asks", test_vhost);
            qtest_add_func("/arm/virt/pkvm/vhost/refused", test_vhost_refused);
        }
    }

    ret = g_test_run();
    unlink(firmware);
    g_free(firmware);
    return ret;
}
