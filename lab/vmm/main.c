// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of a host that has one guest: a VMM which, as any does, reads the guest's
 * memory through a mapping of its own. Where the hypervisor keeps it out of a page,
 * it counts that, and the device stops. Any other VMM would be killed.
 *
 * What includes what goes one way: this and view.h at the top; transport.h; the devices;
 * ring.h; memory.h; kvm.h and layout.h below all.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>
#include "die.h"
#include "kvm.h"
#include "layout.h"
#include "memory.h"
#include "transport.h"
#include "uart.h"
#include "view.h"

/* The kernel's header may not have it, or not have it for programs. */
#define ACCESS_PLATFORM	33

static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
}

void die(const char *what)
{
	printf("vmm: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	power_off();
	_exit(1);
}

static uint64_t on_access(uint64_t addr, unsigned int len, bool write, uint64_t value)
{
	uint64_t at = addr - UART_BASE;

	if (at < UARTS * UART_STEP)
		return uart_access(at / UART_STEP, at % UART_STEP, write, value);
	at = addr - VIRTIO_BASE;
	if (at < TRANSPORTS * VIRTIO_STEP)
		return transport_access(at / VIRTIO_STEP, at % VIRTIO_STEP, len, write, value);
	errno = ENODEV;
	die("access to nothing");
}

int main(int argc, char **argv)
{
	bool protected = false, legacy = false;
	uint64_t features = 1ull << VIRTIO_F_VERSION_1;
	int i;

	/* Spare a machine on which someone starts this by mistake. */
	if (getpid() != 1)
		return 1;
	for (i = 1; i < argc; i++) {
		protected |= !strcmp(argv[i], "protected");
		legacy |= !strcmp(argv[i], "legacy");
		if (!strcmp(argv[i], "access-platform"))
			features |= 1ull << ACCESS_PLATFORM;
	}
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) && errno != EBUSY)
		die("/dev");

	memory_init();
	memory_load("/Image", RAM_BASE);
	memory_load("/dtb", DTB_AT);
	memory_load("/initrd", INITRD_AT);
	uart_init("/dev/ttyS0");
	blk_init("/dev/vda");
	rng_init("/dev/hwrng");
	transport_init(legacy, legacy ? 0 : features);
	kvm_init(protected);
	kvm_run(on_access, uart_wake);
	view_say();
	blk_end();
	power_off();
	return 0;
}
