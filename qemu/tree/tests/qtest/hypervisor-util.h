/*
 * Helpers for tests of machines that play the hypervisor of a guest
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_HYPERVISOR_UTIL_H
#define TESTS_HYPERVISOR_UTIL_H

#include "libqtest.h"
#include "libqos/virtio.h"

#define HYP_TIMEOUT_MS 10000

/* A machine with such a hypervisor: tests fill this in */
typedef struct Hypervisor {
    QTestState *qts;
    const char *path; /* of the object in QOM */
    uint64_t mailbox; /* where the firmware looks for calls */
} Hypervisor;

/* Write code to a temporary file, behind so many zero words. */
char *hyp_make_firmware(const uint32_t *code, size_t words, size_t offset,
                        bool big_endian);

/* Have the firmware make a call with these registers, and get its results. */
void hyp_call(Hypervisor *h, uint64_t kind, uint64_t regs[4]);

uint64_t hyp_get_count(Hypervisor *h, const char *name);
void hyp_assert_secure(Hypervisor *h, bool expected);

/* Expect one range of shared pages, or none. */
void hyp_assert_shared(Hypervisor *h, uint64_t base, uint64_t size);

/* Migration must be refused. */
void hyp_assert_unmigratable(Hypervisor *h);

/*
 * Make a virtio-rng fill a buffer in this memory, which its queue is in, too:
 * does it, or does it meet a private page?
 */
void hyp_drive_rng(Hypervisor *h, QVirtioDevice *vdev, uint64_t features,
                   uint64_t base, uint64_t size, bool works);

#endif
