/* SPDX-License-Identifier: GPL-2.0-only */
/* A split ring, from the device's side. Each access is one to the guest's memory. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

#define RING_SIZE	128

struct ring {
	uint64_t desc, avail, used;
	uint32_t num;
	bool ready;
	uint16_t next, used_idx;
};

struct piece {
	uint64_t addr;
	uint32_t len;
	bool write;
};

/* A buffer, as the driver has made it of pieces. */
struct chain {
	uint16_t head;
	unsigned int count;
	struct piece pieces[RING_SIZE];
};

/* The next buffer: 1, there is none: 0, or the memory is not ours to read: -1. */
int ring_get(struct ring *r, struct chain *c);

/* Give it back, with so many bytes written; false if we may not. */
bool ring_put(struct ring *r, const struct chain *c, uint32_t written);

#endif
