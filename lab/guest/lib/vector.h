/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a request, in many pieces that begin anywhere. */
#ifndef VECTOR_H
#define VECTOR_H

#include <stddef.h>
#include <sys/uio.h>

#define SECTOR		512
#define PIECES		16
/* The most sectors that a piece may have. */
#define LONGEST		64

struct vector {
	struct iovec iov[PIECES];
	unsigned int count;
	size_t bytes;
	size_t align;	/* what the disk wants of the address of a piece */
	char *arena;
};

int vector_init(struct vector *v, size_t align);
void vector_draw(struct vector *v, unsigned long long *state, unsigned int most);
void vector_fill(struct vector *v, const char *data);
int vector_differs(const struct vector *v, const char *data);

#endif
