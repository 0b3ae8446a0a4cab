/* SPDX-License-Identifier: GPL-2.0-only */
/* What the device says wrongly of a buffer: at random, but the same for a seed. */
#ifndef LIAR_H
#define LIAR_H

#include <stdbool.h>
#include <stdint.h>

enum lie {
	TRUTH,
	/* What a ring survives. */
	LONGER,		/* more bytes than there is room for */
	HUGE,		/* all that 32 bits can say */
	SHORTER,	/* fewer than were written */
	EARLY,		/* an interrupt before there is anything */
	LATE,		/* completed some time later */
	TWICE,		/* a second interrupt */
	SCRIBBLE,	/* rubbish where the ring is not used yet */
	ORDER,		/* completed after the one that comes next */
	FIELD,		/* rubbish in what the device adds: a disk's status, a packet's header */
	/* What breaks it, or its driver does not ask again after. */
	NOTHING,	/* no bytes at all */
	BEYOND,		/* an id beyond the ring */
	OTHER,		/* the id of a buffer that it was not given */
	JUMP,		/* a used index that is too far */
	BACK,		/* a used index that goes back */
	NEVER,		/* never completed */
	/* Told by its name only. */
	TABLE,		/* rubbish in the buffer's descriptor, which is the driver's to write */
	LIES
};

#define FIRST_BREAKING	NOTHING
#define FIRST_NAMED	TABLE

struct tale {
	enum lie lie;
	uint32_t arg;	/* of what any 32 bits do */
};

/* What is said of the buffers of one ring. */
struct liar {
	bool lies;
	uint64_t seed, number;
};

extern const char *const lie_names[LIES];

/* How to lie: by a seed, and of those lies that break a ring one in so many buffers; 0: none. */
struct lying {
	uint64_t seed;
	unsigned int breaking;
	uint64_t until;		/* the last start of a ring that lies */
	enum lie only;		/* this lie and no other; TRUTH: any */
	uint64_t plugs;		/* of the device lies what it is, not what it does, so often */
};

/* Lie from now on. */
void liar_start(struct lying how);
/* The lie of that name; TRUTH: there is none. */
enum lie liar_known(const char *name);
/* For the n-th start of a ring: it has its own lies, which the seed determines as well. */
struct liar liar_next(uint64_t start);
/* For the n-th time that the device is plugged in, but the first: rubbish for its configuration, and bits. */
void liar_config(uint64_t plug, uint8_t *space, uint32_t size);
uint64_t liar_features(uint64_t plug);
/* What to say of the next buffer. */
struct tale liar_tale(struct liar *l);

#endif
