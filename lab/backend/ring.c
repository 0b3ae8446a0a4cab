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

/* The ring's parts where this process has them; behind each ring is an event index. */
struct parts {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t *used_event, *avail_event;
};

static bool find(const struct ring *r, struct parts *p)
{
	p->desc = memory_at(r->desc, sizeof(*p->desc) * r->num, false, &work.rings);
	p->avail = memory_at(r->avail, sizeof(*p->avail) + 2 * (r->num + 1), false, &work.rings);
	p->used = memory_at(r->used, sizeof(*p->used) + 8 * r->num + 2, true, &work.rings);
	if (!p->desc || !p->avail || !p->used)
		return false;
	p->used_event = &p->avail->ring[r->num];
	p->avail_event = (uint16_t *)(void *)&p->used->ring[r->num];

	return true;
}

static void interrupt(const struct ring *r)
{
	uint64_t one = 1;

	if (r->call >= 0 && write(r->call, &one, sizeof(one)) < 0)
		return;		/* it counts to 2^64: cannot be */
}

/* Tell the driver that the used index went on from @old, unless it does not want to know. */
static void notify(const struct ring *r, const struct parts *p, uint16_t old)
{
	bool wants;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->event_idx)
		wants = vring_need_event(__atomic_load_n(p->used_event, __ATOMIC_RELAXED),
					 r->used_idx, old);
	else
		wants = !(__atomic_load_n(&p->avail->flags, __ATOMIC_RELAXED) &
			  VRING_AVAIL_F_NO_INTERRUPT);
	if (wants)
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
static uint32_t fill_chain(struct vring_desc *table, uint32_t num, uint16_t at, bool nested)
{
	uint32_t written = 0, steps;

	for (steps = 0; steps < num && at < num; steps++) {
		struct vring_desc d = *(volatile struct vring_desc *)&table[at];
		void *inner;

		work.descriptors++;
		if (d.flags & VRING_DESC_F_INDIRECT) {
			inner = nested ? NULL : memory_at(d.addr, d.len, false, &work.data);
			return inner ? written + fill_chain(inner, d.len / sizeof(d), 0, true) :
				written;
		}
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

/* Put a buffer on the used ring, or what is said instead of it. */
static void complete(struct ring *r, const struct parts *p, uint32_t id, uint32_t len)
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
			p->used->ring[(old + i) % r->num] = (struct vring_used_elem){
				t.arg * i, ~t.arg };
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
		return;
	default:
		break;
	}

	p->used->ring[old % r->num] = (struct vring_used_elem){ id, len };
	__atomic_store_n(&p->used->idx, next, __ATOMIC_RELEASE);
	r->used_idx = next;
	notify(r, p, old);
	if (t.lie == TWICE)
		interrupt(r);
}

void ring_start(struct ring *r)
{
	r->running = true;
	r->fresh = true;
	liar_next_ring();
}

void ring_serve(struct ring *r)
{
	struct parts p;
	uint32_t written;
	uint16_t head;

	if (!r->running || !r->enabled || !find(r, &p))
		return;
	if (r->fresh)
		r->used_idx = p.used->idx;
	r->fresh = false;

	/* A translation that is waited for may stop it. */
	while (r->running) {
		if (r->next == __atomic_load_n(&p.avail->idx, __ATOMIC_ACQUIRE)) {
			if (!r->event_idx)
				return;
			/* Ask for a kick at the next one; there may be one already. */
			__atomic_store_n(p.avail_event, r->next, __ATOMIC_RELAXED);
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			if (r->next == __atomic_load_n(&p.avail->idx, __ATOMIC_ACQUIRE))
				return;
		}
		head = __atomic_load_n(&p.avail->ring[r->next++ % r->num], __ATOMIC_RELAXED);
		written = fill_chain(p.desc, r->num, head, false);
		if (r->running)
			complete(r, &p, head, written);
	}
}
