# SPDX-License-Identifier: GPL-2.0-only
"""Feature bits of virtio, and the modes that follow from them."""

BIT = {"INDIRECT_DESC": 28, "EVENT_IDX": 29, "VERSION_1": 32, "ACCESS_PLATFORM": 33,
       "RING_PACKED": 34, "ORDER_PLATFORM": 36, "PLATFORM_DMA": 44}
# What QEMU calls the same bits.
ALIAS = {"IOMMU_PLATFORM": "ACCESS_PLATFORM"}
# The modes in which the DMA API gives a device its addresses.
MAPPED = ("access_platform", "platform_dma", "arch")


def known(names):
    """Names of features as the specification has them."""
    return {ALIAS.get(name, name) for name in names}
