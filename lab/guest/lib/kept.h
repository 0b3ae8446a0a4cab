/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel keeps for devices and drivers, which must not grow. */
#ifndef KEPT_H
#define KEPT_H

#include "text.h"

#define SLABS	512

struct slab {
	char name[40];
	long objects;
	long size;
};

struct kept {
	long unreclaimable;	/* KiB */
	long slots;		/* of the swiotlb pool, -1: it does not say */
	long mappings;		/* in the list of DMA_API_DEBUG, -1: there is none */
	unsigned int slabs;
	struct slab slab[SLABS];
};

void kept_look(struct kept *kept);
void kept_compare(const struct kept *before, const struct kept *after);
struct token pool_used(const char *pool);

#endif
