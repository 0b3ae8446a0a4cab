/* SPDX-License-Identifier: GPL-2.0-only */
/* The GPU, and buffers of it that the CPU draws to. */
#ifndef CARD_H
#define CARD_H

#include <drm.h>

int card_open(void);
void *card_buffer(int fd, struct drm_mode_create_dumb *dumb);

#endif
