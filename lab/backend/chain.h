/* SPDX-License-Identifier: GPL-2.0-only */
/* A buffer of a ring: what the device may read, and what it may write. */
#ifndef CHAIN_H
#define CHAIN_H

#include <stdbool.h>
#include <stdint.h>
#include "liar.h"

struct ring;

/* As many pieces as Linux hands out in a buffer, or more. */
#define PIECES	1024

struct part {
	unsigned int count;
	uint64_t size;
	struct {
		uint64_t addr;
		uint32_t len;
	} piece[PIECES];
};

struct chain {
	uint16_t head;
	struct tale tale;	/* what is said of it */
	struct part in, out;	/* from the guest, and to it */
};

/* Follow the descriptors of a buffer. */
void chain_walk(const struct ring *r, struct chain *c);
/* Copy from or to the guest, at a place of the part; return how much of it is there. */
uint32_t chain_get(const struct chain *c, uint64_t at, void *data, uint32_t len);
uint32_t chain_put(const struct chain *c, uint64_t at, const void *data, uint32_t len);

#endif
