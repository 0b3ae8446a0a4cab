/* SPDX-License-Identifier: GPL-2.0-only */
/* Switch a PCI slot off and on. */
#ifndef SLOT_H
#define SLOT_H

#include <linux/types.h>

struct slot {
	__u32 drc;	/* pseries: the number of its connector, else 0 */
	int config;	/* PCI Express: the configuration space of its port */
	int cap;	/* and where in that the port is controlled */
};

int slot_find(const char *device, struct slot *slot);
int slot_wanted(const struct slot *slot);
int slot_off(const struct slot *slot);
int slot_on(const struct slot *slot);

#endif
