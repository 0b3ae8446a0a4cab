/* SPDX-License-Identifier: GPL-2.0-only */
/* The file that a device serves. */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stdint.h>

/* Map all of a file, which must not be empty; NULL: that cannot be. */
void *file_map(const char *path, bool writable, uint64_t *size);

#endif
