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
	return (struct liar){
		.lies = lies && !lying.plugs && start <= lying.until,
		.seed = mix(lying.seed + start),
	};
}

/* Numbers that drivers are likely to trip over, and any others. */
static uint64_t odd(uint64_t x)
{
	switch (x & 3) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return 1ULL << (x >> 2 & 31);
	default:
		return x >> 2;
	}
}

void liar_config(uint64_t plug, uint8_t *space, uint32_t size)
{
	uint64_t x = mix(lying.seed ^ plug), value;
	unsigned int i, at, len;

	if (plug < 2 || plug > lying.plugs)
		return;
	for (i = 0; i < 3; i++, x = mix(x)) {
		value = odd(mix(~x));
		at = x % size & ~3u;
		len = 1 << (x >> 32 & 3);
		memcpy(space + at, &value, len < size - at ? len : size - at);
	}
}

uint64_t liar_features(uint64_t plug)
{
	/* Those of a type of device that all specifications have had. */
	return plug < 2 || plug > lying.plugs ? 0 : mix(~lying.seed ^ plug) & 0xffffff;
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
