// SPDX-License-Identifier: GPL-2.0-only
/* A source of random numbers that the host knows: those of a file, over and over. */
#include "device.h"
#include "file.h"

static const char *source;
static uint64_t size, at;

static bool rng_open(const char *path)
{
	source = file_map(path, false, &size);

	return source;
}

static uint32_t rng_serve(struct ring *r, struct chain *c)
{
	uint32_t done = 0, piece, n;

	(void)r;
	while (done < c->out.size) {
		piece = c->out.size - done < size - at ? c->out.size - done : size - at;
		n = chain_put(c, done, source + at, piece);
		at = (at + n) % size;
		done += n;
		if (n < piece)
			break;
	}

	return done;
}

const struct device rng = {
	.name = "rng", .source = "entropy.img", .rings = 1, .depth = 1,
	.open = rng_open, .serve = rng_serve,
};
