// SPDX-License-Identifier: GPL-2.0-only
#include <linux/virtio_ring.h>
#include "memory.h"
#include "ring.h"

enum { INDEX = 2, RING = 4 };

int ring_get(struct ring *r, struct chain *c)
{
	struct vring_desc d = { 0 };
	uint16_t available, at;

	if (!memory_get(r->avail + INDEX, &available, sizeof(available)))
		return -1;
	if (available == r->next)
		return 0;
	if (!memory_get(r->avail + RING + 2 * (r->next % r->num), &at, sizeof(at)))
		return -1;

	r->next++;
	c->head = at;
	for (c->count = 0; c->count < RING_SIZE; at = d.next) {
		if (!memory_get(r->desc + (at % r->num) * sizeof(d), &d, sizeof(d)))
			return -1;
		c->pieces[c->count++] = (struct piece){
			d.addr, d.len, d.flags & VRING_DESC_F_WRITE
		};
		if (!(d.flags & VRING_DESC_F_NEXT))
			break;
	}

	return 1;
}

bool ring_put(struct ring *r, const struct chain *c, uint32_t written)
{
	struct vring_used_elem e = { .id = c->head, .len = written };
	uint16_t next = r->used_idx + 1;

	/* The one CPU of the guest waits for us, so it sees both or none. */
	if (!memory_put(r->used + RING + (r->used_idx % r->num) * sizeof(e), &e, sizeof(e)) ||
	    !memory_put(r->used + INDEX, &next, sizeof(next)))
		return false;
	r->used_idx = next;

	return true;
}
