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
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/misc/dma-filter.h"
#include "hw/ppc/spapr_ultravisor.h"
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

struct SpaprUltravisor {
    DMAFilter parent_obj;

    Stat64 tce_hcalls;
};

static target_ulong spapr_ultravisor_esm(DMAFilter *f, PowerPCCPU *cpu,
                                         uint64_t image, uint64_t fdt)
{
    CPUState *cs;

    if (f->secure) {
        return H_SUCCESS;
    }
    if (!dma_filter_is_ram(image, 1)) {
        return H_PARAMETER;
    }
    if (!dma_filter_is_ram(fdt, 1)) {
        return H_P2;
    }

    /* The other CPUs enter secure state when they are started */
    CPU_FOREACH(cs) {
        if (cs != CPU(cpu) && !POWERPC_CPU(cs)->env.quiesced) {
            return H_PERMISSION;
        }
    }

    cpu->env.msr |= 1ULL << MSR_S;
    dma_filter_set_secure(f);
    trace_spapr_ultravisor_secure(true);
    return H_SUCCESS;
}

static void spapr_ultravisor_set_shared(DMAFilter *f, hwaddr addr, hwaddr size,
                                        bool shared)
{
    /* A device must not see what the page held, nor the guest the device's */
    if (!shared) {
        dma_filter_set_shared(f, addr, size, false);
    }
    address_space_set(&address_space_memory, addr, 0, size,
                      MEMTXATTRS_UNSPECIFIED);
    if (shared) {
        dma_filter_set_shared(f, addr, size, true);
    }
}

static target_ulong spapr_ultravisor_share(DMAFilter *f, uint64_t page,
                                           uint64_t num, bool shared)
{
    uint64_t nr_pages = f->size >> UV_PAGE_BITS;

    if (page >= nr_pages) {
        return H_PARAMETER;
    }
    if (!num || num > nr_pages - page ||
        !dma_filter_is_ram(page << UV_PAGE_BITS, num << UV_PAGE_BITS)) {
        return H_P2;
    }
    spapr_ultravisor_set_shared(f, page << UV_PAGE_BITS, num << UV_PAGE_BITS,
                                shared);
    return H_SUCCESS;
}

static target_ulong spapr_ultravisor_unshare_all(DMAFilter *f)
{
    hwaddr addr = 0, size;

    while (dma_filter_next_shared(f, &addr, &size)) {
        spapr_ultravisor_set_shared(f, addr, size, false);
    }
    return H_SUCCESS;
}

static target_ulong spapr_ultravisor_terminate(void)
{
    error_report("ultravisor: the guest asked to be terminated");
    qemu_system_guest_panicked(NULL);
    return H_SUCCESS;
}

static target_ulong spapr_ultravisor_call(DMAFilter *f, PowerPCCPU *cpu,
                                          target_ulong opcode,
                                          target_ulong *args)
{
    if (FIELD_EX64(cpu->env.msr, MSR, PR)) {
        return H_PERMISSION;
    }

    switch (opcode) {
    case UV_ESM:
        return spapr_ultravisor_esm(f, cpu, args[0], args[1]);
    case UV_SHARE_PAGE:
    case UV_UNSHARE_PAGE:
    case UV_UNSHARE_ALL_PAGES:
    case UV_SVM_TERMINATE:
        break;
    default:
        return H_FUNCTION;
    }

    /* This is U_INVALID, whose value is not published */
    if (!f->secure) {
        return H_PERMISSION;
    }

    switch (opcode) {
    case UV_SHARE_PAGE:
        if (dma_filter_share_fails(f)) {
            return H_PARAMETER;
        }
        /* fall through */
    case UV_UNSHARE_PAGE:
        return spapr_ultravisor_share(f, args[0], args[1],
                                      opcode == UV_SHARE_PAGE);
    case UV_UNSHARE_ALL_PAGES:
        return spapr_ultravisor_unshare_all(f);
    default:
        return spapr_ultravisor_terminate();
    }
}

target_ulong spapr_ultracall(SpaprUltravisor *uv, PowerPCCPU *cpu,
                             target_ulong opcode, target_ulong *args)
{
    target_ulong ret = spapr_ultravisor_call(DMA_FILTER(uv), cpu, opcode,
                                             args);

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
    DMAFilter *f = DMA_FILTER(uv);

    qatomic_set(&f->secure, false);
    dma_filter_reset(f);
    trace_spapr_ultravisor_secure(false);
}

void spapr_ultravisor_create(SpaprMachineState *spapr, Error **errp)
{
    MachineState *machine = MACHINE(spapr);
    SpaprUltravisor *uv;
    DMAFilter *f;

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
    f = DMA_FILTER(uv);
    f->size = ROUND_UP(machine->ram_size, SPAPR_DEVICE_MEM_ALIGN) +
              machine->maxram_size - machine->ram_size;
    f->page_bits = UV_PAGE_BITS;
    object_property_add_child(OBJECT(spapr), "ultravisor", OBJECT(uv));
    object_unref(OBJECT(uv));
    if (!qdev_realize(DEVICE(uv), NULL, errp)) {
        return;
    }
    spapr->ultravisor = uv;
    spapr->dma_as = &f->as;
}

static void spapr_ultravisor_get_tce_hcalls(Object *obj, Visitor *v,
                                            const char *name, void *opaque,
                                            Error **errp)
{
    uint64_t value = stat64_get(&SPAPR_ULTRAVISOR(obj)->tce_hcalls);

    visit_type_uint64(v, name, &value, errp);
}

static void spapr_ultravisor_class_init(ObjectClass *oc, const void *data)
{
    object_class_property_add(oc, "tce-hcalls", "uint64",
                              spapr_ultravisor_get_tce_hcalls, NULL, NULL,
                              NULL);
    object_class_property_set_description(oc, "tce-hcalls",
        "Number of hypercalls that wrote to TCE tables");
}

static const TypeInfo spapr_ultravisor_types[] = {
    {
        .name = TYPE_SPAPR_ULTRAVISOR,
        .parent = TYPE_DMA_FILTER,
        .instance_size = sizeof(SpaprUltravisor),
        .class_init = spapr_ultravisor_class_init,
    },
};

DEFINE_TYPES(spapr_ultravisor_types)
