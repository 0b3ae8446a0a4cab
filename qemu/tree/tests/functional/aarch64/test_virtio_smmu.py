#!/usr/bin/env python3
#
# Functional test that boots Linux with virtio devices whose DMA the SMMUv3
# translates
#
# Copyright (c) 2026 virtio platform DMA developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

from qemu_test import Asset
from virtio_smmu import VirtioSMMUTest


class VirtioSMMU(VirtioSMMUTest):

    ASSET_KERNEL = Asset(
        ('https://ftp.debian.org/debian/dists/trixie/main/installer-arm64/'
         '20250803/images/netboot/debian-installer/arm64/linux'),
        '93a6e4f9627d759375d28f863437a86a0659e125792a435f8e526dda006b7d5e')

    ASSET_INITRD = Asset(
        ('https://ftp.debian.org/debian/dists/trixie/main/installer-arm64/'
         '20250803/images/netboot/debian-installer/arm64/initrd.gz'),
        'f6c78af7078ca67638ef3a50c926cd3c1485673243f8b37952e6bd854d6ba007')

    def test_large_queue(self):
        """Elements of a used ring of 8 KiB straddle pages"""
        options = 'pci,disable-legacy=on,iommu_platform=on'
        self.boot(self.ASSET_KERNEL, self.ASSET_INITRD,
                  net=f'{options},romfile=,rx_queue_size=1024', rng=options)
        for device in 'net', 'rng':
            self.check_bit(device, 'VIRTIO_F_IOMMU_PLATFORM', offered=True,
                           accepted=True)
            self.check_rings(device, translated=True)
        self.check_net()
        self.check_rng()
        self.check_no_fault()


if __name__ == '__main__':
    VirtioSMMUTest.main()
