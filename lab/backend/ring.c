// SPDX-License-Identifier: GPL-2.0-only
/* A split ring, from the device's side. */
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>
#include "device.h"
#include "liar.h"
#include "report.h"
#include "ring.h"

#define PAGE	4096

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
static bool put_used(const struct ring *r, uint16_t i, uint32_t id, uint32_t len)
{
	return put32(used_at(r, i), id) && put32(used_at(r, i) + 4, len);
}

static void interrupt(const struct ring *r)
{
	uint64_t one = 1;

	if (r->call >= 0 && write(r->call, &one, sizeof(one)) < 0)
		return;		/* it counts to 2^64: cannot be */
}

/* Tell the driver that the used index went on from @old, unless it does not want to know. */
static void notify(const struct ring *r, uint16_t old)
{
	uint16_t said;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!get16(r->event_idx ? used_event(r) : r->avail + FLAGS, &said))
		return;
	if (r->event_idx ? vring_need_event(said, r->used_idx, old) :
			   !(said & VRING_AVAIL_F_NO_INTERRUPT))
		interrupt(r);
}

/* Write a buffer full, page by page, for each may lie somewhere; return the bytes. */
static uint32_t fill(uint64_t addr, uint32_t len)
{
	uint32_t done, piece, written = 0;
	void *data;

	for (done = 0; done < len; done += piece) {
		piece = PAGE - (addr + done) % PAGE;
		if (piece > len - done)
			piece = len - done;
		data = memory_at(addr + done, piece, true, &work.data);
		if (!data)
			break;
		written += device_fill(data, piece);
	}

	return written;
}

/* Write a chain of descriptors full, that which the device may write; return the bytes. */
static uint32_t fill_chain(uint64_t table, uint32_t num, uint16_t at, bool nested)
{
	struct span *where = nested ? &work.data : &work.rings;
	uint32_t written = 0, steps;

	for (steps = 0; steps < num && at < num; steps++) {
		const volatile struct vring_desc *found =
			memory_at(table + at * sizeof(*found), sizeof(*found), false, where);
		struct vring_desc d;

		if (!found)
			break;
		d = *found;
		work.descriptors++;
		if (d.flags & VRING_DESC_F_INDIRECT)
			return nested ? written :
				written + fill_chain(d.addr, d.len / sizeof(d), 0, true);
		if (d.flags & VRING_DESC_F_WRITE)
			written += fill(d.addr, d.len);
		if (!(d.flags & VRING_DESC_F_NEXT))
			break;
		at = d.next;
	}

	return written;
}

static void pause_ms(unsigned int ms)
{
	struct timespec t = { 0, ms * 1000000L };

	nanosleep(&t, NULL);
}

/* Put a buffer on the used ring, or what is said instead of it; false: the ring is not all there. */
static bool complete(struct ring *r, uint32_t id, uint32_t len)
{
	struct tale t = liar_tale();
	uint16_t old = r->used_idx, next = old + 1;
	uint32_t i;

	report_lie(work.buffers++, t);
	switch (t.lie) {
	case LONGER:
		len += 1 + t.arg % 65536;
		break;
	case HUGE:
		len = UINT32_MAX;
		break;
	case SHORTER:
		/* The guest compares runs of eight bytes. */
		if (len > 8)
			len = 8 + (t.arg % (len - 8) & ~7u);
		break;
	case NOTHING:
		len = 0;
		break;
	case EARLY:
		interrupt(r);
		break;
	case LATE:
		pause_ms(1 + t.arg / 64 % 20);
		break;
	case SCRIBBLE:
		for (i = 1; i < r->num; i++)
			if (!put_used(r, old + i, t.arg * i, ~t.arg))
				return false;
		break;
	case BEYOND:
		id = r->num + t.arg % 65536;
		break;
	case OTHER:
		id = (id + 1 + t.arg % (r->num > 1 ? r->num - 1 : 1)) % r->num;
		break;
	case JUMP:
		next = old + 2 + t.arg % 32768;
		break;
	case BACK:
		next = old - 1 - t.arg % 32768;
		break;
	case NEVER:
		return true;
	default:
		break;
	}

	if (!put_used(r, old, id, len) || !put16(r->used + INDEX, next))
		return false;
	r->used_idx = next;
	notify(r, old);
	if (t.lie == TWICE)
		interrupt(r);

	return true;
}

/* Ask for a kick at the next buffer; return whether there is one already. */
static bool ask_for_kick(const struct ring *r)
{
	uint16_t available;

	if (!r->event_idx || !put16(avail_event(r), r->next))
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);

	return get16(r->avail + INDEX, &available) && available != r->next;
}

void ring_start(struct ring *r)
{
	r->running = true;
	r->fresh = true;
	liar_next_ring();
}

void ring_serve(struct ring *r)
{
	uint16_t available, head;
	uint32_t written;

	if (!r->running || !r->enabled)
		return;
	if (r->fresh) {
		/* It will be written, so ask for that at once. */
		const uint16_t *index = memory_at(r->used + INDEX, sizeof(*index), true,
						  &work.rings);

		if (!index)
			return;
		r->used_idx = *index;
		r->fresh = false;
	}

	/* A translation that is waited for may stop it. */
	while (r->running && get16(r->avail + INDEX, &available)) {
		if (r->next == available && !ask_for_kick(r))
			return;
		if (!get16(avail_at(r, r->next), &head))
			return;
		r->next++;
		written = fill_chain(r->desc, r->num, head, false);
		if (!r->running || !complete(r, head, written))
			return;
	}
}
