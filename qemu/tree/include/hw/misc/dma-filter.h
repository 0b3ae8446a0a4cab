/*
 * Keep devices out of the memory that a guest does not share, for TCG
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_DMA_FILTER_H
#define HW_MISC_DMA_FILTER_H

#include "hw/qdev-core.h"
#include "qemu/stats64.h"
#include "system/dma.h"

/*
 * The parent of devices that play a hypervisor. Its properties tell which
 * memory the guest shares, and how many accesses were refused.
 */
#define TYPE_DMA_FILTER "dma-filter"
OBJECT_DECLARE_SIMPLE_TYPE(DMAFilter, DMA_FILTER)

struct DMAFilter {
    DeviceState parent_obj;

    /* Set before the device is realized */
    hwaddr base;
    hwaddr size;
    unsigned page_bits;

    bool secure; /* devices only access shared pages */
    AddressSpace as; /* for the DMA of devices */

    IOMMUMemoryRegion iommu;
    unsigned long *shared;
    uint64_t refuse_share;
    uint64_t nr_shares;
    bool warned;
    Stat64 refused;
};

/**
 * dma_filter_is_ram:
 *
 * Tell whether the addresses are all RAM of the guest.
 */
bool dma_filter_is_ram(hwaddr addr, hwaddr size);

/**
 * dma_filter_share_fails:
 * @f: the filter
 *
 * Tell whether a call of the guest that shares pages must be refused, because
 * x-refuse-share says so.
 */
bool dma_filter_share_fails(DMAFilter *f);

/**
 * dma_filter_is_shared:
 * @f: the filter
 * @addr: in its range
 *
 * Tell whether devices may access the page.
 */
bool dma_filter_is_shared(DMAFilter *f, hwaddr addr);

/**
 * dma_filter_set_shared:
 * @f: the filter
 * @addr: the first page; it and @size are inside the filter's range
 * @size: at least a page
 * @shared: whether devices may access the pages
 *
 * Share pages or take them back. The change holds for the next access.
 */
void dma_filter_set_shared(DMAFilter *f, hwaddr addr, hwaddr size, bool shared);

/**
 * dma_filter_set_secure:
 * @f: the filter
 *
 * Keep devices out of all pages but those that are shared, from now on.
 */
void dma_filter_set_secure(DMAFilter *f);

/**
 * dma_filter_next_shared:
 * @f: the filter
 * @addr: where to search from, then where the pages start
 * @size: the size of the pages
 *
 * Find the next range of shared pages. Return false if there is none.
 */
bool dma_filter_next_shared(DMAFilter *f, hwaddr *addr, hwaddr *size);

/**
 * dma_filter_reset:
 * @f: the filter
 *
 * Share no page. The caller has reset the devices, which may have waited for
 * their last requests.
 */
void dma_filter_reset(DMAFilter *f);

#endif /* HW_MISC_DMA_FILTER_H */
