/* SPDX-License-Identifier: GPL-2.0-only */
/* Run code that the device under test may block for good. */
#ifndef RUN_H
#define RUN_H

void bounded(void (*fn)(const char *arg), const char *arg);

#endif
