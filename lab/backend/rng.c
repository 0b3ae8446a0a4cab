// SPDX-License-Identifier: GPL-2.0-only
/* A source of random numbers that the host knows: those of a file, over and over. */
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "device.h"

static const char *source;
static uint64_t size, at;

static bool rng_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		return false;
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	source = map;
	size = st.st_size;

	return map != MAP_FAILED;
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
