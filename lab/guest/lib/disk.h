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
#define ESP_SERIAL	"esp"

/* How to read a disk: in which pieces, and how often one of them that fails. */
struct reading {
	size_t size;
	unsigned int tries;
	unsigned long failed;	/* what the disk would not read, each time */
};

/* As a step's argument says: in pieces of so many bytes, again and again; NULL: large ones, once. */
struct reading reading(const char *bytes);
struct token disk_serial(const char *disk);
int open_disk(const char *disk, int flags);
long long hash_open_disk(int fd, void *buf, struct reading *how, char hex[HASH_HEX]);
int hash_disk(const char *disk, struct reading how, char hex[HASH_HEX]);
off_t write_middle(int fd, __u64 *buf);
int rewrite_disk(const char *disk);
void each_disk(void (*fn)(const char *disk, void *buf), size_t size);

#endif
