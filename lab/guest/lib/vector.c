// SPDX-License-Identifier: GPL-2.0-only
/* The memory of a request, in many pieces that begin anywhere. */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include "draw.h"
#include "vector.h"

/* Each piece has a slot of its own, with room around it that nobody may touch. */
#define SLOT		(LONGEST * SECTOR + 8192)
#define UNTOUCHED	0xa5

int vector_init(struct vector *v, size_t align)
{
	v->align = align;
	v->arena = mmap(NULL, PIECES * SLOT, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return v->arena == MAP_FAILED ? -1 : 0;
}

/* Cut at most @most sectors into pieces, and find a place for each. */
void vector_draw(struct vector *v, unsigned long long *state, unsigned int most)
{
	unsigned int i, pieces = 1 + draw(state, PIECES);
	size_t size;

	v->count = 0;
	v->bytes = 0;
	for (i = 0; i < pieces && most; i++) {
		unsigned int sectors = 1 + draw(state, LONGEST);

		if (sectors > most)
			sectors = most;
		most -= sectors;
		size = sectors * SECTOR;
		v->iov[i].iov_base = v->arena + i * SLOT +
			draw(state, (SLOT - size) / v->align) * v->align;
		v->iov[i].iov_len = size;
		v->bytes += size;
		v->count++;
	}
}

/* Fill the pieces with @data, or with nothing that a disk has; and what is around them. */
void vector_fill(struct vector *v, const char *data)
{
	unsigned int i;

	memset(v->arena, UNTOUCHED, v->count * SLOT);
	for (i = 0; data && i < v->count; i++) {
		memcpy(v->iov[i].iov_base, data, v->iov[i].iov_len);
		data += v->iov[i].iov_len;
	}
}

static int touched(const char *from, const char *to)
{
	return from < to && (*from != (char)UNTOUCHED || memcmp(from, from + 1, to - from - 1));
}

/* Return 1 if the pieces do not have @data, 2 if something is different around them. */
int vector_differs(const struct vector *v, const char *data)
{
	unsigned int i;

	for (i = 0; i < v->count; i++) {
		const char *slot = v->arena + i * SLOT, *piece = v->iov[i].iov_base;
		size_t len = v->iov[i].iov_len;

		if (memcmp(piece, data, len))
			return 1;
		if (touched(slot, piece) || touched(piece + len, slot + SLOT))
			return 2;
		data += len;
	}

	return 0;
}
