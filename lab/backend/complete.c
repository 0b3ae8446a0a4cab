// SPDX-License-Identifier: GPL-2.0-only
/* Give a buffer back to its driver, with what the device says of it: the truth, or a lie. */
#include <time.h>
#include "device.h"
#include "report.h"

static void pause_ms(unsigned int ms)
{
	struct timespec t = { 0, ms * 1000000L };

	nanosleep(&t, NULL);
}

static bool put(struct ring *r, uint32_t id, uint32_t len)
{
	return ring_put_used(r, r->used_idx, id, len) && ring_publish(r, r->used_idx + 1);
}

bool ring_let_go(struct ring *r)
{
	if (!r->held.is || !r->running)
		return true;
	r->held.is = false;

	return put(r, r->held.id, r->held.len);
}

/* Of the used ring, that which the driver cannot have to look at yet. */
static bool scribble(const struct ring *r, uint32_t with)
{
	uint16_t available, i, end;

	if (!ring_available(r, &available))
		return false;
	end = available + (device->depth ? r->num - device->depth : 0);
	for (i = r->used_idx + 1; i != end; i++)
		if (!ring_put_used(r, i, with * i, ~with))
			return false;

	return true;
}

/* What the device adds to a buffer of its own, if there is any in this one. */
static struct field {
	uint64_t at, len;
} field(const struct chain *c)
{
	uint64_t len = device->field < 0 ? -device->field : device->field;

	if (len > c->out.size)
		return (struct field){ 0, 0 };

	return (struct field){ device->field < 0 ? c->out.size - len : 0, len };
}

static void spoil(const struct chain *c, struct field f, uint32_t with)
{
	uint8_t byte;

	for (; f.len; f.len--, f.at++, with = with * 1664525 + 1013904223) {
		byte = with >> 24;
		chain_put(c, f.at, &byte, sizeof(byte));
	}
}

bool ring_complete(struct ring *r, struct chain *c, uint32_t len)
{
	uint16_t old = r->used_idx, next = old + 1;
	struct tale t = c->tale;
	uint32_t id = c->head;

	if (t.lie == FIELD && !field(c).len)
		t.lie = TRUTH;
	report_lie(r->start, work.buffers++, t);
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
		ring_interrupt(r);
		break;
	case LATE:
		pause_ms(1 + t.arg / 64 % 20);
		break;
	case ORDER:
		if (r->held.is)
			break;
		r->held.is = true;
		r->held.id = id;
		r->held.len = len;
		return true;
	case SCRIBBLE:
		if (!scribble(r, t.arg))
			return false;
		break;
	case FIELD:
		spoil(c, field(c), t.arg);
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
	case TABLE:
		if (!ring_spoil(r, c->head, t.arg))
			return false;
		break;
	default:
		break;
	}

	if (!ring_put_used(r, old, id, len) || !ring_publish(r, next))
		return false;
	if (t.lie == TWICE)
		ring_interrupt(r);

	return ring_let_go(r);
}
