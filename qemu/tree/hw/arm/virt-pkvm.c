/*
 * A protected KVM guest's hypervisor on the virt machine, for TCG
 *
 * Answers the hypercalls of a guest of pKVM and keeps emulated devices out of
 * the pages that it does not share. This is for testing guests. It protects
 * nothing: QEMU itself, its monitor and its debug interfaces see all memory.
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/arm/virt-pkvm.h"
#include "hw/misc/dma-filter.h"
#include "system/qtest.h"
#include "system/tcg.h"
#include "target/arm/cpu.h"
#include "trace.h"

#define TYPE_VIRT_PKVM "virt-pkvm"

/* Calls of the hypervisor, as KVM numbers them */
#define HYP_CALL_UID            0x8600ff01
#define HYP_FEATURES            0x86000000
#define HYP_MEMINFO             0xc6000002
#define HYP_MEM_SHARE           0xc6000003
#define HYP_MEM_UNSHARE         0xc6000004
#define HYP_MMIO_GUARD          0xc6000007

#define HYP_SUCCESS             0
#define HYP_INVALID_PARAMETER   (-3)

/* 28b46fb6-2ec5-11e9-a9ca-4b564d003a74, as four little-endian words */
static const uint64_t kvm_uid[] = {
    0xb66fb428, 0xe911c52e, 0x564bcaa9, 0x743a004d,
};

#define PKVM_PAGE_BITS          12
#define PKVM_PAGE_SIZE          (1ULL << PKVM_PAGE_BITS)

/* Each page is private or shared, and a call has to change that. */
static int64_t virt_pkvm_set_shared(DMAFilter *f, hwaddr addr, bool shared)
{
    if (addr < f->base || addr - f->base >= f->size ||
        !dma_filter_is_ram(addr, PKVM_PAGE_SIZE) ||
        dma_filter_is_shared(f, addr) == shared ||
        (shared && dma_filter_share_fails(f))) {
        return HYP_INVALID_PARAMETER;
    }
    dma_filter_set_shared(f, addr, PKVM_PAGE_SIZE, shared);
    return HYP_SUCCESS;
}

/* The calls that take a page, or nothing, and have one result */
static int64_t virt_pkvm_call(DMAFilter *f, const uint64_t args[4])
{
    if (args[2] || args[3] || args[1] % PKVM_PAGE_SIZE) {
        return HYP_INVALID_PARAMETER;
    }

    switch (args[0]) {
    case HYP_MEMINFO:
        return args[1] ? HYP_INVALID_PARAMETER : PKVM_PAGE_SIZE;
    case HYP_MMIO_GUARD:
        /* The guest may access what is emulated without asking, too */
        return dma_filter_is_ram(args[1], 1) ? HYP_INVALID_PARAMETER :
                                               HYP_SUCCESS;
    default:
        return virt_pkvm_set_shared(f, args[1], args[0] == HYP_MEM_SHARE);
    }
}

static bool virt_pkvm_hypercall(void *opaque, uint64_t args[4])
{
    uint64_t ret[4] = {};

    switch (args[0]) {
    case HYP_CALL_UID:
        memcpy(ret, kvm_uid, sizeof(ret));
        break;
    case HYP_FEATURES:
        ret[0] = 1 << (HYP_FEATURES & 0x1f) | 1 << (HYP_MEMINFO & 0x1f) |
                 1 << (HYP_MEM_SHARE & 0x1f) | 1 << (HYP_MEM_UNSHARE & 0x1f) |
                 1 << (HYP_MMIO_GUARD & 0x1f);
        break;
    case HYP_MEMINFO:
    case HYP_MEM_SHARE:
    case HYP_MEM_UNSHARE:
    case HYP_MMIO_GUARD:
        ret[0] = virt_pkvm_call(opaque, args);
        break;
    default:
        return false;
    }
    trace_virt_pkvm_call(args[0], args[1], ret[0]);
    memcpy(args, ret, sizeof(ret));
    return true;
}

void virt_pkvm_create(VirtMachineState *vms, Error **errp)
{
    MachineState *ms = MACHINE(vms);
    DMAFilter *f;

    if (!tcg_enabled() && !qtest_enabled()) {
        error_setg(errp, "x-pkvm needs TCG");
        return;
    }
    if (vms->secure || vms->virt) {
        error_setg(errp, "x-pkvm needs secure=off and virtualization=off");
        return;
    }

    f = DMA_FILTER(object_new(TYPE_VIRT_PKVM));
    f->base = vms->memmap[VIRT_MEM].base;
    f->size = ms->device_memory ? ms->device_memory->base +
                                  memory_region_size(&ms->device_memory->mr) -
                                  f->base : ms->ram_size;
    f->page_bits = PKVM_PAGE_BITS;
    f->secure = true;
    object_property_add_child(OBJECT(vms), "pkvm", OBJECT(f));
    object_unref(OBJECT(f));
    if (qdev_realize(DEVICE(f), NULL, errp)) {
        vms->pkvm = f;
    }
}

void virt_pkvm_add_cpu(VirtMachineState *vms, ARMCPU *cpu)
{
    cpu->hypercall = virt_pkvm_hypercall;
    cpu->hypercall_opaque = vms->pkvm;
}

static const TypeInfo virt_pkvm_types[] = {
    {
        .name = TYPE_VIRT_PKVM,
        .parent = TYPE_DMA_FILTER,
    },
};

DEFINE_TYPES(virt_pkvm_types)
