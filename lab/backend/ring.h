/* SPDX-License-Identifier: GPL-2.0-only */
/* Split rings, from the device's side. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>
#include "liar.h"
#include "memory.h"

struct chain;

/* The most that a device has, and that one of them may have. */
#define RINGS		2
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
	uint64_t start;		/* of all starts of rings, which one was its last */
	struct liar liar;
	struct {
		bool is;
		uint32_t id, len;
	} held;			/* a buffer that another one is to overtake */
};

extern struct ring rings[RINGS];

/* What was done, and where, for the report. */
struct work {
	uint64_t buffers, descriptors, bytes;
	struct span rings, data;
};

extern struct work work;

/* Whether any ring runs: the front end stops them one by one. */
bool rings_running(void);
/* Begin with a ring whose addresses are known; where it goes on is in its memory. */
void ring_start(struct ring *r, uint64_t start);
/* Do all that is available. */
void rings_serve(void);
/* Take the next buffer that is available, if there is one. */
bool ring_take(struct ring *r, struct chain *c);
/* Give it back, with what is said of it; false: the ring is not all there. */
bool ring_complete(struct ring *r, struct chain *c, uint32_t len);

/* Give back a buffer that no other one came to overtake. */
bool ring_let_go(struct ring *r);

/* For ring_complete(): an element of the used ring, by how far the index has come. */
bool ring_put_used(const struct ring *r, uint16_t i, uint32_t id, uint32_t len);
/* Have the used index be @next, which tells the driver unless it does not want to know. */
bool ring_publish(struct ring *r, uint16_t next);
void ring_interrupt(const struct ring *r);
/* How far the driver has come with making buffers available. */
bool ring_available(const struct ring *r, uint16_t *index);
/* Write rubbish to the descriptor that a buffer begins with. */
bool ring_spoil(const struct ring *r, uint16_t head, uint32_t with);

#endif
