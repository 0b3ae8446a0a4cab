// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switch a PCI slot off and on.
 *
 * This is what a hotplug driver of the kernel does, or a daemon on pseries. Done
 * here, it works with any kernel, and without the seconds that a person at the
 * attention button is granted to think again.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "patience.h"
#include "slot.h"
#include "sysfs.h"
#include "text.h"

#define DLPAR		"/sys/kernel/dlpar"
#define RTAS		"/proc/device-tree/rtas"
#define ISOLATION	9001

static int read_be32(const char *path, __u32 *value)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, value, sizeof(*value));
	close_quietly(fd);
	*value = be32toh(*value);

	return n == sizeof(*value) ? 0 : -1;
}

/* Connect a slot with the guest, or isolate it. */
static int connector(__u32 drc, __u32 state)
{
	/* A token, how many arguments and results there are, and these. */
	__u32 call[7] = { 0, htobe32(3), htobe32(1), htobe32(ISOLATION), htobe32(drc),
			  htobe32(state), 0 };
	__u32 token;

	if (read_be32(RTAS "/set-indicator", &token))
		return -1;
	call[0] = htobe32(token);
#ifdef __NR_rtas
	if (syscall(__NR_rtas, call))
		return -1;
#endif
	errno = EIO;

	return call[6] ? -1 : 0;
}

/* The kernel's device tree has what is in a slot. */
static int dlpar(const char *verb, __u32 drc)
{
	return write_text(DLPAR, token_fmt("dt %s index 0x%x", verb, drc).s);
}

static int get16(const struct slot *slot, int at)
{
	__u16 value;

	return pread(slot->config, &value, sizeof(value), at) == sizeof(value) ?
	       le16toh(value) : -1;
}

static int put16(const struct slot *slot, int at, __u16 value)
{
	value = htole16(value);

	return pwrite(slot->config, &value, sizeof(value), at) == sizeof(value) ? 0 : -1;
}

static int find_cap(const struct slot *slot, int id)
{
	int at = get16(slot, PCI_CAPABILITY_LIST) & 0xff, head;

	for (; at > 0; at = head >> 8) {
		head = get16(slot, at);
		if (head < 0)
			return -1;
		if ((head & 0xff) == id)
			return at;
	}
	errno = ENXIO;

	return -1;
}

/* Find out what @device is plugged into. */
int slot_find(const char *device, struct slot *slot)
{
	*slot = (struct slot){ 0 };
	if (!read_be32(token_fmt(PCI_DEVICES "/%s/of_node/ibm,my-drc-index", device).s, &slot->drc))
		return 0;

	slot->config = open(token_fmt(PCI_DEVICES "/%s/../config", device).s, O_RDWR | O_CLOEXEC);
	slot->cap = find_cap(slot, PCI_CAP_ID_EXP);

	return slot->cap > 0 ? 0 : -1;
}

/* Wait until the host wants to have the device; pseries tells it by an event to a daemon. */
int slot_wanted(const struct slot *slot)
{
	struct patience p = patience(STALL_MS / 2);

	while (!slot->drc && !(get16(slot, slot->cap + PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_ABP)) {
		if (!wait_ms(&p, 1)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}

	return slot->drc ? 0 : put16(slot, slot->cap + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_ABP);
}

static int power(const struct slot *slot, __u16 state)
{
	int was = get16(slot, slot->cap + PCI_EXP_SLTCTL);

	return was < 0 ? -1 : put16(slot, slot->cap + PCI_EXP_SLTCTL, state |
				    (was & ~(PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC)));
}

int slot_off(const struct slot *slot)
{
	if (!slot->drc)
		return power(slot, PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF);

	return dlpar("remove", slot->drc) || connector(slot->drc, 0);
}

int slot_on(const struct slot *slot)
{
	if (!slot->drc)
		return power(slot, PCI_EXP_SLTCTL_PWR_IND_ON);

	return connector(slot->drc, 1) || dlpar("add", slot->drc);
}
