// SPDX-License-Identifier: GPL-2.0-only
/* What the device says wrongly of a buffer: at random, but the same for a seed. */
#include <string.h>
#include "liar.h"

const char *const lie_names[LIES] = {
	[TRUTH] = "truth", [LONGER] = "longer", [HUGE] = "huge", [SHORTER] = "shorter",
	[EARLY] = "early", [LATE] = "late", [TWICE] = "twice", [SCRIBBLE] = "scribble",
	[ORDER] = "order", [FIELD] = "field", [NOTHING] = "nothing", [BEYOND] = "beyond",
	[OTHER] = "other", [JUMP] = "jump", [BACK] = "back", [NEVER] = "never", [TABLE] = "table",
};

static bool lies;
static struct lying lying;

/* splitmix64: from any number to one that looks random. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;

	return x ^ (x >> 31);
}

void liar_start(struct lying how)
{
	lies = true;
	lying = how;
}

enum lie liar_known(const char *name)
{
	enum lie l;

	for (l = LIES - 1; l > TRUTH && strcmp(lie_names[l], name); l--)
		;

	return l;
}

struct liar liar_next(uint64_t start)
{
	return (struct liar){ .lies = lies && start <= lying.until, .seed = mix(lying.seed + start) };
}

static enum lie pick(uint64_t x)
{
	bool breaks = lying.breaking && !(x % lying.breaking);

	if (lying.only)
		return breaks || (!lying.breaking && x >> 15 & 1) ? lying.only : TRUTH;
	if (breaks)
		return FIRST_BREAKING + (x >> 16) % (FIRST_NAMED - FIRST_BREAKING);

	return x >> 15 & 1 ? LONGER + (x >> 16) % (FIRST_BREAKING - LONGER) : TRUTH;
}

struct tale liar_tale(struct liar *l)
{
	/* By the buffer's number, not by what went before: time changes nothing. */
	uint64_t x = mix(l->seed + l->number++);
	struct tale t = { l->lies ? pick(x) : TRUTH, (uint32_t)(x >> 32) };

	/* One in 64 of them, or nothing else would be done. */
	if (t.lie == LATE && t.arg & 63)
		t.lie = TRUTH;

	return t;
}
