// SPDX-License-Identifier: GPL-2.0-only
/* Random numbers that a seed gives, here and on the host. */
#include "draw.h"

/* Be the same on every C library, so that a seed means the same. Return less than @limit. */
unsigned int draw(unsigned long long *state, unsigned int limit)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;

	return (*state >> 33) % limit;
}
