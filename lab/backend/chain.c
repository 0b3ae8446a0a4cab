// SPDX-License-Identifier: GPL-2.0-only
/* A buffer of a ring: what the device may read, and what it may write. */
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <string.h>
#include "chain.h"
#include "memory.h"
#include "ring.h"

#define PAGE	4096

static void add(struct part *p, uint64_t addr, uint32_t len)
{
	if (p->count == PIECES)
		return;
	p->piece[p->count].addr = addr;
	p->piece[p->count++].len = len;
	p->size += len;
}

static void walk(struct chain *c, uint64_t table, uint32_t num, uint16_t at, bool nested)
{
	struct span *where = nested ? &work.data : &work.rings;
	uint32_t steps;

	for (steps = 0; steps < num && at < num; steps++) {
		const volatile struct vring_desc *found =
			memory_at(table + at * sizeof(*found), sizeof(*found), false, where);
		struct vring_desc d;

		if (!found)
			return;
		d = *found;
		work.descriptors++;
		if (d.flags & VRING_DESC_F_INDIRECT) {
			if (!nested)
				walk(c, d.addr, d.len / sizeof(d), 0, true);
			return;
		}
		add(d.flags & VRING_DESC_F_WRITE ? &c->out : &c->in, d.addr, d.len);
		if (!(d.flags & VRING_DESC_F_NEXT))
			return;
		at = d.next;
	}
}

void chain_walk(const struct ring *r, struct chain *c)
{
	c->in.count = c->out.count = 0;
	c->in.size = c->out.size = 0;
	walk(c, r->desc, r->num, c->head, false);
}

/* Page by page, for each may lie somewhere. */
static uint32_t copy(const struct part *p, uint64_t at, char *data, uint32_t len, bool write)
{
	uint32_t done = 0, n;
	unsigned int i;
	void *found;

	for (i = 0; i < p->count && done < len; i++) {
		uint64_t addr = p->piece[i].addr + at;
		uint32_t left;

		if (at >= p->piece[i].len) {
			at -= p->piece[i].len;
			continue;
		}
		for (left = p->piece[i].len - at; left && done < len; left -= n, addr += n) {
			n = PAGE - addr % PAGE;
			if (n > left)
				n = left;
			if (n > len - done)
				n = len - done;
			found = memory_at(addr, n, write, &work.data);
			if (!found)
				return done;
			memcpy(write ? found : data + done, write ? data + done : found, n);
			work.bytes += n;
			done += n;
		}
		at = 0;
	}

	return done;
}

uint32_t chain_get(const struct chain *c, uint64_t at, void *data, uint32_t len)
{
	return copy(&c->in, at, data, len, false);
}

uint32_t chain_put(const struct chain *c, uint64_t at, const void *data, uint32_t len)
{
	return copy(&c->out, at, (char *)data, len, true);
}
