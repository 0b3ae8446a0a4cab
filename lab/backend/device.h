/* SPDX-License-Identifier: GPL-2.0-only */
/* What the back end can be: a table of what a type of device does of its own. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include "chain.h"
#include "ring.h"

struct device {
	const char *name;
	const char *source;	/* the file that it serves, of those that the lab gives a guest */
	unsigned int rings;
	unsigned int waiting;	/* in the first of them buffers wait until there is something for them */
	uint64_t features;	/* beside those of every device */
	unsigned int depth;	/* the most buffers that its driver has handed out; 0: as many as fit */
	int field;		/* bytes of its own in each buffer: the first, or (below 0) the last */
	bool (*open)(const char *source);
	/* Do what a buffer asks for; return how many bytes were written. */
	uint32_t (*serve)(struct ring *r, struct chain *c);
	/* The configuration space; NULL: it has none. */
	void (*config)(void *to, uint32_t size);
};

extern const struct device rng, blk, net;

/* The one that this process is. */
extern const struct device *device;

#endif
