/*
 * Minimal ultravisor of the pseries machine, for TCG
 *
 * Lets a guest become a secure VM and keeps emulated devices out of the pages
 * that the guest does not share. This is for testing guests. It protects
 * nothing: QEMU itself, its monitor and its debug interfaces see all memory.
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/error-report.h"
#include "qemu/stats64.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/ppc/spapr_ultravisor.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "system/dma.h"
#include "system/qtest.h"
#include "system/runstate.h"
#include "system/tcg.h"
#include "cpu-models.h"
#include "cpu.h"
#include "trace.h"

/* Ultracalls of the Protected Execution Facility */
#define UV_ESM                  0xf110
#define UV_SHARE_PAGE           0xf130
#define UV_UNSHARE_PAGE         0xf134
#define UV_SVM_TERMINATE        0xf13c
#define UV_UNSHARE_ALL_PAGES    0xf140

/* What they call a page: the call does not say which pages the guest uses. */
#define UV_PAGE_BITS            16
#define UV_PAGE_SIZE            (1ULL << UV_PAGE_BITS)

#define TYPE_SPAPR_ULTRAVISOR_MEMORY_REGION "spapr-ultravisor-memory-region"

struct SpaprUltravisor {
    DeviceState parent_obj;

    IOMMUMemoryRegion iommu;
    AddressSpace as;

    uint64_t nr_pages;
    unsigned long *shared;
    bool secure;
    bool warned;

    uint64_t refuse_share;
    uint64_t nr_shares;

    Stat64 refused;
    Stat64 tce_hcalls;
};

/* What is not RAM has no secrets: it may be the BAR of another device. */
static bool spapr_ultravisor_may_access(SpaprUltravisor *uv, uint64_t page)
{
    return !qatomic_read(&uv->secure) || page >= uv->nr_pages ||
           test_bit(page, uv->shared);
}

/* Called from RCU critical section */
static IOMMUTLBEntry spapr_ultravisor_translate(IOMMUMemoryRegion *iommu,
                                                hwaddr addr,
                                                IOMMUAccessFlags flag,
                                                int iommu_idx)
{
    SpaprUltravisor *uv = container_of(iommu, SpaprUltravisor, iommu);
    IOMMUTLBEntry ret = {
        .target_as = &address_space_memory,
        .iova = addr & -UV_PAGE_SIZE,
        .translated_addr = addr & -UV_PAGE_SIZE,
        .addr_mask = UV_PAGE_SIZE - 1,
        .perm = IOMMU_RW,
    };

    if (!spapr_ultravisor_may_access(uv, addr >> UV_PAGE_BITS)) {
        ret.perm = IOMMU_NONE;
        if (flag != IOMMU_NONE) {
            trace_spapr_ultravisor_refuse(addr, flag);
            stat64_add(&uv->refused, 1);
            if (!qatomic_xchg(&uv->warned, true)) {
                warn_report("ultravisor: DMA %s private page at 0x%"
                            HWADDR_PRIx " refused, not reporting any more",
                            flag & IOMMU_WO ? "to" : "from", addr);
            }
        }
    }
    return ret;
}

static uint64_t spapr_ultravisor_min_page_size(IOMMUMemoryRegion *iommu)
{
    return UV_PAGE_SIZE;
}

static bool spapr_ultravisor_is_ram(hwaddr addr, hwaddr size)
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

static target_ulong spapr_ultravisor_esm(SpaprUltravisor *uv, PowerPCCPU *cpu,
                                         uint64_t image, uint64_t fdt)
{
    CPUState *cs;

    if (uv->secure) {
        return H_SUCCESS;
    }
    if (!spapr_ultravisor_is_ram(image, 1)) {
        return H_PARAMETER;
    }
    if (!spapr_ultravisor_is_ram(fdt, 1)) {
        return H_P2;
    }

    /* The other CPUs enter secure state when they are started */
    CPU_FOREACH(cs) {
        if (cs != CPU(cpu) && !POWERPC_CPU(cs)->env.quiesced) {
            return H_PERMISSION;
        }
    }

    cpu->env.msr |= 1ULL << MSR_S;
    qatomic_set(&uv->secure, true);
    trace_spapr_ultravisor_secure(true);
    return H_SUCCESS;
}

/*
 * A device's access looks the page up each time, so there is no cache to
 * flush: memory that is behind an IOMMU region is not cached.
 */
static target_ulong spapr_ultravisor_set_shared(SpaprUltravisor *uv,
                                                uint64_t page, uint64_t num,
                                                bool shared)
{
    if (page >= uv->nr_pages) {
        return H_PARAMETER;
    }
    if (!num || num > uv->nr_pages - page ||
        !spapr_ultravisor_is_ram(page << UV_PAGE_BITS, num << UV_PAGE_BITS)) {
        return H_P2;
    }

    /* A device must not see what the page held, nor the guest the device's */
    if (!shared) {
        bitmap_test_and_clear_atomic(uv->shared, page, num);
    }
    address_space_set(&address_space_memory, page << UV_PAGE_BITS, 0,
                      num << UV_PAGE_BITS, MEMTXATTRS_UNSPECIFIED);
    if (shared) {
        bitmap_set_atomic(uv->shared, page, num);
    }
    return H_SUCCESS;
}

/* Find the next run of shared pages at or after *page */
static bool spapr_ultravisor_next_run(SpaprUltravisor *uv, uint64_t *page,
                                      uint64_t *num)
{
    *page = find_next_bit(uv->shared, uv->nr_pages, *page);
    *num = find_next_zero_bit(uv->shared, uv->nr_pages, *page) - *page;
    return *page < uv->nr_pages;
}

static target_ulong spapr_ultravisor_unshare_all(SpaprUltravisor *uv)
{
    uint64_t page = 0, num;

    while (spapr_ultravisor_next_run(uv, &page, &num)) {
        spapr_ultravisor_set_shared(uv, page, num, false);
    }
    return H_SUCCESS;
}

static target_ulong spapr_ultravisor_terminate(SpaprUltravisor *uv)
{
    error_report("ultravisor: the guest asked to be terminated");
    qemu_system_guest_panicked(NULL);
    return H_SUCCESS;
}

static target_ulong spapr_ultravisor_call(SpaprUltravisor *uv, PowerPCCPU *cpu,
                                          target_ulong opcode,
                                          target_ulong *args)
{
    if (FIELD_EX64(cpu->env.msr, MSR, PR)) {
        return H_PERMISSION;
    }

    switch (opcode) {
    case UV_ESM:
        return spapr_ultravisor_esm(uv, cpu, args[0], args[1]);
    case UV_SHARE_PAGE:
    case UV_UNSHARE_PAGE:
    case UV_UNSHARE_ALL_PAGES:
    case UV_SVM_TERMINATE:
        break;
    default:
        return H_FUNCTION;
    }

    /* This is U_INVALID, whose value is not published */
    if (!uv->secure) {
        return H_PERMISSION;
    }

    switch (opcode) {
    case UV_SHARE_PAGE:
        if (++uv->nr_shares == uv->refuse_share) {
            return H_PARAMETER;
        }
        /* fall through */
    case UV_UNSHARE_PAGE:
        return spapr_ultravisor_set_shared(uv, args[0], args[1],
                                           opcode == UV_SHARE_PAGE);
    case UV_UNSHARE_ALL_PAGES:
        return spapr_ultravisor_unshare_all(uv);
    default:
        return spapr_ultravisor_terminate(uv);
    }
}

target_ulong spapr_ultracall(SpaprUltravisor *uv, PowerPCCPU *cpu,
                             target_ulong opcode, target_ulong *args)
{
    target_ulong ret = spapr_ultravisor_call(uv, cpu, opcode, args);

    trace_spapr_ultravisor_call(CPU(cpu)->cpu_index, opcode, args[0], args[1],
                                ret);
    return ret;
}

void spapr_ultravisor_count_hcall(SpaprUltravisor *uv, target_ulong opcode)
{
    switch (opcode) {
    case H_PUT_TCE:
    case H_PUT_TCE_INDIRECT:
    case H_STUFF_TCE:
        stat64_add(&uv->tce_hcalls, 1);
        break;
    }
}

void spapr_ultravisor_reset(SpaprUltravisor *uv)
{
    qatomic_set(&uv->secure, false);
    bitmap_zero(uv->shared, uv->nr_pages);
    uv->warned = false;
    uv->nr_shares = 0;
    trace_spapr_ultravisor_secure(false);
}

void spapr_ultravisor_create(SpaprMachineState *spapr, Error **errp)
{
    MachineState *machine = MACHINE(spapr);
    SpaprUltravisor *uv;

    if (!tcg_enabled() && !qtest_enabled()) {
        error_setg(errp, "x-ultravisor needs TCG");
        return;
    }
    if (!ppc_type_check_compat(machine->cpu_type, CPU_POWERPC_LOGICAL_3_00, 0,
                               spapr->max_compat_pvr)) {
        error_setg(errp, "x-ultravisor needs a POWER9 or later CPU");
        return;
    }
    if (spapr_get_cap(spapr, SPAPR_CAP_NESTED_KVM_HV) ||
        spapr_get_cap(spapr, SPAPR_CAP_NESTED_PAPR)) {
        error_setg(errp, "x-ultravisor does not support nested guests");
        return;
    }

    uv = SPAPR_ULTRAVISOR(object_new(TYPE_SPAPR_ULTRAVISOR));
    uv->nr_pages = (ROUND_UP(machine->ram_size, SPAPR_DEVICE_MEM_ALIGN) +
                    machine->maxram_size - machine->ram_size) >> UV_PAGE_BITS;
    uv->shared = bitmap_new(uv->nr_pages);
    object_property_add_child(OBJECT(spapr), "ultravisor", OBJECT(uv));
    object_unref(OBJECT(uv));
    if (!qdev_realize(DEVICE(uv), NULL, errp)) {
        return;
    }
    spapr->ultravisor = uv;
    spapr->dma_as = &uv->as;
}

static void spapr_ultravisor_realize(DeviceState *dev, Error **errp)
{
    SpaprUltravisor *uv = SPAPR_ULTRAVISOR(dev);

    memory_region_init_iommu(&uv->iommu, sizeof(uv->iommu),
                             TYPE_SPAPR_ULTRAVISOR_MEMORY_REGION, OBJECT(uv),
                             "ultravisor", UINT64_MAX);
    address_space_init(&uv->as, MEMORY_REGION(&uv->iommu), "ultravisor");
}

static bool spapr_ultravisor_get_secure(Object *obj, Error **errp)
{
    return SPAPR_ULTRAVISOR(obj)->secure;
}

static void spapr_ultravisor_get_stat(Object *obj, Visitor *v,
                                      const char *name, void *opaque,
                                      Error **errp)
{
    uint64_t value = stat64_get((void *)obj + (uintptr_t)opaque);

    visit_type_uint64(v, name, &value, errp);
}

static bool spapr_ultravisor_visit_run(Visitor *v, uint64_t page, uint64_t num,
                                       Error **errp)
{
    uint64_t base = page << UV_PAGE_BITS, size = num << UV_PAGE_BITS;
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

static void spapr_ultravisor_get_shared(Object *obj, Visitor *v,
                                        const char *name, void *opaque,
                                        Error **errp)
{
    SpaprUltravisor *uv = SPAPR_ULTRAVISOR(obj);
    uint64_t page = 0, num;

    if (!visit_start_list(v, name, NULL, 0, errp)) {
        return;
    }
    while (spapr_ultravisor_next_run(uv, &page, &num)) {
        if (!spapr_ultravisor_visit_run(v, page, num, errp)) {
            break;
        }
        page += num;
    }
    visit_end_list(v, NULL);
}

static const Property spapr_ultravisor_properties[] = {
    DEFINE_PROP_UINT64("x-refuse-share", SpaprUltravisor, refuse_share, 0),
};

static const VMStateDescription vmstate_spapr_ultravisor = {
    .name = TYPE_SPAPR_ULTRAVISOR,
    .unmigratable = 1,
};

static void spapr_ultravisor_class_init(ObjectClass *oc, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->realize = spapr_ultravisor_realize;
    device_class_set_props(dc, spapr_ultravisor_properties);
    dc->vmsd = &vmstate_spapr_ultravisor;
    /* Reason: the machine creates it */
    dc->user_creatable = false;

    object_class_property_add_bool(oc, "secure", spapr_ultravisor_get_secure,
                                   NULL);
    object_class_property_set_description(oc, "secure",
        "Whether the guest is a secure VM");
    object_class_property_add(oc, "shared", "list of struct",
                              spapr_ultravisor_get_shared, NULL, NULL, NULL);
    object_class_property_set_description(oc, "shared",
        "Base and size of the guest memory that the guest shares");
    object_class_property_add(oc, "refused", "uint64",
                              spapr_ultravisor_get_stat, NULL, NULL,
                              (void *)offsetof(SpaprUltravisor, refused));
    object_class_property_set_description(oc, "refused",
        "Number of DMA accesses that met a private page");
    object_class_property_add(oc, "tce-hcalls", "uint64",
                              spapr_ultravisor_get_stat, NULL, NULL,
                              (void *)offsetof(SpaprUltravisor, tce_hcalls));
    object_class_property_set_description(oc, "tce-hcalls",
        "Number of hypercalls that wrote to TCE tables");
}

static void spapr_ultravisor_memory_region_class_init(ObjectClass *oc,
                                                      const void *data)
{
    IOMMUMemoryRegionClass *imrc = IOMMU_MEMORY_REGION_CLASS(oc);

    imrc->translate = spapr_ultravisor_translate;
    imrc->get_min_page_size = spapr_ultravisor_min_page_size;
}

static const TypeInfo spapr_ultravisor_types[] = {
    {
        .name = TYPE_SPAPR_ULTRAVISOR,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(SpaprUltravisor),
        .class_init = spapr_ultravisor_class_init,
    },
    {
        .name = TYPE_SPAPR_ULTRAVISOR_MEMORY_REGION,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .class_init = spapr_ultravisor_memory_region_class_init,
    },
};

DEFINE_TYPES(spapr_ultravisor_types)
