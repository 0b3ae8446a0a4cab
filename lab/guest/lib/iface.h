/* SPDX-License-Identifier: GPL-2.0-only */
/* Bring up a network interface. */
#ifndef IFACE_H
#define IFACE_H

#include "text.h"

/* What QEMU's user network has there. */
#define HOST	"10.0.2.2"

int iface_up(struct token *name);
int loopback_up(void);

#endif
