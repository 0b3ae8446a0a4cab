/* SPDX-License-Identifier: GPL-2.0-only */
/* Data that the host can work out as well. */
#ifndef PATTERN_H
#define PATTERN_H

#include <linux/types.h>
#include <stddef.h>

unsigned long long fill_pattern(__u64 *buf, size_t size, unsigned long long seed);

#endif
