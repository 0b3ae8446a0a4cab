# Base class for tests of virtio devices behind the SMMUv3 of the Arm virt
# machine
#
# Copyright (c) 2026 virtio platform DMA developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

import hashlib
import os

from qemu_test import LinuxKernelTest, exec_command_and_wait_for_pattern

RAM = range(0x40000000, 0x60000000)


class VirtioSMMUTest(LinuxKernelTest):
    """Boots Debian's installer to a shell, with devices 'net' and 'rng'."""

    def boot(self, kernel, initrd, net, rng, machine='', params=''):
        self.set_machine('virt')
        self.require_accelerator('tcg')
        self.require_netdev('user')

        # In packets of 512 bytes that is twice as many as a ring has elements
        self.data = os.urandom(0x100000)
        os.mkdir(self.scratch_file('tftp'))
        with open(self.scratch_file('tftp', 'data'), 'wb') as file:
            file.write(self.data)

        self.vm.add_args('-machine', f'iommu=smmuv3{machine}',
                         '-cpu', 'max,pauth-impdef=on',
                         '-m', '512M',
                         '-netdev',
                         f'user,id=user,tftp={self.scratch_file("tftp")}',
                         '-device', f'virtio-net-{net},netdev=user,id=net',
                         '-device', f'virtio-rng-{rng},id=rng',
                         '-append', f'{self.KERNEL_COMMON_COMMAND_LINE}'
                         f'console=ttyAMA0 rdinit=/bin/sh loglevel=1 {params}')
        self.launch_kernel(kernel.fetch(), initrd.fetch(), wait_for='~ #')
        self.shell('mount -t proc proc /proc')
        self.shell('mount -t sysfs sysfs /sys')
        self.shell('mount -t devtmpfs devtmpfs /dev')
        for module in 'virtio_mmio', 'virtio_net', 'virtio_rng':
            self.shell(f'modprobe {module}')

    def shell(self, command):
        """Run a command in the guest; it must succeed."""
        # The quotes tell the result from the echo of the command line
        exec_command_and_wait_for_pattern(
            self, f'{command} && echo "shell" "ok" || echo "shell" "failed"',
            'shell ok', 'shell failed')

    def query(self, command, device, **args):
        # On PCI, the virtio device is a child of the one that has the id
        path, = [found['path'] for found in self.vm.cmd('x-query-virtio')
                 if device in found['path'].split('/')]
        return self.vm.cmd(command, path=path, **args)

    def check_bit(self, device, bit, offered, accepted):
        """Is a feature bit offered, and has the driver accepted it?"""
        status = self.query('x-query-virtio-status', device)
        for who, expected in ('host', offered), ('guest', accepted):
            names = [text.partition(':')[0]
                     for text in status[f'{who}-features']['transports']]
            self.assertEqual(bit in names, expected,
                             f'{who}-features of {device}: {names}')

    def check_rings(self, device, translated):
        """Are the rings in RAM, or at addresses that have to be translated?"""
        status = self.query('x-query-virtio-queue-status', device, queue=0)
        for ring in 'vring-desc', 'vring-avail', 'vring-used':
            self.assertEqual(status[ring] not in RAM, translated,
                             f'{ring} of {device} is at {status[ring]:#x}')

    def check_net(self):
        digest = hashlib.sha256(self.data).hexdigest()
        self.shell('ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up')
        self.shell('tftp -g -r data 10.0.2.2')
        self.shell(f'[ "$(sha256sum < data)" = "{digest}  -" ]')

    def check_rng(self):
        self.shell('dd if=/dev/hwrng of=random bs=512 count=4 && '
                   '[ $(wc -c < random) = 2048 ]')

    def check_no_fault(self):
        """Is the SMMUv3 in use, and has it reported no fault?"""
        self.shell('dmesg | grep "arm-smmu-v3.* entries for evtq" && '
                   '! dmesg | grep "arm-smmu-v3.* event"')
