/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the 9p share of the host is. */
#ifndef SHARE_H
#define SHARE_H

#define SHARE	"/share"

int share_mount(unsigned long flags);

#endif
