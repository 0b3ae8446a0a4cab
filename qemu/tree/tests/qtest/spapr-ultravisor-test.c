/*
 * QTest testcase for the ultravisor of the pseries machine
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hypervisor-util.h"
#include "libqos/libqos-malloc.h"
#include "libqos/pci-spapr.h"
#include "libqos/virtio-pci.h"
#include "ppc-util.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/virtio_config.h"

#define UV_ESM                  0xf110
#define UV_RETURN               0xf11c
#define UV_SHARE_PAGE           0xf130
#define UV_UNSHARE_PAGE         0xf134
#define UV_SVM_TERMINATE        0xf13c
#define UV_UNSHARE_ALL_PAGES    0xf140
#define H_PUT_TCE               0x20

#define H_SUCCESS               0
#define H_FUNCTION              (-2)
#define H_PARAMETER             (-4)
#define H_PERMISSION            (-11)
#define H_P2                    (-55)

#define MSR_S                   (1ull << 22)

#define MACHINE_ARGS "-nodefaults -m 256M -machine pseries,x-ultravisor=on," \
                     PSERIES_DEFAULT_CAPABILITIES
#define RAM_PAGES               0x1000
#define LIOBN                   0x80000000
#define SLOT                    4

/* The page that the device's queue and buffer are in */
#define PAGE                    0x100
#define PAGE_ADDR               (PAGE * 0x10000ull)
#define PAGE_BYTES              0x10000

/* Arguments of the RTAS calls for PCI */
#define RTAS_ADDR               0x200000

#define CODE_ADDR               0x100
#define MAILBOX                 0x1000

/*
 * Firmware that makes the calls which the test leaves in the mailbox, and
 * then tries to change MSR[S].
 */
static const uint32_t code[] = {
    0x3be01000, /*    li      r31,MAILBOX                                    */
    0xe81f0000, /* 1: ld      r0,0(r31)      wait for a call                 */
    0x2c200000, /*    cmpdi   r0,0                                           */
    0x4182fff8, /*    beq     1b                                             */
    0xe87f0008, /*    ld      r3,8(r31)                                      */
    0xe89f0010, /*    ld      r4,16(r31)                                     */
    0xe8bf0018, /*    ld      r5,24(r31)                                     */
    0xe8df0020, /*    ld      r6,32(r31)                                     */
    0x2c200002, /*    cmpdi   r0,2                                           */
    0x4182000c, /*    beq     2f                                             */
    0x44000022, /*    sc      1                                              */
    0x48000008, /*    b       3f                                             */
    0x44000042, /* 2: sc      2                                              */
    0xf87f0008, /* 3: std     r3,8(r31)                                      */
    0x7cc000a6, /*    mfmsr   r6             toggle MSR[S] with mtmsrd       */
    0x6cc60040, /*    xoris   r6,r6,0x40                                     */
    0x7cc00164, /*    mtmsrd  r6                                             */
    0x7cdb03a6, /*    mtsrr1  r6             and with rfid                   */
    0x429f0005, /*    bcl     20,31,4f                                       */
    0x7ce802a6, /* 4: mflr    r7                                             */
    0x38e70010, /*    addi    r7,r7,5f-4b                                    */
    0x7cfa03a6, /*    mtsrr0  r7                                             */
    0x4c000024, /*    rfid                                                   */
    0x7cc000a6, /* 5: mfmsr   r6                                             */
    0xf8df0010, /*    std     r6,16(r31)                                     */
    0x38000000, /*    li      r0,0                                           */
    0x7c0004ac, /*    sync                                                   */
    0xf81f0000, /*    std     r0,0(r31)                                      */
    0x4bffff94, /*    b       1b                                             */
};

static char *firmware;

static Hypervisor start(const char *options)
{
    return (Hypervisor) {
        .qts = qtest_initf(MACHINE_ARGS " -bios %s %s", firmware, options),
        .path = "/machine/ultravisor",
        .mailbox = MAILBOX,
    };
}

static int64_t call(Hypervisor *h, int lev, uint64_t opcode, uint64_t r4,
                    uint64_t r5, uint64_t r6, uint64_t *msr)
{
    uint64_t regs[4] = { opcode, r4, r5, r6 };

    hyp_call(h, lev, regs);
    *msr = regs[1];
    return regs[0];
}

static void ultracall(Hypervisor *h, uint64_t opcode, uint64_t r4,
                      uint64_t r5, int64_t expected)
{
    uint64_t msr;

    g_assert_cmpint(call(h, 2, opcode, r4, r5, 0, &msr), ==, expected);
}

static void test_off(void)
{
    QTestState *qts = qtest_initf("-nodefaults -machine pseries,"
                                  PSERIES_DEFAULT_CAPABILITIES " -bios %s",
                                  firmware);
    QDict *response;

    response = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': {"
                         "'path': '/machine', 'property': 'x-ultravisor' } }");
    g_assert(!qdict_get_bool(response, "return"));
    qobject_unref(response);

    response = qtest_qmp_assert_failure_ref(qts, "{ 'execute': 'qom-list',"
                         "'arguments': { 'path': '/machine/ultravisor' } }");
    qobject_unref(response);
    qtest_quit(qts);
}

static void test_migration(void)
{
    Hypervisor h = start("");

    hyp_assert_unmigratable(&h);
    qtest_quit(h.qts);
}

static void assert_shared(Hypervisor *h, uint64_t page, uint64_t num)
{
    hyp_assert_shared(h, page * PAGE_BYTES, num * PAGE_BYTES);
}

static void test_calls(void)
{
    Hypervisor h = start("-accel tcg -action panic=pause");
    uint64_t msr;

    /* Not secure: MSR[S] cannot be set, and there is nothing to share */
    hyp_assert_secure(&h, false);
    ultracall(&h, UV_SHARE_PAGE, PAGE, 1, H_PERMISSION);
    ultracall(&h, UV_UNSHARE_PAGE, PAGE, 1, H_PERMISSION);
    ultracall(&h, UV_UNSHARE_ALL_PAGES, 0, 0, H_PERMISSION);
    ultracall(&h, UV_SVM_TERMINATE, 0, 0, H_PERMISSION);
    ultracall(&h, UV_ESM, -1, 0, H_PARAMETER);
    ultracall(&h, UV_ESM, 0, -1, H_P2);
    g_assert_cmpint(call(&h, 2, UV_RETURN, 0, 0, 0, &msr), ==, H_FUNCTION);
    g_assert_cmphex(msr & MSR_S, ==, 0);
    assert_shared(&h, 0, 0);

    /* Secure: MSR[S] cannot be cleared */
    g_assert_cmpint(call(&h, 2, UV_ESM, 0, 0, 0, &msr), ==, H_SUCCESS);
    g_assert_cmphex(msr & MSR_S, ==, MSR_S);
    hyp_assert_secure(&h, true);
    ultracall(&h, UV_ESM, 0, 0, H_SUCCESS);
    ultracall(&h, UV_RETURN, 0, 0, H_FUNCTION);

    ultracall(&h, UV_SHARE_PAGE, RAM_PAGES, 1, H_P2);
    ultracall(&h, UV_SHARE_PAGE, 1ull << 48, 1, H_PARAMETER);
    ultracall(&h, UV_SHARE_PAGE, PAGE, 0, H_P2);
    ultracall(&h, UV_SHARE_PAGE, PAGE, RAM_PAGES, H_P2);
    ultracall(&h, UV_SHARE_PAGE, PAGE, -1, H_P2);
    assert_shared(&h, 0, 0);

    /* Pages are zero when they change hands */
    qtest_writeq(h.qts, PAGE_ADDR, -1);
    ultracall(&h, UV_SHARE_PAGE, PAGE, 3, H_SUCCESS);
    g_assert_cmphex(qtest_readq(h.qts, PAGE_ADDR), ==, 0);
    assert_shared(&h, PAGE, 3);
    qtest_writeq(h.qts, PAGE_ADDR, -1);
    ultracall(&h, UV_UNSHARE_PAGE, PAGE, 1, H_SUCCESS);
    g_assert_cmphex(qtest_readq(h.qts, PAGE_ADDR), ==, 0);
    assert_shared(&h, PAGE + 1, 2);
    ultracall(&h, UV_UNSHARE_ALL_PAGES, 0, 0, H_SUCCESS);
    assert_shared(&h, 0, 0);

    /* A reset ends it */
    ultracall(&h, UV_SHARE_PAGE, PAGE, 1, H_SUCCESS);
    qtest_system_reset(h.qts);
    hyp_assert_secure(&h, false);
    assert_shared(&h, 0, 0);
    g_assert_cmpint(call(&h, 2, UV_RETURN, 0, 0, 0, &msr), ==, H_FUNCTION);
    g_assert_cmphex(msr & MSR_S, ==, 0);

    ultracall(&h, UV_ESM, 0, 0, H_SUCCESS);
    qtest_writeq(h.qts, MAILBOX + 8, UV_SVM_TERMINATE);
    qtest_writeq(h.qts, MAILBOX, 2);
    qtest_qmp_eventwait(h.qts, "GUEST_PANICKED");
    qtest_quit(h.qts);
}

static void test_refuse(void)
{
    Hypervisor h = start("-accel tcg "
                         "-global spapr-ultravisor.x-refuse-share=2");

    /* What a guest asks for before it is secure does not count */
    ultracall(&h, UV_SHARE_PAGE, PAGE, 1, H_PERMISSION);
    ultracall(&h, UV_ESM, 0, 0, H_SUCCESS);
    ultracall(&h, UV_SHARE_PAGE, PAGE, 1, H_SUCCESS);
    ultracall(&h, UV_SHARE_PAGE, PAGE + 1, 1, H_PARAMETER);
    assert_shared(&h, PAGE, 1);
    ultracall(&h, UV_SHARE_PAGE, PAGE + 1, 1, H_SUCCESS);
    assert_shared(&h, PAGE, 2);

    /* A reset starts anew */
    qtest_system_reset(h.qts);
    ultracall(&h, UV_ESM, 0, 0, H_SUCCESS);
    ultracall(&h, UV_SHARE_PAGE, PAGE, 1, H_SUCCESS);
    ultracall(&h, UV_SHARE_PAGE, PAGE, 1, H_PARAMETER);
    qtest_quit(h.qts);
}

static void test_dma(gconstpointer opaque)
{
    bool iommu = !strcmp(opaque, "tce");
    g_autofree char *options = g_strdup_printf("-accel tcg "
                      "-device virtio-rng-pci,disable-legacy=on,addr=%d%s",
                      SLOT, iommu ? ",iommu_platform=on" : "");
    uint64_t features = 1ull << VIRTIO_F_VERSION_1 |
                        (uint64_t)iommu << VIRTIO_F_ACCESS_PLATFORM;
    Hypervisor h = start(options);
    QGuestAllocator alloc;
    QPCIBus *bus;
    QPCIAddress addr = { .devfn = QPCI_DEVFN(SLOT, 0) };
    QVirtioPCIDevice *dev;
    uint64_t ofs, msr;

    alloc_init(&alloc, 0, RTAS_ADDR, RTAS_ADDR + PAGE_BYTES, 4096);
    bus = qpci_new_spapr(h.qts, &alloc);
    dev = virtio_pci_new(bus, &addr);
    qvirtio_pci_device_enable(dev);

    for (ofs = 0; iommu && ofs < PAGE_BYTES; ofs += 4096) {
        g_assert_cmpint(call(&h, 1, H_PUT_TCE, LIOBN, PAGE_ADDR + ofs,
                             (PAGE_ADDR + ofs) | 3, &msr), ==, H_SUCCESS);
    }
    g_assert_cmpuint(hyp_get_count(&h, "tce-hcalls"), ==,
                     iommu ? PAGE_BYTES / 4096 : 0);

    hyp_drive_rng(&h, &dev->vdev, features, PAGE_ADDR, PAGE_BYTES, true);
    ultracall(&h, UV_ESM, 0, 0, H_SUCCESS);
    hyp_drive_rng(&h, &dev->vdev, features, PAGE_ADDR, PAGE_BYTES, false);
    ultracall(&h, UV_SHARE_PAGE, PAGE, 1, H_SUCCESS);
    hyp_drive_rng(&h, &dev->vdev, features, PAGE_ADDR, PAGE_BYTES, true);
    ultracall(&h, UV_UNSHARE_PAGE, PAGE, 1, H_SUCCESS);
    hyp_drive_rng(&h, &dev->vdev, features, PAGE_ADDR, PAGE_BYTES, false);

    qvirtio_pci_destructor(&dev->obj);
    g_free(dev);
    qpci_free_spapr(bus);
    alloc_destroy(&alloc);
    qtest_quit(h.qts);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    firmware = hyp_make_firmware(code, ARRAY_SIZE(code), CODE_ADDR / 4, true);

    qtest_add_func("/spapr/ultravisor/off", test_off);
    qtest_add_func("/spapr/ultravisor/migration", test_migration);
    if (qtest_has_accel("tcg")) {
        qtest_add_func("/spapr/ultravisor/calls", test_calls);
        qtest_add_func("/spapr/ultravisor/refuse", test_refuse);
        qtest_add_data_func("/spapr/ultravisor/dma/bypass", "bypass", test_dma);
        qtest_add_data_func("/spapr/ultravisor/dma/tce", "tce", test_dma);
    }

    ret = g_test_run();
    unlink(firmware);
    g_free(firmware);
    return ret;
}
