/* SPDX-License-Identifier: GPL-2.0-only */
/* Have the kernel fail an allocation of this task. */
#ifndef INJECT_H
#define INJECT_H

#include <stdbool.h>

extern struct inject {
	unsigned long rounds;
	unsigned long hits;
} injected;

int inject_init(void);
void inject_arm(unsigned long n);
bool inject_disarm(void);

#endif
