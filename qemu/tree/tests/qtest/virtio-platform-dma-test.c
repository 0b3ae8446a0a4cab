/*
 * QTest testcase for virtio devices that offer VIRTIO_F_PLATFORM_DMA, behind
 * the SMMUv3 of the Arm virt machine
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/un.h>
#ifdef CONFIG_LINUX
#include <sys/ioctl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#endif
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "libqtest.h"
#include "libqos/generic-pcihost.h"
#include "libqos/libqos-malloc.h"
#include "libqos/virtio.h"
#include "libqos/virtio-mmio.h"
#include "libqos/virtio-pci.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "standard-headers/linux/pci_regs.h"
#include "standard-headers/linux/virtio_blk.h"
#include "standard-headers/linux/virtio_config.h"
#include "standard-headers/linux/virtio_pci.h"
#include "standard-headers/linux/virtio_ring.h"
#include "vhost-user-util.h"

#define MMIO_BASE       0x0a000000
#define MMIO_SIZE       0x200
#define MMIO_LAST       31
#define MMIO_SID        (0xff00 + MMIO_LAST)
#define PCI_SLOT        1
#define PCI_SID         (PCI_SLOT << 3)
/* Slot 0 of the bus behind a root port, which is in that slot */
#define PORT_SID        0x100
#define PCI_ECAM        0x4010000000ull

#define RAM_BASE        0x40000000
#define ALLOC_SIZE      0x02000000
#define PAGE_BYTES      4096

/* The SMMU maps RAM this much higher, where the machine has nothing. */
#define IOVA_OFFSET     0x40000000ull
#define PAGE_TABLE      0x43000000
#define STREAM_TABLE    0x44000000
#define STREAM_BITS     16
#define STE_BYTES       64

#define SMMU            0x09050000
#define SMMU_CR0        0x20
#define SMMU_GBPA       0x44
#define GBPA_UPDATE     (1u << 31)
#define GBPA_ABORT      (1u << 20)
#define SMMU_STRTAB     0x80
#define SMMU_STRTAB_CFG 0x88

#define TIMEOUT_US      (10 * 1000 * 1000)

#define VIRTIO_F_PLATFORM_DMA 44

/* What a back end offers that can ask for translations */
#define VHOST_TRANSLATES                    (1ull << VIRTIO_F_ACCESS_PLATFORM)

#define PATH            "/virtio/platform-dma/"
#define OPTION          ",x-platform-dma=on"
#define MACHINE         "-machine virt,iommu=smmuv3,virtio-mmio-iommu=1 " \
                        "-cpu max -nodefaults " \
                        "-global virtio-mmio.ioeventfd=off "
#define MMIO_MODERN     "-global virtio-mmio.force-legacy=false "
#define RNG_MMIO        "-device virtio-rng-device,id=dev" OPTION
#define BLK             " -device virtio-blk-device,id=dev,drive=disk," \
                        "rerror=stop" OPTION
#define FAIL_READS      "inject-error.0.event=none,inject-error.0.errno=5," \
                        "inject-error.0.iotype=read"
#define RNG_PCI         "-device virtio-rng-pci,id=dev,addr=1" OPTION

typedef struct Guest {
    const char *options;
    bool pci;
    bool port;                  /* behind a root port */
    bool identity;              /* nothing translates */
    uint16_t queue;             /* the only one that is set up */
    QTestState *qts;
    QGuestAllocator alloc;
    QVirtioMMIODevice mmio_dev;
    QGenericPCIBus pci_bus;
    QVirtioPCIDevice pci_dev;
    QVirtioDevice *vdev;
    QVirtQueue *vq;
    uint64_t offset;            /* from an address to what the device is told */
    uint64_t buf;
    uint32_t head;
} Guest;

static void smmu_abort(Guest *g, bool abort)
{
    qtest_writel(g->qts, SMMU + SMMU_GBPA,
                 GBPA_UPDATE | (abort ? GBPA_ABORT : 0));
}

/* Stage 2 only, with one block of 1 GiB */
static void smmu_translate(Guest *g)
{
    static const uint16_t sids[] = { MMIO_SID, PCI_SID, PORT_SID };
    int i;

    /* A block of normal memory, read and write, inner shareable, accessed */
    qtest_writeq(g->qts, PAGE_TABLE + (RAM_BASE + IOVA_OFFSET) / GiB * 8,
                 RAM_BASE | 0x7fd);

    for (i = 0; i < ARRAY_SIZE(sids); i++) {
        uint64_t ste = STREAM_TABLE + sids[i] * STE_BYTES;

        qtest_writel(g->qts, ste, 0xd);    /* valid, stage 2 translates */
        /* 32 bits from level 1, 4 KiB granule, 44 bits, AArch64, no stall */
        qtest_writel(g->qts, ste + 20,
                     32 | 1 << 6 | 4 << 16 | 1 << 19 | 1 << 26);
        qtest_writeq(g->qts, ste + 24, PAGE_TABLE);
    }

    qtest_writeq(g->qts, SMMU + SMMU_STRTAB, STREAM_TABLE);
    qtest_writel(g->qts, SMMU + SMMU_STRTAB_CFG, STREAM_BITS);
    qtest_writel(g->qts, SMMU + SMMU_CR0, 1);
}

/* Have the bus behind a root port be number 1, with all of the memory. */
static void start_port(Guest *g, int devfn)
{
    QPCIDevice *port = qpci_device_find(&g->pci_bus.bus, devfn);

    qpci_config_writel(port, PCI_PRIMARY_BUS, 0x010100);
    qpci_config_writel(port, PCI_MEMORY_BASE, 0x2ef01000);
    qpci_device_enable(port);
    g_free(port);
}

static void guest_start(Guest *g)
{
    QPCIAddress addr = { .devfn = QPCI_DEVFN(PCI_SLOT, 0) };

    g->qts = qtest_initf(MACHINE "%s", g->options);
    alloc_init(&g->alloc, 0, RAM_BASE, RAM_BASE + ALLOC_SIZE, PAGE_BYTES);

    if (g->pci) {
        qpci_init_generic(&g->pci_bus, g->qts, &g->alloc, false);
        if (g->port) {
            start_port(g, addr.devfn);
            addr.devfn = PORT_SID;
        }
        virtio_pci_init(&g->pci_dev, &g->pci_bus.bus, &addr);
        qvirtio_pci_device_enable(&g->pci_dev);
        g->vdev = &g->pci_dev.vdev;
    } else {
        qvirtio_mmio_init_device(&g->mmio_dev, g->qts,
                                 MMIO_BASE + MMIO_LAST * MMIO_SIZE, PAGE_BYTES);
        g->vdev = &g->mmio_dev.vdev;
    }
    smmu_abort(g, true);
}

static void drop_queue(Guest *g)
{
    if (g->vq) {
        qvirtqueue_cleanup(g->vdev->bus, g->vq, &g->alloc);
        g->vq = NULL;
    }
}

static void guest_stop(Guest *g)
{
    drop_queue(g);
    if (g->pci) {
        qvirtio_pci_device_disable(&g->pci_dev);
        g_free(g->pci_dev.pdev);
    }
    alloc_destroy(&g->alloc);
    qtest_quit(g->qts);
}

/* Does x-query-virtio-status name the bit among these features? */
static bool status_names_bit(Guest *g, const char *features)
{
    QDict *rsp = qtest_qmp(g->qts, "{ 'execute': 'x-query-virtio-status',"
                           " 'arguments': { 'path': %s } }",
                           g->pci ? "/machine/peripheral/dev/virtio-backend" :
                                    "/machine/peripheral/dev");
    QDict *status = qdict_get_qdict(rsp, "return");
    const QListEntry *e;
    bool found = false;

    g_assert(status);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(qdict_get_qdict(status, features),
                                        "transports"), e) {
        const char *name = qstring_get_str(qobject_to(QString, e->value));

        found |= g_str_has_prefix(name, "VIRTIO_F_PLATFORM_DMA:");
    }
    qobject_unref(rsp);

    return found;
}

static void move_queue(QVirtQueue *vq, uint64_t by)
{
    vq->desc += by;
    vq->avail += by;
    vq->used += by;
}

/* Reset the device, negotiate anew and set up one queue. */
static void negotiate(Guest *g, uint64_t features)
{
    bool accept = features & (1ull << VIRTIO_F_PLATFORM_DMA);
    QVirtioPCIDevice *pci = &g->pci_dev;

    drop_queue(g);
    qvirtio_start_device(g->vdev);
    qvirtio_set_features(g->vdev, features);
    g_assert(!accept || status_names_bit(g, "host-features"));
    g_assert(status_names_bit(g, "guest-features") == accept);

    g->vq = qvirtqueue_setup(g->vdev, &g->alloc, g->queue);
    g->offset = accept && !g->identity ? IOVA_OFFSET : 0;
    if (g->offset) {
        move_queue(g->vq, g->offset);
        g->vdev->bus->set_queue_address(g->vdev, g->vq);
        move_queue(g->vq, -g->offset);
        if (g->pci) {
            qpci_io_writew(pci->pdev, pci->bar, pci->common_cfg_offset +
                           offsetof(struct virtio_pci_common_cfg, queue_enable),
                           1);
        }
    }
    qvirtio_set_driver_ok(g->vdev);
}

static void decline(Guest *g)
{
    negotiate(g, 1ull << VIRTIO_F_VERSION_1);
}

static void accept_bit(Guest *g)
{
    negotiate(g, 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_F_PLATFORM_DMA);
}

/* Ask for random bytes */
static void request(Guest *g)
{
    g->buf = guest_alloc(&g->alloc, 64);
    qtest_memset(g->qts, g->buf, 0, 64);
    g->head = qvirtqueue_add(g->qts, g->vq, g->buf + g->offset, 64, true,
                             false);
    qvirtqueue_kick(g->qts, g->vdev, g->vq, g->head);
}

static void assert_pending(Guest *g)
{
    uint64_t idx = g->vq->used + offsetof(struct vring_used, idx);
    uint16_t before = qtest_readw(g->qts, idx);
    int i;

    for (i = 0; i < 100; i++) {
        qtest_clock_step(g->qts, 1000000);
        g_assert_cmpuint(qtest_readw(g->qts, idx), ==, before);
    }
}

static void assert_done(Guest *g)
{
    uint8_t data[64], none[64] = {};
    uint32_t len;

    g->vdev->bus->virtqueue_kick(g->vdev, g->vq);
    qvirtio_wait_used_elem(g->qts, g->vdev, g->vq, g->head, &len, TIMEOUT_US);
    g_assert_cmpuint(len, >, 0);
    g_assert_cmpuint(len, <=, sizeof(data));
    qtest_memread(g->qts, g->buf, data, len);
    g_assert(memcmp(data, none, len));
    guest_free(&g->alloc, g->buf);
}

static void remove_file(void *path)
{
    unlink(path);
}

/* Make a file that is removed even if the test fails. */
static int make_file(char **path)
{
    int fd = g_file_open_tmp("qtest-platform-dma-XXXXXX", path, NULL);

    g_assert_cmpint(fd, >=, 0);
    qtest_add_abrt_handler(remove_file, *path);

    return fd;
}

static void drop_file(char *path)
{
    qtest_remove_abrt_handler(path);
    remove_file(path);
}

/* How often does a file that QEMU writes to have this? */
static int times_said(const char *path, const char *what)
{
    g_autofree char *text = NULL;
    int n = 0;
    const char *s;

    g_assert(g_file_get_contents(path, &text, NULL, NULL));
    for (s = text; (s = strstr(s, what)); s++) {
        n++;
    }
    return n;
}

/* Wait for a migration to end; return whether it succeeded. */
static bool migrated(QTestState *qts)
{
    for (;;) {
        QDict *rsp = qtest_qmp_assert_success_ref(qts,
                                              "{ 'execute': 'query-migrate' }");
        const char *status = qdict_get_try_str(rsp, "status");
        bool failed = !g_strcmp0(status, "failed");
        bool completed = !g_strcmp0(status, "completed");

        qobject_unref(rsp);
        if (failed || completed) {
            return completed;
        }
        g_usleep(10000);
    }
}

/*
 * Save the guest, and load it in a new QEMU with these options. Return whether
 * it takes the state, or says this as it does not.
 */
static bool move(Guest *g, const char *options, const char *reason)
{
    g_autofree char *path = NULL;
    g_autofree char *uri = NULL;
    g_autofree char *errors = NULL;
    bool loaded;

    close(make_file(&path));
    close(make_file(&errors));
    uri = g_strdup_printf("file:%s", path);

    qtest_qmp_assert_success(g->qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    g_assert(migrated(g->qts));
    qtest_quit(g->qts);

    g->qts = qtest_initf(MACHINE "%s -S -incoming defer 2>%s", options, errors);
    g->mmio_dev.qts = g->qts;
    g->pci_bus.bus.qts = g->qts;
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'migrate-incoming',"
                             " 'arguments': { 'uri': %s,"
                             " 'exit-on-error': false } }", uri);
    loaded = migrated(g->qts);
    drop_file(path);
    g_assert_cmpint(times_said(errors, reason), ==, !loaded);
    drop_file(errors);

    return loaded;
}

#define SOURCE_ONLY     "VIRTIO_F_PLATFORM_DMA is offered at the source only"
#define TARGET_ONLY     "VIRTIO_F_PLATFORM_DMA is offered at the destination " \
                        "only"

static void migrate(Guest *g, const char *options)
{
    g_assert(move(g, options, "failed"));
    qtest_qmp_assert_success(g->qts, "{ 'execute': 'cont' }");
}

/* Reset the device and go on without negotiating, as a sloppy driver may. */
static void skip_negotiation(Guest *g)
{
    drop_queue(g);
    qvirtio_start_device(g->vdev);
    g->vdev->features = 0;
    g->vq = g->vdev->bus->virtqueue_setup(g->vdev, &g->alloc, 0);
    g->offset = 0;
    qvirtio_set_driver_ok(g->vdev);
}

/* Each negotiation decides anew, in both directions. */
static void test_negotiate(gconstpointer opaque)
{
    Guest g = *(const Guest *)opaque;

    guest_start(&g);

    decline(&g);
    request(&g);
    assert_done(&g);

    accept_bit(&g);
    request(&g);
    assert_pending(&g);
    smmu_translate(&g);
    assert_done(&g);

    decline(&g);
    request(&g);
    assert_done(&g);

    accept_bit(&g);
    request(&g);
    assert_done(&g);

    skip_negotiation(&g);
    request(&g);
    assert_done(&g);

    guest_stop(&g);
}

/* The end of the negotiation decides, also for a queue that exists already. */
static void test_late(gconstpointer opaque)
{
    Guest g = *(const Guest *)opaque;
    const uint64_t modern = 1ull << VIRTIO_F_VERSION_1;
    const uint64_t both = modern | 1ull << VIRTIO_F_PLATFORM_DMA;

    guest_start(&g);

    qvirtio_start_device(g.vdev);
    g.vdev->bus->set_features(g.vdev, modern);
    g.vq = g.vdev->bus->virtqueue_setup(g.vdev, &g.alloc, 0);
    qvirtio_set_features(g.vdev, both);
    qvirtio_set_driver_ok(g.vdev);

    request(&g);
    assert_pending(&g);
    smmu_abort(&g, false);
    assert_done(&g);
    smmu_abort(&g, true);

    /* A driver that never ends it has accepted nothing. */
    drop_queue(&g);
    qvirtio_start_device(g.vdev);
    g.vdev->features = 0;
    g.vdev->bus->set_features(g.vdev, modern);
    g.vq = g.vdev->bus->virtqueue_setup(g.vdev, &g.alloc, 0);
    qvirtio_set_driver_ok(g.vdev);
    g.vdev->bus->set_features(g.vdev, both);

    request(&g);
    assert_done(&g);

    guest_stop(&g);
}

static void test_migrate_declined(gconstpointer opaque)
{
    Guest g = *(const Guest *)opaque;

    guest_start(&g);
    decline(&g);
    request(&g);
    assert_done(&g);

    migrate(&g, g.options);
    request(&g);
    assert_done(&g);

    accept_bit(&g);
    request(&g);
    assert_pending(&g);

    guest_stop(&g);
}

static void test_migrate_accepted(gconstpointer opaque)
{
    Guest g = *(const Guest *)opaque;

    guest_start(&g);
    accept_bit(&g);
    request(&g);
    assert_pending(&g);

    /* The SMMU aborts in the new QEMU too. */
    migrate(&g, g.options);
    assert_pending(&g);
    smmu_translate(&g);
    assert_done(&g);

    /* It goes on translating. */
    migrate(&g, g.options);
    request(&g);
    assert_done(&g);

    decline(&g);
    request(&g);
    assert_done(&g);

    guest_stop(&g);
}

/* The offer must not change, not even for a driver that has declined it. */
static void test_migrate_offer(gconstpointer opaque)
{
    const Guest *offers = opaque;
    g_autofree char *options = g_strdup_printf("%s,x-platform-dma=off",
                                               offers->options);
    Guest g = *offers;

    guest_start(&g);
    decline(&g);
    g_assert(!move(&g, options, SOURCE_ONLY));
    guest_stop(&g);

    g = *offers;
    g.options = options;
    guest_start(&g);
    g_assert(!move(&g, offers->options, TARGET_ONLY));
    guest_stop(&g);
}

/* A legacy driver cannot see the offer. */
static void test_legacy(gconstpointer opaque)
{
    Guest g = *(const Guest *)opaque;

    guest_start(&g);
    negotiate(&g, 0);
    request(&g);
    assert_done(&g);
    guest_stop(&g);
}

/* Have virtio-blk read sector 1, or what else fills a sector. */
static void request_blk(Guest *g, uint32_t type)
{
    struct virtio_blk_outhdr header = {
        .type = cpu_to_le32(type),
        .sector = cpu_to_le64(1),
    };
    const uint32_t ofs = 1024;

    g->buf = guest_alloc(&g->alloc, ofs + sizeof(header));
    qtest_memset(g->qts, g->buf, 0xff, ofs);
    qtest_memwrite(g->qts, g->buf + ofs, &header, sizeof(header));
    g->head = qvirtqueue_add(g->qts, g->vq, g->buf + ofs + g->offset,
                             sizeof(header), false, true);
    qvirtqueue_add(g->qts, g->vq, g->buf + g->offset, 512, true, true);
    qvirtqueue_add(g->qts, g->vq, g->buf + 512 + g->offset, 1, true, false);
    qvirtqueue_kick(g->qts, g->vdev, g->vq, g->head);
}

/* A request that the source does not complete is at a DMA address as well. */
static void test_migrate_request(gconstpointer fails)
{
    g_autofree char *disk = NULL;
    g_autofree char *source = NULL;
    g_autofree char *target = NULL;
    Guest g = {};
    uint8_t sectors[2][512] = {}, data[513];
    int fd = make_file(&disk);

    memset(sectors[1], 0x5a, sizeof(sectors[1]));
    g_assert_cmpint(write(fd, sectors, sizeof(sectors)), ==, sizeof(sectors));
    close(fd);

    source = g_strdup_printf(
        MMIO_MODERN "-blockdev driver=blkdebug,node-name=disk,"
        "image.driver=file,image.filename=%s," FAIL_READS BLK, disk);
    target = g_strdup_printf(
        MMIO_MODERN "-blockdev driver=file,node-name=disk,filename=%s " BLK
        "%s", disk, fails ? ",x-platform-dma=off" : "");

    g.options = source;
    guest_start(&g);
    accept_bit(&g);
    smmu_translate(&g);

    request_blk(&g, VIRTIO_BLK_T_IN);
    qtest_qmp_eventwait(g.qts, "STOP");

    if (fails) {
        /* The device has a request that was never mapped. */
        g_assert(!move(&g, target, SOURCE_ONLY));
        qtest_qmp_assert_success(g.qts, "{ 'execute': 'system_reset' }");
        qtest_qmp_eventwait(g.qts, "RESET");
    } else {
        migrate(&g, target);
        qvirtio_wait_used_elem(g.qts, g.vdev, g.vq, g.head, NULL, TIMEOUT_US);
        qtest_memread(g.qts, g.buf, data, sizeof(data));
        g_assert(!memcmp(data, sectors[1], 512));
        g_assert_cmpuint(data[512], ==, VIRTIO_BLK_S_OK);
    }

    drop_file(disk);
    guest_free(&g.alloc, g.buf);
    guest_stop(&g);
}

static int make_socket(const char *path, bool server)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_assert_cmpint(strlen(path), <, sizeof(addr.sun_path));
    strcpy(addr.sun_path, path);
    if (server) {
        g_assert_cmpint(bind(fd, (void *)&addr, sizeof(addr)), ==, 0);
        g_assert_cmpint(listen(fd, 1), ==, 0);
    } else {
        g_assert_cmpint(connect(fd, (void *)&addr, sizeof(addr)), ==, 0);
    }
    return fd;
}

/* Wait until QEMU has done all that it can. */
static void settle(Guest *g)
{
    int i;

    for (i = 0; i < 10; i++) {
        qtest_qmp_assert_success(g->qts, "{ 'execute': 'query-status' }");
        g_usleep(10000);
    }
}

/*
 * virtio-serial has a request that it has passed on in part. The state of the
 * device arrives in two parts, and the second one has what tells where the
 * request is: nobody may go on with it before.
 */
static void test_migrate_yield(void)
{
    g_autofree char *dir = g_dir_make_tmp("qtest-platform-dma-XXXXXX", NULL);
    g_autofree char *port = g_strdup_printf("%s/port", dir);
    g_autofree char *incoming = g_strdup_printf("%s/incoming", dir);
    g_autofree char *state = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", state);
    g_autofree char *data = NULL;
    g_autofree char *options = g_strdup_printf(
        MMIO_MODERN "-chardev socket,id=port,path=%s "
        "-device virtio-serial-device,id=dev" OPTION
        " -device virtserialport,chardev=port", port);
    const int size = MiB;
    int listener = make_socket(port, true);
    Guest g = { .options = options, .queue = 5 };
    int fd, from, n, sent = 0;
    gsize cut, length;
    char part[4096];

    guest_start(&g);
    from = accept(listener, NULL, NULL);
    accept_bit(&g);
    smmu_translate(&g);

    g.buf = guest_alloc(&g.alloc, size);
    qtest_memset(g.qts, g.buf, 0x5a, size);
    g.head = qvirtqueue_add(g.qts, g.vq, g.buf + g.offset, size, false, false);
    qvirtqueue_kick(g.qts, g.vdev, g.vq, g.head);
    assert_pending(&g);

    qtest_qmp_assert_success(g.qts, "{ 'execute': 'migrate',"
                             " 'arguments': { 'uri': %s } }", uri);
    g_assert(migrated(g.qts));
    qtest_quit(g.qts);
    while ((n = read(from, part, sizeof(part))) > 0) {
        sent += n;
    }
    close(from);
    g_assert_cmpint(sent, >, 0);
    g_assert_cmpint(sent, <, size);

    g.qts = qtest_initf(MACHINE "%s -S -incoming unix:%s", options, incoming);
    g.mmio_dev.qts = g.qts;
    from = accept(listener, NULL, NULL);
    fd = make_socket(incoming, false);
    g_assert(g_file_get_contents(state, &data, &length, NULL));
    for (cut = length; memcmp(data + cut, "virtio/started", 14); cut--) {
        g_assert_cmpuint(cut, >, 0);
    }
    g_assert_cmpint(write(fd, data, cut), ==, cut);
    settle(&g);
    g_assert_cmpint(write(fd, data + cut, length - cut), ==, length - cut);
    close(fd);
    g_assert(migrated(g.qts));
    qtest_qmp_assert_success(g.qts, "{ 'execute': 'cont' }");

    while (sent < size) {
        qtest_clock_step(g.qts, 1000000);
        n = read(from, part, sizeof(part));
        g_assert_cmpint(n, >, 0);
        while (n--) {
            g_assert_cmphex(part[n], ==, 0x5a);
            sent++;
        }
    }
    g_assert_cmpint(sent, ==, size);
    qvirtio_wait_used_elem(g.qts, g.vdev, g.vq, g.head, NULL, TIMEOUT_US);

    guest_free(&g.alloc, g.buf);
    guest_stop(&g);
    close(from);
    close(listener);
    unlink(port);
    unlink(incoming);
    unlink(state);
    rmdir(dir);
}

/* Which lies are told follows from what the driver negotiates. */
static void test_lies(void)
{
    Guest g = {
        .options = MMIO_MODERN "-device virtio-rng-device,id=dev,in_order=on,"
                   "x-lie-id=1,x-lie-other=1,x-lie-len=2",
    };
    int i;

    guest_start(&g);
    for (i = 0; i < 2; i++) {
        negotiate(&g, 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_F_IN_ORDER);
        request(&g);
        assert_done(&g);
    }
    guest_stop(&g);
}

/* Negotiate anew without a reset: does the device agree? */
static bool renegotiate(Guest *g, uint64_t features)
{
    const uint8_t started = VIRTIO_CONFIG_S_ACKNOWLEDGE |
                            VIRTIO_CONFIG_S_DRIVER;
    const QVirtioBus *bus = g->vdev->bus;

    bus->set_status(g->vdev, started);
    bus->set_features(g->vdev, features);
    bus->set_status(g->vdev, started | VIRTIO_CONFIG_S_FEATURES_OK);

    return bus->get_status(g->vdev) & VIRTIO_CONFIG_S_FEATURES_OK;
}

/* What a request is mapped in must not change under it. */
static void test_in_flight(void)
{
    const uint64_t modern = 1ull << VIRTIO_F_VERSION_1;
    const uint64_t both = modern | 1ull << VIRTIO_F_PLATFORM_DMA;
    Guest g = {
        .options = MMIO_MODERN "-blockdev driver=blkdebug,node-name=disk,"
                   "image.driver=null-co," FAIL_READS BLK,
    };

    guest_start(&g);
    smmu_translate(&g);

    accept_bit(&g);
    g_assert(renegotiate(&g, modern));
    g_assert(renegotiate(&g, both));

    accept_bit(&g);
    request_blk(&g, VIRTIO_BLK_T_IN);
    qtest_qmp_eventwait(g.qts, "STOP");
    g_assert(!renegotiate(&g, modern));
    g_assert(renegotiate(&g, both));
    guest_free(&g.alloc, g.buf);

    /* A reset ends all requests. */
    decline(&g);
    qtest_qmp_assert_success(g.qts, "{ 'execute': 'cont' }");
    request_blk(&g, VIRTIO_BLK_T_GET_ID);
    qvirtio_wait_used_elem(g.qts, g.vdev, g.vq, g.head, NULL, TIMEOUT_US);
    g_assert_cmpuint(qtest_readb(g.qts, g.buf + 512), ==, VIRTIO_BLK_S_OK);
    guest_free(&g.alloc, g.buf);

    guest_stop(&g);
}

/* Devices would not reach memory that is added. */
static void test_offset_maxmem(void)
{
    static const char *maxmem[] = { "", ",slots=1,maxmem=1G" };
    int i;

    for (i = 0; i < ARRAY_SIZE(maxmem); i++) {
        /* The device ends QEMU if the machine does not. */
        g_autofree char *command = g_strdup_printf(
            "%s -accel qtest -display none -machine virt,pci-dma-offset=4G "
            "-m 512M%s -device none", getenv("QTEST_QEMU_BINARY"), maxmem[i]);
        g_autofree char *err = NULL;
        int status;

        g_assert(g_spawn_command_line_sync(command, NULL, &err, &status,
                                           NULL));
        g_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        g_assert(!!strstr(err, "leave maxmem out") == !!i);
    }
}

typedef struct VhostTest {
    const char *name;
    const char *machine;
    uint64_t offers;            /* by the back end */
    bool offered;               /* by the device */
    bool translated;            /* if the driver accepts */
    const char *more;           /* properties, and devices that come later */
    bool unasked;               /* x-platform-dma=on is not among them */
} VhostTest;

#define NOT_OFFERED     "does not offer VIRTIO_F_PLATFORM_DMA: its vhost " \
                        "back end has no device IOTLB"

/* Start QEMU; return a file with what it says. */
static char *vhost_start(Guest *g, VhostUser *v, const VhostTest *test)
{
    g_autofree char *options = NULL;
    char *errors;

    close(make_file(&errors));
    vhost_user_start(v, test->offers);
    options = g_strdup_printf(
        "-machine %s,memory-backend=ram -m 128M "
        "-object memory-backend-memfd,id=ram,size=128M,share=on "
        "-chardev socket,id=backend,path=%s "
        "-device vhost-user-rng-pci,id=dev,addr=1,"
        "chardev=backend%s 2>%s", test->machine, v->path,
        test->more ?: OPTION, errors);
    g->options = options;
    guest_start(g);

    return errors;
}

static void vhost_stop(Guest *g, VhostUser *v, char *errors)
{
    guest_stop(g);
    vhost_user_end(v);
    drop_file(errors);
    g_free(errors);
}

/*
 * The device offers the bit if its back end can follow the driver. The back end
 * is told to ask for translations if the driver has accepted it, and not of the
 * bit itself, whatever it offers. If it was not told to ask, it must not.
 */
static void test_vhost(gconstpointer opaque)
{
    const VhostTest *test = opaque;
    Guest g = { .pci = true, .identity = !test->translated };
    VhostUser v;
    char *errors = vhost_start(&g, &v, test);
    int i;

    smmu_translate(&g);
    g_assert(status_names_bit(&g, "host-features") == test->offered);

    /* Accept, decline, and accept again. */
    for (i = 0; i < 3; i++) {
        bool translated = test->translated && !(i & 1);

        if (test->offered && !(i & 1)) {
            accept_bit(&g);
        } else {
            decline(&g);
        }
        g_assert(!(v.told >> VIRTIO_F_PLATFORM_DMA & 1));
        g_assert((v.told >> VIRTIO_F_ACCESS_PLATFORM & 1) == translated);
        g_assert(vhost_user_ask(&v, g.vq->used + g.offset) == translated);
        g_assert_cmpuint(v.kicks, ==, i + 1);
    }
    /* Not offering what was asked for is said, and not at each reset. */
    g_assert_cmpint(times_said(errors, NOT_OFFERED), ==,
                    !test->offered && !test->unasked);
    vhost_stop(&g, &v, errors);
}

#define NO_IOMMU        "iommu=none,virtio-mmio-iommu=0"

static const VhostTest vhost[] = {
    { "follows", "iommu=smmuv3", VHOST_TRANSLATES, true, true },
    { "cannot-follow", "iommu=smmuv3", 1ull << VIRTIO_F_PLATFORM_DMA, false,
      false },
    { "nothing-to-follow", NO_IOMMU, VHOST_TRANSLATES,
      true, false },
    { "any-without-iommu", NO_IOMMU, 0, true, false },
    { "iommu-comes-last", NO_IOMMU, 0, false, false,
      OPTION " -device virtio-iommu-pci,addr=2" },
    { "forced-without-iommu", NO_IOMMU, 0, false, false, ",x-force-bus-dma=on",
      true },
};

/* The start fails if the SMMU gives no used ring: the back end may go on. */
static void test_vhost_fail(void)
{
    Guest g = { .pci = true };
    VhostUser v;
    char *errors = vhost_start(&g, &v, &vhost[0]);

    accept_bit(&g);
    g_assert(!vhost_user_ask(&v, g.vq->used + g.offset));

    smmu_translate(&g);
    accept_bit(&g);
    g_assert(vhost_user_ask(&v, g.vq->used + g.offset));
    vhost_stop(&g, &v, errors);
}

/* Send something by a virtio-net that has its second queue only. */
static void request_net(Guest *g)
{
    const uint32_t size = 12 + 60;

    g->buf = guest_alloc(&g->alloc, size);
    qtest_memset(g->qts, g->buf, 0, size);
    g->head = qvirtqueue_add(g->qts, g->vq, g->buf + g->offset, size, false,
                             false);
    qvirtqueue_kick(g->qts, g->vdev, g->vq, g->head);
}

static void assert_sent(Guest *g)
{
    g->vdev->bus->virtqueue_kick(g->vdev, g->vq);
    qvirtio_wait_used_elem(g->qts, g->vdev, g->vq, g->head, NULL, TIMEOUT_US);
    guest_free(&g->alloc, g->buf);
}

/* Who does the work of the device at one side of a migration? */
typedef struct Side {
    const char *name;
    bool vhost;
    uint64_t offers;            /* by the back end */
    bool offered;               /* by the device */
} Side;

static const Side sides[] = {
    { "qemu", false, 0, true },
    { "follows", true, VHOST_TRANSLATES, true },
    { "cannot-follow", true, 0, false },
};

typedef struct MigrateTest {
    const Side *source;
    const Side *target;
    bool accept;
} MigrateTest;

/*
 * Return a tap device that nothing uses, or -1 if there can be none. No other
 * network of QEMU itself has the packet headers of a vhost back end.
 */
static int open_tap(void)
{
#ifdef CONFIG_LINUX
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd = open("/dev/net/tun", O_RDWR);

    if (fd >= 0 && !ioctl(fd, TUNSETIFF, &ifr)) {
        return fd;
    }
    close(fd);
#endif
    return -1;
}

static char *side_options(const Side *side, VhostUser *v, int tap)
{
    g_autofree char *net = NULL;

    if (!side->vhost && tap >= 0) {
        net = g_strdup_printf("-netdev tap,id=net,fd=%d", tap);
    } else if (side->vhost) {
        vhost_user_start(v, side->offers);
        net = g_strdup_printf("-chardev socket,id=backend,path=%s "
                              "-netdev vhost-user,id=net,chardev=backend",
                              v->path);
    } else {
        net = g_strdup("-netdev hubport,id=net,hubid=0");
    }
    return g_strdup_printf(
        "-machine iommu=smmuv3,memory-backend=ram -m 128M "
        "-object memory-backend-memfd,id=ram,size=128M,share=on "
        "%s -device virtio-net-pci,id=dev,addr=1,romfile=,netdev=net" OPTION,
        net);
}

/* Is the back end told what the driver has decided? */
static void assert_told(Guest *g, VhostUser *v)
{
    g_assert(!(v->told >> VIRTIO_F_PLATFORM_DMA & 1));
    g_assert((v->told >> VIRTIO_F_ACCESS_PLATFORM & 1) == !!g->offset);
    g_assert(vhost_user_ask(v, g->vq->used + g->offset) == !!g->offset);
}

/*
 * The guest goes on as it has negotiated, whoever does the work at either side.
 * Where only one of them can follow, it cannot be migrated.
 */
static void test_migrate_vhost(gconstpointer opaque)
{
    const MigrateTest *test = opaque;
    const Side *source = test->source, *target = test->target;
    VhostUser from, to;
    int tap = open_tap();
    g_autofree char *options = side_options(source, &from, tap);
    g_autofree char *other = NULL;
    Guest g = { .options = options, .pci = true, .queue = 1 };

    guest_start(&g);
    smmu_translate(&g);
    /* What QEMU itself does is known to be right from other tests. */
    if (test->accept) {
        accept_bit(&g);
    } else {
        smmu_abort(&g, true);
        decline(&g);
    }
    if (source->vhost) {
        assert_told(&g, &from);
        request_net(&g);
    }

    other = side_options(target, &to, tap);
    if (source->offered != target->offered) {
        g_assert(!move(&g, other, source->offered ? SOURCE_ONLY : TARGET_ONLY));
    } else {
        migrate(&g, other);
        g_assert(status_names_bit(&g, "guest-features") == test->accept);
        if (target->vhost) {
            assert_told(&g, &to);
        } else {
            if (!source->vhost) {
                request_net(&g);
            }
            assert_sent(&g);
        }
        /* A driver that comes later may decide otherwise. */
        if (test->accept || !target->offered) {
            decline(&g);
        } else {
            accept_bit(&g);
        }
        if (target->vhost) {
            assert_told(&g, &to);
        } else {
            request_net(&g);
            assert_sent(&g);
        }
    }
    if (source->vhost) {
        g_assert((from.told >> VIRTIO_F_ACCESS_PLATFORM & 1) == test->accept);
        vhost_user_end(&from);
    }
    guest_stop(&g);
    if (target->vhost) {
        vhost_user_end(&to);
    }
    if (tap >= 0) {
        close(tap);
    }
}

/* Have the guest turn address translation services on or off. */
static void set_ats(Guest *g, bool on)
{
    const uint64_t config = PCI_ECAM + ((uint64_t)PORT_SID << 12);
    uint32_t header, cap = 0x100;

    while ((header = qtest_readl(g->qts, config + cap)) >> 20 &&
           PCI_EXT_CAP_ID(header) != PCI_EXT_CAP_ID_ATS) {
        cap = PCI_EXT_CAP_NEXT(header);
    }
    g_assert_cmpint(PCI_EXT_CAP_ID(header), ==, PCI_EXT_CAP_ID_ATS);
    qtest_writew(g->qts, config + cap + PCI_ATS_CTRL,
                 on ? PCI_ATS_CTRL_ENABLE : 0);
}

/* The SMMU has no ATS. A driver that turns it on does not end QEMU. */
static void test_vhost_ats(void)
{
    Guest g = { .pci = true, .port = true, .queue = 1 };
    VhostUser v;
    g_autofree char *options = NULL;

    vhost_user_start(&v, VHOST_TRANSLATES);
    options = g_strdup_printf(
        "-machine iommu=smmuv3,memory-backend=ram -m 128M "
        "-object memory-backend-memfd,id=ram,size=128M,share=on "
        "-chardev socket,id=backend,path=%s "
        "-netdev vhost-user,id=net,chardev=backend "
        "-device pcie-root-port,id=root,addr=1 -device virtio-net-pci,id=dev,"
        "bus=root,romfile=,netdev=net,ats=on" OPTION, v.path);
    g.options = options;
    guest_start(&g);
    smmu_translate(&g);

    /* While the back end runs */
    accept_bit(&g);
    assert_told(&g, &v);
    set_ats(&g, true);
    assert_told(&g, &v);

    /* And before: it does not start. */
    accept_bit(&g);
    g_assert(!vhost_user_ask(&v, g.vq->used + g.offset));

    set_ats(&g, false);
    accept_bit(&g);
    assert_told(&g, &v);

    guest_stop(&g);
    vhost_user_end(&v);
}

static void add_migrate_vhost(void)
{
    int tap = open_tap();
    int i;

    for (i = 0; i < ARRAY_SIZE(sides) * ARRAY_SIZE(sides) * 2; i++) {
        MigrateTest test = {
            .source = &sides[i / 2 / ARRAY_SIZE(sides)],
            .target = &sides[i / 2 % ARRAY_SIZE(sides)],
            .accept = i & 1,
        };
        g_autofree char *path = NULL;

        if (!(test.source->vhost || test.target->vhost) ||
            (!test.target->vhost && tap < 0) ||
            (test.accept && !test.source->offered)) {
            continue;
        }
        path = g_strdup_printf(PATH "vhost/migrate/%s/%s-to-%s",
                               test.accept ? "accepted" : "declined",
                               test.source->name, test.target->name);
        qtest_add_data_func_full(path, g_memdup2(&test, sizeof(test)),
                                 test_migrate_vhost, g_free);
    }
    if (tap >= 0) {
        close(tap);
    }
}

static const struct {
    const char *name;
    Guest guest;
} transports[] = {
    { "mmio", { .options = MMIO_MODERN RNG_MMIO } },
    { "pci", { .options = RNG_PCI ",disable-legacy=on", .pci = true } },
    { "pci-transitional", { .options = RNG_PCI ",disable-legacy=off",
                            .pci = true } },
}, legacy[] = {
    { "mmio", { .options = RNG_MMIO } },
    { "pci", { .options = RNG_PCI ",disable-modern=on", .pci = true } },
};

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestDataFunc func;
    } tests[] = {
        { "negotiate", test_negotiate },
        { "late", test_late },
        { "migrate/declined", test_migrate_declined },
        { "migrate/accepted", test_migrate_accepted },
        { "migrate/offer", test_migrate_offer },
    };
    int i, j;

    g_test_init(&argc, &argv, NULL);

    for (i = 0; i < ARRAY_SIZE(transports); i++) {
        for (j = 0; j < ARRAY_SIZE(tests); j++) {
            g_autofree char *path = g_strdup_printf(PATH "%s/%s",
                                                    transports[i].name,
                                                    tests[j].name);

            qtest_add_data_func(path, &transports[i].guest, tests[j].func);
        }
    }
    for (i = 0; i < ARRAY_SIZE(legacy); i++) {
        g_autofree char *path = g_strdup_printf(PATH "legacy/%s",
                                                legacy[i].name);

        qtest_add_data_func(path, &legacy[i].guest, test_legacy);
    }
    if (qtest_has_device("vhost-user-rng-pci")) {
        for (i = 0; i < ARRAY_SIZE(vhost); i++) {
            g_autofree char *path = g_strdup_printf(PATH "vhost/%s",
                                                    vhost[i].name);

            qtest_add_data_func(path, &vhost[i], test_vhost);
        }
        qtest_add_func(PATH "vhost/fails", test_vhost_fail);
    }
    if (qtest_has_device("virtio-net-pci")) {
        add_migrate_vhost();
        if (qtest_has_device("pcie-root-port")) {
            qtest_add_func(PATH "vhost/ats", test_vhost_ats);
        }
    }
    qtest_add_data_func(PATH "mmio/migrate/request", NULL,
                        test_migrate_request);
    qtest_add_data_func(PATH "mmio/migrate/request-fails", "",
                        test_migrate_request);
    if (qtest_has_device("virtserialport")) {
        qtest_add_func(PATH "mmio/migrate/yield", test_migrate_yield);
    }
    qtest_add_func(PATH "mmio/lies", test_lies);
    qtest_add_func(PATH "mmio/in-flight", test_in_flight);
    qtest_add_func(PATH "offset/maxmem", test_offset_maxmem);

    return g_test_run();
}
