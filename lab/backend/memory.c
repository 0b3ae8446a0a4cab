// SPDX-License-Identifier: GPL-2.0-only
/* The guest's memory, as the front end shares it, and what of it is touched. */
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>
#include "iotlb.h"
#include "memory.h"
#include "ring.h"

struct refusals refusals;

static struct mapped {
	struct region region;
	uint8_t *start;		/* of the file */
} mapped[REGIONS];
static unsigned int mapped_count;

static struct span allowed[REGIONS];
static unsigned int allowed_count;

bool memory_allow(uint64_t first, uint64_t last)
{
	if (allowed_count == REGIONS || first > last)
		return false;
	allowed[allowed_count++] = (struct span){ first, last };

	return true;
}

static void unmap_all(void)
{
	while (mapped_count) {
		struct mapped *m = &mapped[--mapped_count];

		munmap(m->start, m->region.offset + m->region.size);
	}
}

bool memory_set(const struct region *regions, const int *fds, unsigned int count)
{
	bool good = true;
	unsigned int i;

	unmap_all();
	for (i = 0; i < count; i++) {
		const struct region *r = &regions[i];
		uint64_t size;
		void *start;

		if (__builtin_add_overflow(r->offset, r->size, &size) || !r->size ||
		    r->guest + r->size < r->guest || r->user + r->size < r->user) {
			good = false;
			close(fds[i]);
			continue;
		}
		/* A region may begin anywhere in its file: map the file from its start. */
		start = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_NORESERVE, fds[i], 0);
		close(fds[i]);
		if (start == MAP_FAILED)
			good = false;
		else
			mapped[mapped_count++] = (struct mapped){ *r, start };
	}

	return good;
}

bool memory_guest(uint64_t user, uint64_t *guest)
{
	unsigned int i;

	for (i = 0; i < mapped_count; i++) {
		const struct region *r = &mapped[i].region;

		if (user >= r->user && user - r->user < r->size) {
			*guest = r->guest + (user - r->user);
			return true;
		}
	}

	return false;
}

static bool may(uint64_t first, uint64_t last)
{
	unsigned int i;

	for (i = 0; i < allowed_count; i++)
		if (first >= allowed[i].first && last <= allowed[i].last)
			return true;

	return !allowed_count;
}

/* Count it, and note the address once. */
static void refuse(uint64_t guest)
{
	unsigned int i;

	refusals.count++;
	for (i = 0; i < refusals.noted; i++)
		if (refusals.at[i] == guest)
			return;
	if (i < NOTED)
		refusals.at[refusals.noted++] = guest;
}

/* Where this process has it. */
static void *find(uint64_t guest, uint64_t len)
{
	uint64_t last = guest + len - 1;
	unsigned int i;

	for (i = 0; len && last >= guest && i < mapped_count; i++) {
		const struct region *r = &mapped[i].region;

		if (guest >= r->guest && last - r->guest < r->size)
			return may(guest, last) ?
				mapped[i].start + r->offset + (guest - r->guest) : NULL;
	}

	return NULL;
}

void *memory_at(uint64_t addr, uint64_t len, bool write, struct span *span)
{
	uint64_t guest = addr;
	void *found = NULL;

	if (!iotlb_used() || iotlb_translate(addr, len, write, &guest))
		found = find(guest, len);
	if (!found) {
		if (rings_running())
			refuse(addr);
		return NULL;
	}
	if (addr < span->first)
		span->first = addr;
	if (addr + len - 1 > span->last)
		span->last = addr + len - 1;

	return found;
}
