/* SPDX-License-Identifier: GPL-2.0-only */
/* A split ring, from the device's side. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>
#include "memory.h"

/* The most that a ring may have. */
#define RING_MAX	32768

struct ring {
	uint32_t num;
	uint64_t desc, avail, used;	/* as the driver has given them */
	uint16_t next;		/* what is looked at next of the available ring */
	uint16_t used_idx;
	int kick, call;		/* eventfds; -1: none */
	bool running, enabled;
	bool fresh;		/* where it goes on is not read yet */
	bool event_idx;
};

/* What was done, and where, for the report. */
struct work {
	uint64_t buffers, descriptors, bytes;
	struct span rings, data;
};

extern struct work work;

/* Begin with a ring whose addresses are known; where it goes on is in its memory. */
void ring_start(struct ring *r);
/* Do all that is available. */
void ring_serve(struct ring *r);

#endif
