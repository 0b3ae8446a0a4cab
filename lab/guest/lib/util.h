/* SPDX-License-Identifier: GPL-2.0-only */
/* What every file may use. */
#ifndef UTIL_H
#define UTIL_H

#define MIB		(1024 * 1024)

#define __attr(...)	__attribute__((__VA_ARGS__))
#define __printf(a, b)	__attr(format(printf, a, b))

#endif
