// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include "layout.h"
#include "memory.h"
#include "transport.h"
#include "uart.h"
#include "view.h"

#define PAGE	4096

static void say_device(const struct transport *t)
{
	const struct ring *r = &t->ring;
	char text[128];
	unsigned int i;

	snprintf(text, sizeof(text), "vmm device name=%s offered=%" PRIx64 " accepted=%" PRIx64
		 " status=%x rings=", t->device->name, t->offered, t->accepted, t->status);
	uart_say(text);
	if (r->ready) {
		snprintf(text, sizeof(text), "%" PRIx64 ",%" PRIx64 ",%" PRIx64, r->desc, r->avail,
			 r->used);
		uart_say(text);
	}
	uart_say(" buffers=");
	for (i = 0; i < t->last.count; i++) {
		snprintf(text, sizeof(text), "%s%" PRIx64, i ? "," : "", t->last.pieces[i].addr);
		uart_say(text);
	}
	uart_say("\n");
}

static void say_open(uint64_t addr)
{
	char text[32];

	if (!memory_open(addr))
		return;
	snprintf(text, sizeof(text), "%" PRIx64 ",", addr & ~(uint64_t)(PAGE - 1));
	uart_say(text);
}

/* Whether the guest's first page is kept from us, and which of those that we were handed is not. */
static void say_memory(void)
{
	const struct transport *t;
	char text[128];
	unsigned int i;

	snprintf(text, sizeof(text), "vmm memory ram=%x,%x private=%d refused=%lu at=%" PRIx64
		 " signal=%d open=", RAM_BASE, RAM_BASE + RAM_SIZE - 1, !memory_open(RAM_BASE),
		 refused, refused_at, refused_by);
	uart_say(text);
	for (t = transports; t < transports + TRANSPORTS; t++) {
		if (t->ring.ready) {
			say_open(t->ring.desc);
			say_open(t->ring.avail);
			say_open(t->ring.used);
		}
		for (i = 0; i < t->last.count; i++)
			say_open(t->last.pieces[i].addr);
	}
	uart_say("\n");
}

void view_say(void)
{
	unsigned int i;

	for (i = 0; i < TRANSPORTS; i++)
		say_device(&transports[i]);
	say_memory();
}
