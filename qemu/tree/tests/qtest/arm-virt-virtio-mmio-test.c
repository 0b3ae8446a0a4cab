/*
 * QTest testcase for virtio-mmio behind the SMMUv3 of the Arm virt machine
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <libfdt.h>
#include "libqtest.h"
#include "libqos/libqos-malloc.h"
#include "libqos/virtio.h"
#include "libqos/virtio-mmio.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "standard-headers/linux/virtio_ids.h"
#include "standard-headers/linux/virtio_ring.h"

#define MMIO_BASE       0x0a000000
#define MMIO_SIZE       0x200
#define MMIO_NUM        32
#define SID_BASE        0xff00

#define RAM_BASE        0x40000000
#define RAM_SIZE        0x08000000
#define PAGE_BYTES      4096

#define FW_CFG_DATA     0x09020000
#define FW_CFG_SELECTOR 0x09020008
#define FW_CFG_MAX      0x40000

#define SMMU_GBPA       0x09050044
#define GBPA_UPDATE     (1u << 31)
#define GBPA_ABORT      (1u << 20)

#define TIMEOUT_US      (10 * 1000 * 1000)

/* Without a kernel that enables it, the SMMU bypasses or aborts all DMA. */
static void smmu_abort(QTestState *qts, bool abort)
{
    qtest_writel(qts, SMMU_GBPA, GBPA_UPDATE | (abort ? GBPA_ABORT : 0));
    g_assert_cmphex(qtest_readl(qts, SMMU_GBPA) & (GBPA_UPDATE | GBPA_ABORT),
                    ==, abort ? GBPA_ABORT : 0);
}

typedef struct DMATest {
    const char *name;
    const char *options;
    int transport;
    bool translated;
} DMATest;

static const DMATest dma_tests[] = {
    { "bypass", "", 31, false },
    { "forced", ",x-force-bus-dma=on", 31, true },
    { "forced-last", ",x-force-bus-dma=on", 30, true },
    { "forced-no-iommu", ",x-force-bus-dma=on", 29, false },
};

/* Does the DMA of a legacy virtio-rng go through the SMMU? */
static void test_dma(gconstpointer opaque)
{
    const DMATest *t = opaque;
    QTestState *qts;
    QGuestAllocator alloc;
    QVirtioMMIODevice dev = {};
    QVirtioDevice *vdev = &dev.vdev;
    QVirtQueue *vq;
    uint64_t buf;
    uint32_t head, len;
    int i;

    qts = qtest_initf("-machine virt,iommu=smmuv3,virtio-mmio-iommu=2 -cpu max "
                      "-nodefaults -global virtio-mmio.ioeventfd=off "
                      "-device virtio-rng-device,bus=virtio-mmio-bus.%d%s",
                      t->transport, t->options);
    alloc_init(&alloc, 0, RAM_BASE, RAM_BASE + RAM_SIZE, PAGE_BYTES);

    qvirtio_mmio_init_device(&dev, qts, MMIO_BASE + t->transport * MMIO_SIZE,
                             PAGE_BYTES);
    g_assert_cmpuint(dev.version, ==, 1);
    g_assert_cmpuint(vdev->device_type, ==, VIRTIO_ID_RNG);

    qvirtio_start_device(vdev);
    qvirtio_set_features(vdev, 0);
    vq = qvirtqueue_setup(vdev, &alloc, 0);
    qvirtio_set_driver_ok(vdev);

    buf = guest_alloc(&alloc, 64);
    head = qvirtqueue_add(qts, vq, buf, 64, true, false);

    smmu_abort(qts, true);
    qvirtqueue_kick(qts, vdev, vq, head);

    if (t->translated) {
        for (i = 0; i < 100; i++) {
            qtest_clock_step(qts, 1000000);
            g_assert_cmpuint(qtest_readw(qts, vq->used +
                                         offsetof(struct vring_used, idx)),
                             ==, 0);
        }
        smmu_abort(qts, false);
        vdev->bus->virtqueue_kick(vdev, vq);
    }

    qvirtio_wait_used_elem(qts, vdev, vq, head, &len, TIMEOUT_US);
    g_assert_cmpuint(len, >, 0);

    qvirtqueue_cleanup(vdev->bus, vq, &alloc);
    guest_free(&alloc, buf);
    alloc_destroy(&alloc);
    qtest_quit(qts);
}

static void *get_fdt(const char *options)
{
    g_autofree char *path = NULL;
    QTestState *qts;
    void *fdt;
    int fd;

    fd = g_file_open_tmp("qtest-virt-XXXXXX.dtb", &path, NULL);
    g_assert_cmpint(fd, >=, 0);
    close(fd);

    qts = qtest_initf("-machine virt%s -cpu max -nodefaults", options);
    qtest_qmp_assert_success(qts, "{ 'execute': 'dumpdtb',"
                             " 'arguments': { 'filename': %s } }", path);
    qtest_quit(qts);

    g_assert(g_file_get_contents(path, (char **)&fdt, NULL, NULL));
    g_assert_cmpint(fdt_check_header(fdt), ==, 0);
    unlink(path);

    return fdt;
}

static int transport_node(void *fdt, int i)
{
    g_autofree char *path = g_strdup_printf("/virtio_mmio@%x",
                                            MMIO_BASE + i * MMIO_SIZE);
    int node = fdt_path_offset(fdt, path);

    g_assert_cmpint(node, >=, 0);
    return node;
}

static void test_fdt_defaults(void)
{
    g_autofree void *fdt = get_fdt(",iommu=smmuv3");
    const fdt32_t *prop;
    int i, node, len;

    for (i = 0; i < MMIO_NUM; i++) {
        node = transport_node(fdt, i);
        g_assert(fdt_getprop(fdt, node, "dma-coherent", NULL));
        g_assert(!fdt_getprop(fdt, node, "dma-noncoherent", NULL));
        g_assert(!fdt_getprop(fdt, node, "iommus", NULL));
    }

    node = fdt_node_offset_by_compatible(fdt, -1, "pci-host-ecam-generic");
    prop = fdt_getprop(fdt, node, "iommu-map", &len);
    g_assert_cmpint(len, ==, 4 * sizeof(*prop));
    g_assert_cmphex(fdt32_to_cpu(prop[3]), ==, 0x10000);
    prop = fdt_getprop(fdt, node, "bus-range", &len);
    g_assert_cmphex(fdt32_to_cpu(prop[1]), ==, 0xff);
}

static void test_fdt_iommu(void)
{
    g_autofree void *fdt = get_fdt(",iommu=smmuv3,virtio-mmio-iommu=2,"
                                   "virtio-mmio-coherent=off");
    const fdt32_t *prop;
    uint32_t phandle;
    int i, node, len;

    node = fdt_node_offset_by_compatible(fdt, -1, "arm,smmu-v3");
    phandle = fdt_get_phandle(fdt, node);
    g_assert_cmphex(phandle, !=, 0);

    for (i = 0; i < MMIO_NUM; i++) {
        node = transport_node(fdt, i);
        g_assert(!fdt_getprop(fdt, node, "dma-coherent", NULL));
        g_assert(fdt_getprop(fdt, node, "dma-noncoherent", NULL));
        prop = fdt_getprop(fdt, node, "iommus", &len);
        if (i < MMIO_NUM - 2) {
            g_assert(!prop);
            continue;
        }
        g_assert_cmpint(len, ==, 2 * sizeof(*prop));
        g_assert_cmphex(fdt32_to_cpu(prop[0]), ==, phandle);
        g_assert_cmphex(fdt32_to_cpu(prop[1]), ==, SID_BASE + i);
    }

    node = fdt_node_offset_by_compatible(fdt, -1, "pci-host-ecam-generic");
    prop = fdt_getprop(fdt, node, "iommu-map", &len);
    g_assert_cmpint(len, ==, 4 * sizeof(*prop));
    g_assert_cmphex(fdt32_to_cpu(prop[3]), ==, SID_BASE);
    prop = fdt_getprop(fdt, node, "bus-range", &len);
    g_assert_cmphex(fdt32_to_cpu(prop[1]), ==, 0xfe);
}

static void fw_cfg_read(QTestState *qts, void *to, size_t size)
{
    size_t i;

    /* The register is big endian, so that a read keeps the bytes' order. */
    for (i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t value = cpu_to_le64(qtest_readq(qts, FW_CFG_DATA));

        memcpy((char *)to + i, &value, sizeof(value));
    }
}

/* Without firmware, the tables are where firmware would take them from. */
static uint8_t *get_acpi(const char *options, size_t *size)
{
    static const char path[] = "etc/acpi/tables";
    struct {
        uint32_t size;
        uint16_t key;
        uint16_t reserved;
        char name[56];
    } file = {};
    QTestState *qts = qtest_initf("-machine virt%s -cpu max -nodefaults",
                                  options);
    uint32_t count;
    uint8_t *tables;

    qtest_writew(qts, FW_CFG_SELECTOR, cpu_to_be16(0x19));
    count = be32_to_cpu(cpu_to_le32(qtest_readl(qts, FW_CFG_DATA)));
    while (strcmp(file.name, path)) {
        g_assert_cmpint(count--, >, 0);
        fw_cfg_read(qts, &file, sizeof(file));
    }

    *size = be32_to_cpu(file.size);
    g_assert_cmpint(*size, <, FW_CFG_MAX);
    tables = g_malloc0(*size + sizeof(uint64_t));
    qtest_writew(qts, FW_CFG_SELECTOR, file.key);
    fw_cfg_read(qts, tables, *size);
    qtest_quit(qts);

    return tables;
}

static const uint8_t *acpi_table(const uint8_t *tables, size_t size,
                                 const char *name)
{
    const uint8_t *found = memmem(tables, size, name, 4);

    g_assert(found);
    return found;
}

/* The named components have the names and stream IDs of the last transports. */
static int check_iort(const uint8_t *iort)
{
    uint32_t nodes = ldl_le_p(iort + 36);
    const uint8_t *node = iort + ldl_le_p(iort + 40);
    int named = 0;

    for (; nodes--; node += lduw_le_p(node + 1)) {
        const uint8_t *mapping = node + ldl_le_p(node + 12);
        g_autofree char *name = NULL;
        int i;

        if (*node != 1 /* named component */) {
            continue;
        }
        i = MMIO_NUM - 2 + named++;
        name = g_strdup_printf("\\_SB_.VR%02d", i);
        g_assert_cmpstr((const char *)node + 29, ==, name);
        g_assert_cmpint(ldl_le_p(node + 8), ==, 1);
        g_assert_cmphex(ldl_le_p(mapping + 8), ==, SID_BASE + i);
        g_assert_cmpint(iort[ldl_le_p(mapping + 12)], ==, 4 /* SMMUv3 */);
        g_assert_cmpint(ldl_le_p(mapping + 16), ==, 1 /* single */);
    }

    return named;
}

static void test_acpi(gconstpointer opaque)
{
    const char *iommu = opaque;
    g_autofree char *options = g_strdup_printf(",iommu=smmuv3%s", iommu);
    size_t size;
    g_autofree uint8_t *tables = get_acpi(options, &size);

    g_assert_cmpint(check_iort(acpi_table(tables, size, "IORT")), ==,
                    *iommu ? 2 : 0);
    g_assert_cmphex(acpi_table(tables, size, "MCFG")[55], ==,
                    *iommu ? 0xfe : 0xff);
}

/* The transports have the stream IDs of a bus that must not be there then. */
static void test_pxb(void)
{
    static const char *machines[] = { "", ",virtio-mmio-iommu=1" };
    int i;

    for (i = 0; i < ARRAY_SIZE(machines); i++) {
        /* The migration ends QEMU if the machine does not. */
        g_autofree char *command = g_strdup_printf(
            "%s -accel qtest -display none -machine virt,iommu=smmuv3%s "
            "-nodefaults -device pxb-pcie,bus_nr=255 -incoming exec:echo",
            getenv("QTEST_QEMU_BINARY"), machines[i]);
        g_autofree char *err = NULL;
        int status;

        g_assert(g_spawn_command_line_sync(command, NULL, &err, &status,
                                           NULL));
        g_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        g_assert(!!strstr(err, "stream IDs of PCI bus 255") == !!i);
    }
}

int main(int argc, char **argv)
{
    int i;

    g_test_init(&argc, &argv, NULL);

    for (i = 0; i < ARRAY_SIZE(dma_tests); i++) {
        g_autofree char *path = g_strdup_printf("/arm/virt/virtio-mmio/dma/%s",
                                                dma_tests[i].name);

        qtest_add_data_func(path, &dma_tests[i], test_dma);
    }
    qtest_add_func("/arm/virt/virtio-mmio/fdt/defaults", test_fdt_defaults);
    qtest_add_func("/arm/virt/virtio-mmio/fdt/iommu", test_fdt_iommu);
    qtest_add_data_func("/arm/virt/virtio-mmio/acpi/defaults", "", test_acpi);
    qtest_add_data_func("/arm/virt/virtio-mmio/acpi/iommu",
                        ",virtio-mmio-iommu=2", test_acpi);
    if (qtest_has_device("pxb-pcie")) {
        qtest_add_func("/arm/virt/virtio-mmio/pxb", test_pxb);
    }

    return g_test_run();
}
