/*
 * Minimal ultravisor of the pseries machine, for TCG
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_SPAPR_ULTRAVISOR_H
#define HW_SPAPR_ULTRAVISOR_H

#include "hw/ppc/spapr.h"

#define TYPE_SPAPR_ULTRAVISOR "spapr-ultravisor"
OBJECT_DECLARE_SIMPLE_TYPE(SpaprUltravisor, SPAPR_ULTRAVISOR)

/**
 * spapr_ultravisor_create:
 * @spapr: the machine, whose CPUs and devices do not exist yet
 * @errp: set if the machine cannot have an ultravisor
 *
 * Add an ultravisor to the machine. DMA at guest physical addresses then only
 * reaches the shared pages of a secure guest.
 */
void spapr_ultravisor_create(SpaprMachineState *spapr, Error **errp);

/**
 * spapr_ultravisor_reset:
 * @uv: the ultravisor
 *
 * Leave secure state and forget which pages are shared.
 */
void spapr_ultravisor_reset(SpaprUltravisor *uv);

/**
 * spapr_ultracall:
 * @uv: the ultravisor
 * @cpu: the CPU that executed "sc 2"
 * @opcode: its GPR 3
 * @args: its GPR 4 and the following ones
 *
 * Return what the ultracall leaves in GPR 3.
 */
target_ulong spapr_ultracall(SpaprUltravisor *uv, PowerPCCPU *cpu,
                             target_ulong opcode, target_ulong *args);

/**
 * spapr_ultravisor_count_hcall:
 * @uv: the ultravisor
 * @opcode: of the hypercall that the guest makes
 *
 * Count the hypercalls that the tce-hcalls property tells of.
 */
void spapr_ultravisor_count_hcall(SpaprUltravisor *uv, target_ulong opcode);

#endif /* HW_SPAPR_ULTRAVISOR_H */
