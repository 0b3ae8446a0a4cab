/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel says of the virtio devices and of their memory. */
#ifndef DEVICE_H
#define DEVICE_H

#include "text.h"

struct token mode_token(const char *name);
struct token feature_bits(const char *name);
struct token parent(const char *name);
struct token device_of(const char *kind);
void no_mappings(const char *device);
void show_devices(void);

#endif
