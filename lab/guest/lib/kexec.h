/* SPDX-License-Identifier: GPL-2.0-only */
/* Load the kernel that the host shares, to start it from this one. */
#ifndef KEXEC_H
#define KEXEC_H

int kexec_load_shared(unsigned long flags, const char *extra);

#endif
