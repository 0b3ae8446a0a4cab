/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices behind the transport. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include "ring.h"

struct device {
	const char *name;
	uint32_t id;
	uint64_t features;
	const void *config;
	uint32_t config_size;
	/* Do what a buffer asks for; the bytes that were written, or -1 if they may not be. */
	int64_t (*serve)(const struct chain *c);
};

extern struct device blk, rng;

/* Open what is behind them. */
void blk_init(const char *path);
void rng_init(const char *path);
void blk_end(void);

#endif
