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
	/* What breaks it, or its driver does not ask again after. */
	NOTHING,	/* no bytes at all */
	BEYOND,		/* an id beyond the ring */
	OTHER,		/* the id of a buffer that it was not given */
	JUMP,		/* a used index that is too far */
	BACK,		/* a used index that goes back */
	NEVER,		/* never completed */
	LIES
};

#define FIRST_BREAKING	NOTHING

struct tale {
	enum lie lie;
	uint32_t arg;	/* of what any 32 bits do */
};

extern const char *const lie_names[LIES];

/* Lie from now on, by this seed; of those lies that break a ring one in @breaking buffers. */
void liar_start(uint64_t seed, unsigned int breaking);
/* The next ring: it has its own lies, which the seed determines as well. */
void liar_next_ring(void);
/* What to say of the next buffer. */
struct tale liar_tale(void);

#endif
