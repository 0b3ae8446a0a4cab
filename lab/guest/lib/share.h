/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's share: where it is, and what it holds. */
#ifndef SHARE_H
#define SHARE_H

#include "hash.h"
#include "util.h"

#define SHARE		"/share"
#define SHARE_BYTES	MIB

int share_mount(unsigned long flags);
int share_read(void *buf, char hex[HASH_HEX]);

#endif
