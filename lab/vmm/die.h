/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DIE_H
#define DIE_H

/* Say what failed, and why, and end the machine. */
void die(const char *what) __attribute__((noreturn));

#endif
