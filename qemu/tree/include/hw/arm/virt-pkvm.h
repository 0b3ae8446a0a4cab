/*
 * A protected KVM guest's hypervisor on the virt machine, for TCG
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ARM_VIRT_PKVM_H
#define HW_ARM_VIRT_PKVM_H

#include "hw/arm/virt.h"
#include "target/arm/cpu-qom.h"

/**
 * virt_pkvm_create:
 * @vms: the machine, whose memory map exists, but no CPU and no device
 * @errp: set if the machine cannot have protected guests
 *
 * Play the hypervisor of a protected guest. Devices then only reach the pages
 * that it shares.
 */
void virt_pkvm_create(VirtMachineState *vms, Error **errp);

/**
 * virt_pkvm_add_cpu:
 * @vms: the machine, which has such a hypervisor
 * @cpu: one of its CPUs, not realized yet
 *
 * Answer the hypercalls of the CPU.
 */
void virt_pkvm_add_cpu(VirtMachineState *vms, ARMCPU *cpu);

#endif /* HW_ARM_VIRT_PKVM_H */
