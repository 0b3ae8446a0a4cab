/*
 * Keep devices out of the memory that a guest does not share, for TCG
 *
 * This is for testing guests. It protects nothing: QEMU itself, its monitor
 * and its debug interfaces see all memory.
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/misc/dma-filter.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "trace.h"

#define TYPE_DMA_FILTER_MEMORY_REGION "dma-filter-memory-region"

static uint64_t dma_filter_page(DMAFilter *f, hwaddr addr)
{
    return (addr - f->base) >> f->page_bits;
}

bool dma_filter_is_shared(DMAFilter *f, hwaddr addr)
{
    return test_bit(dma_filter_page(f, addr), f->shared);
}

/* What is not RAM has no secrets: it may be the BAR of another device. */
static bool dma_filter_may_access(DMAFilter *f, hwaddr addr)
{
    return !qatomic_read(&f->secure) || addr < f->base ||
           addr - f->base >= f->size || dma_filter_is_shared(f, addr);
}

/*
 * Called from RCU critical section. Each access of a device asks: memory that
 * is behind an IOMMU region is not cached.
 */
static IOMMUTLBEntry dma_filter_translate(IOMMUMemoryRegion *iommu, hwaddr addr,
                                          IOMMUAccessFlags flag, int iommu_idx)
{
    DMAFilter *f = container_of(iommu, DMAFilter, iommu);
    hwaddr mask = (1ULL << f->page_bits) - 1;
    IOMMUTLBEntry ret = {
        .target_as = &address_space_memory,
        .iova = addr & ~mask,
        .translated_addr = addr & ~mask,
        .addr_mask = mask,
        .perm = IOMMU_RW,
    };

    if (!dma_filter_may_access(f, addr)) {
        ret.perm = IOMMU_NONE;
        if (flag != IOMMU_NONE) {
            trace_dma_filter_refuse(f->as.name, addr, flag);
            stat64_add(&f->refused, 1);
            if (!qatomic_xchg(&f->warned, true)) {
                warn_report("%s: DMA %s private page at 0x%" HWADDR_PRIx
                            " refused, not reporting any more", f->as.name,
                            flag & IOMMU_WO ? "to" : "from", addr);
            }
        }
    }
    return ret;
}

static uint64_t dma_filter_min_page_size(IOMMUMemoryRegion *iommu)
{
    return 1ULL << container_of(iommu, DMAFilter, iommu)->page_bits;
}

/* Have those that keep translations, as vhost does, drop what lies there. */
static void dma_filter_notify(DMAFilter *f, hwaddr addr, hwaddr size)
{
    hwaddr page = 1ULL << f->page_bits;
    IOMMUTLBEvent event = {
        .type = IOMMU_NOTIFIER_UNMAP,
        .entry = {
            .target_as = &address_space_memory,
            .addr_mask = page - 1,
            .perm = IOMMU_NONE,
        },
    };

    for (hwaddr end = addr + size; addr < end; addr += page) {
        event.entry.iova = addr;
        event.entry.translated_addr = addr;
        memory_region_notify_iommu(&f->iommu, 0, event);
    }
}

bool dma_filter_is_ram(hwaddr addr, hwaddr size)
{
    while (size) {
        MemoryRegionSection section = memory_region_find(get_system_memory(),
                                                         addr, size);
        hwaddr len = int128_get64(section.size);
        bool is_ram = section.mr && memory_region_is_ram(section.mr) &&
                      section.offset_within_address_space == addr;

        memory_region_unref(section.mr);
        if (!is_ram) {
            return false;
        }
        addr += len;
        size -= len;
    }
    return true;
}

bool dma_filter_share_fails(DMAFilter *f)
{
    return ++f->nr_shares == f->refuse_share;
}

void dma_filter_set_shared(DMAFilter *f, hwaddr addr, hwaddr size, bool shared)
{
    uint64_t page = dma_filter_page(f, addr), num = size >> f->page_bits;

    if (shared) {
        bitmap_set_atomic(f->shared, page, num);
    } else {
        bitmap_test_and_clear_atomic(f->shared, page, num);
        dma_filter_notify(f, addr, size);
    }
}

void dma_filter_set_secure(DMAFilter *f)
{
    qatomic_set(&f->secure, true);
    dma_filter_notify(f, f->base, f->size);
}

bool dma_filter_next_shared(DMAFilter *f, hwaddr *addr, hwaddr *size)
{
    uint64_t num = f->size >> f->page_bits;
    uint64_t page = find_next_bit(f->shared, num, dma_filter_page(f, *addr));
    uint64_t end = find_next_zero_bit(f->shared, num, page);

    *addr = f->base + (page << f->page_bits);
    *size = (end - page) << f->page_bits;
    return page < num;
}

void dma_filter_reset(DMAFilter *f)
{
    bitmap_zero(f->shared, f->size >> f->page_bits);
    f->nr_shares = 0;
    f->warned = false;
}

static void dma_filter_realize(DeviceState *dev, Error **errp)
{
    DMAFilter *f = DMA_FILTER(dev);
    const char *name = object_get_typename(OBJECT(dev));

    f->shared = bitmap_new(f->size >> f->page_bits);
    memory_region_init_iommu(&f->iommu, sizeof(f->iommu),
                             TYPE_DMA_FILTER_MEMORY_REGION, OBJECT(f), name,
                             UINT64_MAX);
    address_space_init(&f->as, MEMORY_REGION(&f->iommu), name);
}

static bool dma_filter_get_secure(Object *obj, Error **errp)
{
    return DMA_FILTER(obj)->secure;
}

static void dma_filter_get_refused(Object *obj, Visitor *v, const char *name,
                                   void *opaque, Error **errp)
{
    uint64_t value = stat64_get(&DMA_FILTER(obj)->refused);

    visit_type_uint64(v, name, &value, errp);
}

static bool dma_filter_visit_range(Visitor *v, uint64_t base, uint64_t size,
                                   Error **errp)
{
    bool ok;

    if (!visit_start_struct(v, NULL, NULL, 0, errp)) {
        return false;
    }
    ok = visit_type_uint64(v, "base", &base, errp) &&
         visit_type_uint64(v, "size", &size, errp) &&
         visit_check_struct(v, errp);
    visit_end_struct(v, NULL);
    return ok;
}

static void dma_filter_get_shared(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    DMAFilter *f = DMA_FILTER(obj);
    hwaddr addr = f->base, size;

    if (!visit_start_list(v, name, NULL, 0, errp)) {
        return;
    }
    while (dma_filter_next_shared(f, &addr, &size)) {
        if (!dma_filter_visit_range(v, addr, size, errp)) {
            break;
        }
        addr += size;
    }
    visit_end_list(v, NULL);
}

static const Property dma_filter_properties[] = {
    DEFINE_PROP_UINT64("x-refuse-share", DMAFilter, refuse_share, 0),
};

static const VMStateDescription vmstate_dma_filter = {
    .name = TYPE_DMA_FILTER,
    .unmigratable = 1,
};

static void dma_filter_class_init(ObjectClass *oc, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->realize = dma_filter_realize;
    device_class_set_props(dc, dma_filter_properties);
    dc->vmsd = &vmstate_dma_filter;
    /* Reason: the machine creates it */
    dc->user_creatable = false;

    object_class_property_add_bool(oc, "secure", dma_filter_get_secure, NULL);
    object_class_property_set_description(oc, "secure",
        "Whether devices are kept out of what the guest does not share");
    object_class_property_add(oc, "shared", "list of struct",
                              dma_filter_get_shared, NULL, NULL, NULL);
    object_class_property_set_description(oc, "shared",
        "Base and size of the guest memory that the guest shares");
    object_class_property_add(oc, "refused", "uint64",
                              dma_filter_get_refused, NULL, NULL, NULL);
    object_class_property_set_description(oc, "refused",
        "Number of DMA accesses that met a private page");
}

static void dma_filter_memory_region_class_init(ObjectClass *oc,
                                                const void *data)
{
    IOMMUMemoryRegionClass *imrc = IOMMU_MEMORY_REGION_CLASS(oc);

    imrc->translate = dma_filter_translate;
    imrc->get_min_page_size = dma_filter_min_page_size;
}

static const TypeInfo dma_filter_types[] = {
    {
        .name = TYPE_DMA_FILTER,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(DMAFilter),
        .class_init = dma_filter_class_init,
        .abstract = true,
    },
    {
        .name = TYPE_DMA_FILTER_MEMORY_REGION,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .class_init = dma_filter_memory_region_class_init,
    },
};

DEFINE_TYPES(dma_filter_types)
