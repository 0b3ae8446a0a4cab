// SPDX-License-Identifier: GPL-2.0-only
/* Split rings, from the device's side. */
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <unistd.h>
#include "device.h"
#include "ring.h"

struct ring rings[RINGS] = { { .kick = -1, .call = -1 }, { .kick = -1, .call = -1 } };
struct work work = { .rings = NO_SPAN, .data = NO_SPAN };

/*
 * Where the parts of the ring are, as the driver has given it. Behind each ring is
 * an event index. Each access is looked up: pages that adjoin for the driver may lie
 * apart, and a translation may be of one page only.
 */
enum { FLAGS = 0, INDEX = 2, RING = 4 };

static uint64_t avail_at(const struct ring *r, uint16_t i)
{
	return r->avail + RING + 2 * (i % r->num);
}

static uint64_t used_at(const struct ring *r, uint16_t i)
{
	return r->used + RING + 8 * (i % r->num);
}

static uint64_t used_event(const struct ring *r)
{
	return r->avail + RING + 2 * r->num;
}

static uint64_t avail_event(const struct ring *r)
{
	return r->used + RING + 8 * r->num;
}

static bool get16(uint64_t addr, uint16_t *value)
{
	const uint16_t *at = memory_at(addr, sizeof(*at), false, &work.rings);

	if (at)
		*value = __atomic_load_n(at, __ATOMIC_ACQUIRE);

	return at;
}

static bool put16(uint64_t addr, uint16_t value)
{
	uint16_t *at = memory_at(addr, sizeof(*at), true, &work.rings);

	if (at)
		__atomic_store_n(at, value, __ATOMIC_RELEASE);

	return at;
}

static bool put32(uint64_t addr, uint32_t value)
{
	uint32_t *at = memory_at(addr, sizeof(*at), true, &work.rings);

	if (at)
		__atomic_store_n(at, value, __ATOMIC_RELAXED);

	return at;
}

/* An element may lie across two pages. */
bool ring_put_used(const struct ring *r, uint16_t i, uint32_t id, uint32_t len)
{
	return put32(used_at(r, i), id) && put32(used_at(r, i) + 4, len);
}

bool ring_available(const struct ring *r, uint16_t *index)
{
	return get16(r->avail + INDEX, index);
}

bool ring_spoil(const struct ring *r, uint16_t head, uint32_t with)
{
	const uint64_t words = sizeof(struct vring_desc) / sizeof(with);
	uint64_t at = r->desc + head * sizeof(struct vring_desc), i;

	for (i = 0; i < words; i++)
		if (!put32(at + i * sizeof(with), with ^ i))
			return false;

	return true;
}

void ring_interrupt(const struct ring *r)
{
	uint64_t one = 1;

	if (r->call >= 0 && write(r->call, &one, sizeof(one)) < 0)
		return;		/* it counts to 2^64: cannot be */
}

bool ring_publish(struct ring *r, uint16_t next)
{
	uint16_t old = r->used_idx, said;

	if (!put16(r->used + INDEX, next))
		return false;
	r->used_idx = next;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (get16(r->event_idx ? used_event(r) : r->avail + FLAGS, &said) &&
	    (r->event_idx ? vring_need_event(said, next, old) : !(said & VRING_AVAIL_F_NO_INTERRUPT)))
		ring_interrupt(r);

	return true;
}

/* Ask for a kick at the next buffer; return whether there is one already. */
static bool ask_for_kick(const struct ring *r)
{
	uint16_t available;

	if (!r->event_idx || !put16(avail_event(r), r->next))
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);

	return ring_available(r, &available) && available != r->next;
}

bool rings_running(void)
{
	unsigned int i;

	for (i = 0; i < RINGS; i++)
		if (rings[i].running)
			return true;

	return false;
}

void ring_start(struct ring *r, uint64_t start)
{
	r->running = true;
	r->fresh = true;
	r->held.is = false;
	r->start = start;
	r->liar = liar_next(start);
}

bool ring_take(struct ring *r, struct chain *c)
{
	uint16_t available;

	/* A translation that is waited for may stop it. */
	if (!r->running || !r->enabled)
		return false;
	if (r->fresh) {
		/* It will be written, so ask for that at once. */
		const uint16_t *index = memory_at(r->used + INDEX, sizeof(*index), true,
						  &work.rings);

		if (!index)
			return false;
		r->used_idx = *index;
		r->fresh = false;
	}
	if (!ring_available(r, &available) || (r->next == available && !ask_for_kick(r)) ||
	    !get16(avail_at(r, r->next), &c->head))
		return false;
	r->next++;
	c->tale = liar_tale(&r->liar);
	chain_walk(r, c);

	return true;
}

void rings_serve(void)
{
	static struct chain c;
	unsigned int i;
	uint32_t len;

	for (i = device->waiting; i < device->rings; i++) {
		while (ring_take(&rings[i], &c)) {
			len = device->serve(&rings[i], &c);
			if (!rings[i].running || !ring_complete(&rings[i], &c, len))
				break;
		}
	}
	/* Nothing is there that could overtake them. */
	for (i = 0; i < device->rings; i++)
		ring_let_go(&rings[i]);
}
