/* SPDX-License-Identifier: GPL-2.0-only */
/* The small files and links of sysfs. */
#ifndef SYSFS_H
#define SYSFS_H

#include <stddef.h>
#include "text.h"

#define VIRTIO_DEVICES	"/sys/bus/virtio/devices"
#define VIRTIO_DRIVERS	"/sys/bus/virtio/drivers"
#define PCI_DEVICES	"/sys/bus/pci/devices"

int read_text(const char *path, char *buf, size_t size);
int write_text(const char *path, const char *text);
void close_quietly(int fd);
int get_token(const char *path, struct token *t);
__printf(1, 2) struct token read_token(const char *fmt, ...);
__printf(1, 2) struct token link_name(const char *fmt, ...);
int for_each(const char *dir, const char *prefix,
	     void (*fn)(const char *name, void *arg), void *arg);
__printf(2, 3) struct token entry_name(const char *prefix, const char *fmt, ...);

#endif
