/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a guest of the VMM has what; guest.dts says the same to the guest. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define GIC_DIST	0x08000000
#define GIC_REDIST	0x080a0000

/* As QEMU's virt machine has them, so that the guest names its devices alike. */
#define UART_BASE	0x09000000
#define UART_STEP	0x1000
#define UART_IRQ	1
#define VIRTIO_BASE	0x0a000000
#define VIRTIO_STEP	0x200
#define VIRTIO_IRQ	16

#define RAM_BASE	0x40000000
#define RAM_SIZE	0x10000000
#define DTB_AT		0x47e00000
#define INITRD_AT	0x48000000

#endif
