/* SPDX-License-Identifier: GPL-2.0-only */
/* Let the kernel compute SHA-256. */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>

#define HASH_HEX	65

int hash_open(void);
int hash_add(int fd, const void *data, size_t len);
int hash_close(int fd, char hex[HASH_HEX]);
void to_hex(char *hex, const void *data, size_t len);

#endif
