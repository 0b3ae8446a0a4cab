// SPDX-License-Identifier: GPL-2.0-only
/* Data that the host can work out as well. */
#include <endian.h>
#include "pattern.h"

static unsigned long long splitmix64(unsigned long long *state)
{
	unsigned long long z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* What the host works out from the seed as well. Return the seed of what follows. */
unsigned long long fill_pattern(__u64 *buf, size_t size, unsigned long long seed)
{
	size_t i;

	for (i = 0; i < size / sizeof(*buf); i++)
		buf[i] = htole64(splitmix64(&seed));

	return seed;
}
