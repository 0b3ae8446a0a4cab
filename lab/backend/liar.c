// SPDX-License-Identifier: GPL-2.0-only
/* What the device says wrongly of a buffer: at random, but the same for a seed. */
#include "liar.h"

const char *const lie_names[LIES] = {
	[TRUTH] = "truth", [LONGER] = "longer", [HUGE] = "huge", [SHORTER] = "shorter",
	[EARLY] = "early", [LATE] = "late", [TWICE] = "twice", [SCRIBBLE] = "scribble",
	[NOTHING] = "nothing", [BEYOND] = "beyond", [OTHER] = "other", [JUMP] = "jump",
	[BACK] = "back", [NEVER] = "never",
};

static bool lies;
static uint64_t seed, number;
static unsigned int breaking;

/* splitmix64: from any number to one that looks random. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;

	return x ^ (x >> 31);
}

void liar_start(uint64_t first, unsigned int one_in)
{
	lies = true;
	seed = mix(first);
	breaking = one_in;
}

void liar_next_ring(void)
{
	seed = mix(seed);
	number = 0;
}

struct tale liar_tale(void)
{
	/* By the buffer's number, not by what went before: time changes nothing. */
	uint64_t x = mix(seed + number++);
	struct tale t = { TRUTH, (uint32_t)(x >> 32) };

	if (!lies)
		return t;
	if (breaking && !(x % breaking))
		t.lie = FIRST_BREAKING + (x >> 16) % (LIES - FIRST_BREAKING);
	else if (x >> 15 & 1)
		t.lie = LONGER + (x >> 16) % (FIRST_BREAKING - LONGER);
	/* One in 64 of them, or nothing else would be done. */
	if (t.lie == LATE && t.arg & 63)
		t.lie = TRUTH;

	return t;
}
