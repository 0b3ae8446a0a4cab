#!/usr/bin/env python3
#
# Functional test that boots Linux with virtio devices whose DMA goes through
# the SMMUv3, or does not, although nothing tells this driver so
#
# Copyright (c) 2026 virtio platform DMA developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

from qemu_test import Asset
from virtio_smmu import VirtioSMMUTest


class VirtioDMA(VirtioSMMUTest):

    ASSET_KERNEL = Asset(
        ('https://ftp.debian.org/debian/dists/trixie/main/installer-arm64/'
         '20250803/images/netboot/debian-installer/arm64/linux'),
        '93a6e4f9627d759375d28f863437a86a0659e125792a435f8e526dda006b7d5e')

    ASSET_INITRD = Asset(
        ('https://ftp.debian.org/debian/dists/trixie/main/installer-arm64/'
         '20250803/images/netboot/debian-installer/arm64/initrd.gz'),
        'f6c78af7078ca67638ef3a50c926cd3c1485673243f8b37952e6bd854d6ba007')

    def check_offer(self):
        """This driver does not know the offer, and must not be affected."""
        for device in 'net', 'rng':
            self.check_bit(device, 'VIRTIO_F_PLATFORM_DMA', offered=True,
                           accepted=False)
            self.check_rings(device, translated=False)
        self.check_bit('rng', 'VIRTIO_F_ORDER_PLATFORM', offered=True,
                       accepted=True)
        # The guest's view: VIRTIO_F_VERSION_1 is accepted, bit 44 is not
        self.shell('[ $(cat /sys/bus/virtio/devices/*/features | cut -c33,45 '
                   '| tr -d "\\n") = 1010 ]')
        self.check_net()
        self.check_rng()
        self.check_no_fault()

    def test_pci_offer(self):
        self.boot(self.ASSET_KERNEL, self.ASSET_INITRD,
                  net='pci,romfile=,x-platform-dma=on',
                  rng='pci,order_platform=on,x-platform-dma=on')
        self.check_offer()

    def test_mmio_offer(self):
        self.set_machine('virt')
        self.vm.add_args('-global', 'virtio-mmio.force-legacy=off')
        self.boot(self.ASSET_KERNEL, self.ASSET_INITRD,
                  net='device,x-platform-dma=on',
                  rng='device,order_platform=on,x-platform-dma=on',
                  machine=',virtio-mmio-iommu=2')
        self.check_offer()

    def boot_legacy(self, **args):
        """Both devices are behind the SMMUv3, but only one goes through it"""
        self.boot(self.ASSET_KERNEL, self.ASSET_INITRD, net='device',
                  rng='device,x-force-bus-dma=on',
                  machine=',virtio-mmio-iommu=2', **args)
        for device in 'net', 'rng':
            self.check_bit(device, 'VIRTIO_F_VERSION_1', offered=False,
                           accepted=False)
            self.check_rings(device, translated=False)
        self.check_net()

    def test_legacy_fault(self):
        """The driver of the RNG uses physical addresses, which get nowhere"""
        self.boot_legacy()
        self.shell('dd if=/dev/hwrng of=random bs=512 count=4 & '
                   'until [ -s random ] || '
                   'dmesg | grep -E "event(: F_TRANSLATION| 0x10)"; do '
                   'sleep 1; done')
        self.shell('sleep 2; [ ! -s random ]')

    def test_legacy_passthrough(self):
        """They are right if the SMMUv3 is told not to translate"""
        self.boot_legacy(params='iommu.passthrough=1')
        self.check_rng()
        self.check_no_fault()


if __name__ == '__main__':
    VirtioSMMUTest.main()
