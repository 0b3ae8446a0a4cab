/*
 * QTest testcase for the ultravisor of the pseries machine
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/libqos-malloc.h"
#include "libqos/pci-spapr.h"
#include "libqos/virtio.h"
#include "libqos/virtio-pci.h"
#include "ppc-util.h"
#include "qobject/qbool.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "standard-headers/linux/virtio_config.h"
#include "standard-headers/linux/virtio_ring.h"

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

#define TIMEOUT_MS              10000

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

static void make_firmware(void)
{
    uint32_t image[CODE_ADDR / 4 + ARRAY_SIZE(code)] = {};
    int i, fd = g_file_open_tmp("qtest-spapr-XXXXXX.bin", &firmware, NULL);

    g_assert_cmpint(fd, >=, 0);
    for (i = 0; i < ARRAY_SIZE(code); i++) {
        image[CODE_ADDR / 4 + i] = cpu_to_be32(code[i]);
    }
    g_assert_cmpint(write(fd, image, sizeof(image)), ==, sizeof(image));
    close(fd);
}

static int64_t call(QTestState *qts, int lev, uint64_t opcode, uint64_t r4,
                    uint64_t r5, uint64_t r6, uint64_t *msr)
{
    const uint64_t regs[] = { opcode, r4, r5, r6 };
    int i;

    for (i = 0; i < ARRAY_SIZE(regs); i++) {
        qtest_writeq(qts, MAILBOX + 8 + i * 8, regs[i]);
    }
    qtest_writeq(qts, MAILBOX, lev);
    for (i = 0; qtest_readq(qts, MAILBOX); i++) {
        g_assert_cmpint(i, <, TIMEOUT_MS);
        g_usleep(1000);
    }
    *msr = qtest_readq(qts, MAILBOX + 16);
    return qtest_readq(qts, MAILBOX + 8);
}

static void ultracall(QTestState *qts, uint64_t opcode, uint64_t r4,
                      uint64_t r5, int64_t expected)
{
    uint64_t msr;

    g_assert_cmpint(call(qts, 2, opcode, r4, r5, 0, &msr), ==, expected);
}

static QObject *get(QTestState *qts, const char *name)
{
    QDict *response = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': {"
                                "'path': '/machine/ultravisor',"
                                "'property': %s } }", name);
    QObject *value = qobject_ref(qdict_get(response, "return"));

    g_assert(value);
    qobject_unref(response);
    return value;
}

static uint64_t get_count(QTestState *qts, const char *name)
{
    QNum *value = qobject_to(QNum, get(qts, name));
    uint64_t count = qnum_get_uint(value);

    qobject_unref(value);
    return count;
}

static void assert_secure(QTestState *qts, bool expected)
{
    QBool *value = qobject_to(QBool, get(qts, "secure"));

    g_assert_cmpint(qbool_get_bool(value), ==, expected);
    qobject_unref(value);
}

/* Expect one range of shared pages, or none */
static void assert_shared(QTestState *qts, uint64_t page, uint64_t num)
{
    QList *list = qobject_to(QList, get(qts, "shared"));
    QDict *range = qobject_to(QDict, qlist_peek(list));

    g_assert_cmpint(qlist_size(list), ==, !!num);
    if (num) {
        g_assert_cmphex(qdict_get_int(range, "base"), ==, page * PAGE_BYTES);
        g_assert_cmphex(qdict_get_int(range, "size"), ==, num * PAGE_BYTES);
    }
    qobject_unref(list);
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
    QTestState *qts = qtest_initf(MACHINE_ARGS " -bios %s", firmware);
    QDict *response;

    response = qtest_qmp_assert_failure_ref(qts, "{ 'execute': 'migrate',"
                         "'arguments': { 'uri': 'exec:cat >/dev/null' } }");
    g_assert(strstr(qdict_get_str(response, "desc"), "spapr-ultravisor"));
    qobject_unref(response);
    qtest_quit(qts);
}

static void test_calls(void)
{
    QTestState *qts = qtest_initf("-accel tcg " MACHINE_ARGS
                                  " -action panic=pause -bios %s", firmware);
    uint64_t msr;

    /* Not secure: MSR[S] cannot be set, and there is nothing to share */
    assert_secure(qts, false);
    ultracall(qts, UV_SHARE_PAGE, PAGE, 1, H_PERMISSION);
    ultracall(qts, UV_UNSHARE_PAGE, PAGE, 1, H_PERMISSION);
    ultracall(qts, UV_UNSHARE_ALL_PAGES, 0, 0, H_PERMISSION);
    ultracall(qts, UV_SVM_TERMINATE, 0, 0, H_PERMISSION);
    ultracall(qts, UV_ESM, -1, 0, H_PARAMETER);
    ultracall(qts, UV_ESM, 0, -1, H_P2);
    g_assert_cmpint(call(qts, 2, UV_RETURN, 0, 0, 0, &msr), ==, H_FUNCTION);
    g_assert_cmphex(msr & MSR_S, ==, 0);
    assert_shared(qts, 0, 0);

    /* Secure: MSR[S] cannot be cleared */
    g_assert_cmpint(call(qts, 2, UV_ESM, 0, 0, 0, &msr), ==, H_SUCCESS);
    g_assert_cmphex(msr & MSR_S, ==, MSR_S);
    assert_secure(qts, true);
    ultracall(qts, UV_ESM, 0, 0, H_SUCCESS);
    ultracall(qts, UV_RETURN, 0, 0, H_FUNCTION);

    ultracall(qts, UV_SHARE_PAGE, RAM_PAGES, 1, H_P2);
    ultracall(qts, UV_SHARE_PAGE, 1ull << 48, 1, H_PARAMETER);
    ultracall(qts, UV_SHARE_PAGE, PAGE, 0, H_P2);
    ultracall(qts, UV_SHARE_PAGE, PAGE, RAM_PAGES, H_P2);
    ultracall(qts, UV_SHARE_PAGE, PAGE, -1, H_P2);
    assert_shared(qts, 0, 0);

    /* Pages are zero when they change hands */
    qtest_writeq(qts, PAGE_ADDR, -1);
    ultracall(qts, UV_SHARE_PAGE, PAGE, 3, H_SUCCESS);
    g_assert_cmphex(qtest_readq(qts, PAGE_ADDR), ==, 0);
    assert_shared(qts, PAGE, 3);
    qtest_writeq(qts, PAGE_ADDR, -1);
    ultracall(qts, UV_UNSHARE_PAGE, PAGE, 1, H_SUCCESS);
    g_assert_cmphex(qtest_readq(qts, PAGE_ADDR), ==, 0);
    assert_shared(qts, PAGE + 1, 2);
    ultracall(qts, UV_UNSHARE_ALL_PAGES, 0, 0, H_SUCCESS);
    assert_shared(qts, 0, 0);

    /* A reset ends it */
    ultracall(qts, UV_SHARE_PAGE, PAGE, 1, H_SUCCESS);
    qtest_system_reset(qts);
    assert_secure(qts, false);
    assert_shared(qts, 0, 0);
    g_assert_cmpint(call(qts, 2, UV_RETURN, 0, 0, 0, &msr), ==, H_FUNCTION);
    g_assert_cmphex(msr & MSR_S, ==, 0);

    ultracall(qts, UV_ESM, 0, 0, H_SUCCESS);
    qtest_writeq(qts, MAILBOX + 8, UV_SVM_TERMINATE);
    qtest_writeq(qts, MAILBOX, 2);
    qtest_qmp_eventwait(qts, "GUEST_PANICKED");
    qtest_quit(qts);
}

static void test_refuse(void)
{
    QTestState *qts = qtest_initf("-accel tcg " MACHINE_ARGS " -bios %s "
                                  "-global spapr-ultravisor.x-refuse-share=2",
                                  firmware);

    /* What a guest asks for before it is secure does not count */
    ultracall(qts, UV_SHARE_PAGE, PAGE, 1, H_PERMISSION);
    ultracall(qts, UV_ESM, 0, 0, H_SUCCESS);
    ultracall(qts, UV_SHARE_PAGE, PAGE, 1, H_SUCCESS);
    ultracall(qts, UV_SHARE_PAGE, PAGE + 1, 1, H_PARAMETER);
    assert_shared(qts, PAGE, 1);
    ultracall(qts, UV_SHARE_PAGE, PAGE + 1, 1, H_SUCCESS);
    assert_shared(qts, PAGE, 2);

    /* A reset starts anew */
    qtest_system_reset(qts);
    ultracall(qts, UV_ESM, 0, 0, H_SUCCESS);
    ultracall(qts, UV_SHARE_PAGE, PAGE, 1, H_SUCCESS);
    ultracall(qts, UV_SHARE_PAGE, PAGE, 1, H_PARAMETER);
    qtest_quit(qts);
}

/* Make a virtio-rng fill a buffer: does it, or does it meet a private page? */
static void drive_rng(QTestState *qts, QVirtioDevice *vdev, bool iommu,
                      bool works)
{
    uint64_t refused = get_count(qts, "refused");
    uint64_t features = 1ull << VIRTIO_F_VERSION_1;
    QGuestAllocator alloc;
    QVirtQueue *vq;
    uint64_t buf;
    uint32_t head, len;
    int i;

    alloc_init(&alloc, 0, PAGE_ADDR, PAGE_ADDR + PAGE_BYTES, 4096);
    qvirtio_start_device(vdev);
    qvirtio_set_features(vdev, features | (uint64_t)iommu <<
                               VIRTIO_F_ACCESS_PLATFORM);
    vq = qvirtqueue_setup(vdev, &alloc, 0);
    qvirtio_set_driver_ok(vdev);

    buf = guest_alloc(&alloc, 64);
    head = qvirtqueue_add(qts, vq, buf, 64, true, false);
    qvirtqueue_kick(qts, vdev, vq, head);
    if (works) {
        qvirtio_wait_used_elem(qts, vdev, vq, head, &len, TIMEOUT_MS * 1000);
        g_assert_cmpuint(len, >, 0);
        g_assert_cmpuint(get_count(qts, "refused"), ==, refused);
    } else {
        for (i = 0; get_count(qts, "refused") == refused; i++) {
            g_assert_cmpint(i, <, TIMEOUT_MS);
            g_usleep(1000);
        }
        g_assert_cmpuint(qtest_readw(qts, vq->used +
                                     offsetof(struct vring_used, idx)), ==, 0);
    }

    qvirtqueue_cleanup(vdev->bus, vq, &alloc);
    guest_free(&alloc, buf);
    alloc_destroy(&alloc);
}

static void test_dma(gconstpointer opaque)
{
    bool iommu = !strcmp(opaque, "tce");
    QTestState *qts;
    QGuestAllocator alloc;
    QPCIBus *bus;
    QPCIAddress addr = { .devfn = QPCI_DEVFN(SLOT, 0) };
    QVirtioPCIDevice *dev;
    uint64_t ofs, msr;

    qts = qtest_initf("-accel tcg " MACHINE_ARGS " -bios %s "
                      "-device virtio-rng-pci,disable-legacy=on,addr=%d%s",
                      firmware, SLOT, iommu ? ",iommu_platform=on" : "");
    alloc_init(&alloc, 0, RTAS_ADDR, RTAS_ADDR + PAGE_BYTES, 4096);
    bus = qpci_new_spapr(qts, &alloc);
    dev = virtio_pci_new(bus, &addr);
    qvirtio_pci_device_enable(dev);

    for (ofs = 0; iommu && ofs < PAGE_BYTES; ofs += 4096) {
        g_assert_cmpint(call(qts, 1, H_PUT_TCE, LIOBN, PAGE_ADDR + ofs,
                             (PAGE_ADDR + ofs) | 3, &msr), ==, H_SUCCESS);
    }
    g_assert_cmpuint(get_count(qts, "tce-hcalls"), ==,
                     iommu ? PAGE_BYTES / 4096 : 0);

    drive_rng(qts, &dev->vdev, iommu, true);
    ultracall(qts, UV_ESM, 0, 0, H_SUCCESS);
    drive_rng(qts, &dev->vdev, iommu, false);
    ultracall(qts, UV_SHARE_PAGE, PAGE, 1, H_SUCCESS);
    drive_rng(qts, &dev->vdev, iommu, true);
    ultracall(qts, UV_UNSHARE_PAGE, PAGE, 1, H_SUCCESS);
    drive_rng(qts, &dev->vdev, iommu, false);

    qvirtio_pci_destructor(&dev->obj);
    g_free(dev);
    qpci_free_spapr(bus);
    alloc_destroy(&alloc);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    make_firmware();

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
