// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <linux/virtio_mmio.h>
#include <stdio.h>
#include <string.h>
#include "kvm.h"
#include "layout.h"
#include "memory.h"
#include "transport.h"
#include "view.h"

#define MAGIC	0x74726976

struct transport transports[TRANSPORTS] = {
	[BLK] = { .device = &blk },
	[RNG] = { .device = &rng },
};

static bool legacy;

void transport_init(bool is_legacy, uint64_t features)
{
	unsigned int i;

	legacy = is_legacy;
	for (i = 0; i < TRANSPORTS; i++)
		transports[i].offered = transports[i].device->features | features;
}

static void update(const struct transport *t)
{
	kvm_irq(VIRTIO_IRQ + (t - transports), t->pending);
}

/* A device that may not read the guest's memory stops, and says so once. */
static void give_up(struct transport *t)
{
	t->broken = true;
	printf("vmm: %s is stopped by signal %d, at %#" PRIx64 "\n", t->device->name, refused_by,
	       refused_at);
	fflush(stdout);
	view_say();
}

static void serve(struct transport *t)
{
	int64_t written;
	int found;

	while (t->ring.ready && !t->broken && (found = ring_get(&t->ring, &t->last))) {
		written = found < 0 ? -1 : t->device->serve(&t->last);
		if (written < 0 || !ring_put(&t->ring, &t->last, written)) {
			give_up(t);
			return;
		}
		t->pending |= VIRTIO_MMIO_INT_VRING;
	}
}

/* A legacy driver gives the size of its pages once, before it resets the device. */
static void reset(struct transport *t)
{
	*t = (struct transport){ .device = t->device, .offered = t->offered,
				 .page_size = t->page_size };
}

/* A legacy driver gives the page of a ring whose parts follow each other. */
static void place(struct transport *t, uint32_t page)
{
	struct ring *r = &t->ring;
	uint64_t end;

	r->desc = (uint64_t)page * t->page_size;
	r->avail = r->desc + 16 * r->num;
	end = r->avail + 2 * (3 + r->num);
	r->used = t->align ? (end + t->align - 1) & ~(uint64_t)(t->align - 1) : end;
	r->ready = page && r->num;
}

static void set_half(uint64_t *whole, unsigned int shift, uint32_t value)
{
	*whole = (*whole & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
}

static void put(struct transport *t, uint32_t offset, uint32_t value)
{
	struct ring *r = &t->ring;

	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		t->offered_word = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		t->accepted_word = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		if (t->accepted_word < 2)
			set_half(&t->accepted, 32 * t->accepted_word, value);
		break;
	case VIRTIO_MMIO_GUEST_PAGE_SIZE:
		t->page_size = value;
		break;
	case VIRTIO_MMIO_QUEUE_NUM:
		r->num = value <= RING_SIZE ? value : 0;
		break;
	case VIRTIO_MMIO_QUEUE_ALIGN:
		t->align = value;
		break;
	case VIRTIO_MMIO_QUEUE_PFN:
		place(t, value);
		break;
	case VIRTIO_MMIO_QUEUE_READY:
		r->ready = value && r->num;
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		serve(t);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		t->pending &= ~value;
		break;
	case VIRTIO_MMIO_STATUS:
		t->status = value;
		if (!value)
			reset(t);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
		set_half(&r->desc, 0, value);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		set_half(&r->desc, 32, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
		set_half(&r->avail, 0, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		set_half(&r->avail, 32, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
		set_half(&r->used, 0, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		set_half(&r->used, 32, value);
		break;
	}
	update(t);
}

static uint32_t get(const struct transport *t, uint32_t offset)
{
	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC;
	case VIRTIO_MMIO_VERSION:
		return legacy ? 1 : 2;
	case VIRTIO_MMIO_DEVICE_ID:
		return t->device->id;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return t->offered_word < 2 ? t->offered >> 32 * t->offered_word : 0;
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return RING_SIZE;
	case VIRTIO_MMIO_QUEUE_PFN:
		return legacy && t->ring.ready;
	case VIRTIO_MMIO_QUEUE_READY:
		return t->ring.ready;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return t->pending;
	case VIRTIO_MMIO_STATUS:
		return t->status;
	default:
		return 0;
	}
}

uint64_t transport_access(unsigned int number, uint32_t offset, unsigned int len, bool write,
			  uint64_t value)
{
	struct transport *t = &transports[number];
	uint64_t result = 0;

	if (offset >= VIRTIO_MMIO_CONFIG) {
		offset -= VIRTIO_MMIO_CONFIG;
		if (!write && offset + len <= t->device->config_size)
			memcpy(&result, (const char *)t->device->config + offset, len);
	} else if (write) {
		put(t, offset, value);
	} else {
		result = get(t, offset);
	}

	return result;
}
