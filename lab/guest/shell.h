/* SPDX-License-Identifier: GPL-2.0-only */
/* A prompt for whoever debugs a guest by hand. */
#ifndef SHELL_H
#define SHELL_H

void shell(void);

#endif
