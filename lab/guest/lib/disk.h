/* SPDX-License-Identifier: GPL-2.0-only */
/* Read and write disks past the page cache. */
#ifndef DISK_H
#define DISK_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>
#include "hash.h"
#include "text.h"
#include "util.h"

#define WRITE_BYTES	(4 * MIB)
#define REQUEST_BYTES	(256 * 1024)
#define SWAP_SERIAL	"swap"

struct token disk_serial(const char *disk);
int open_disk(const char *disk, int flags);
long long hash_open_disk(int fd, void *buf, char hex[HASH_HEX]);
int hash_disk(const char *disk, char hex[HASH_HEX]);
off_t write_middle(int fd, __u64 *buf);
int rewrite_disk(const char *disk);
void each_disk(void (*fn)(const char *disk, void *buf), size_t size);

#endif
