# SPDX-License-Identifier: GPL-2.0-only
"""The boot lab of virtio platform DMA."""
