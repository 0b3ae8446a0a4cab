/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel command line has for the guest. */
#ifndef CMDLINE_H
#define CMDLINE_H

void read_cmdline(void);
const char *param(const char *name);

#endif
