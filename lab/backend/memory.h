/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's memory, as the front end shares it, and what of it is touched. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* As many as vhost-user hands over in one message. */
#define REGIONS	8

struct region {
	uint64_t guest;		/* guest-physical address */
	uint64_t size;
	uint64_t user;		/* where the front end has it */
	uint64_t offset;	/* in the file */
};

/* The lowest and the highest byte of what was accessed; first > last: nothing. */
struct span {
	uint64_t first, last;
};

#define NO_SPAN	((struct span){ UINT64_MAX, 0 })

/* Addresses that were not accessed, for they lie outside: how many, and some. */
#define NOTED	16

struct refusals {
	uint64_t count;
	unsigned int noted;
	uint64_t at[NOTED];
};

/* Nothing outside may be accessed: may be called again, for another range. */
bool memory_allow(uint64_t first, uint64_t last);

/* Map these; those that were there before go. The files are closed. */
bool memory_set(const struct region *regions, const int *fds, unsigned int count);

/* The guest-physical address of one of the front end; false if it is none. */
bool memory_guest(uint64_t user, uint64_t *guest);

/*
 * A piece of the guest's memory to access, by the address that the driver has
 * given, noted in @span; NULL, and noted in @refusals, if it is not all there or
 * not all allowed.
 */
void *memory_at(uint64_t addr, uint64_t len, bool write, struct span *span);

extern struct refusals refusals;

#endif
