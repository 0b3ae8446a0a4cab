// SPDX-License-Identifier: GPL-2.0-only
/* vhost-user, as QEMU's docs/interop/vhost-user.rst describes it, without what the lab has no use for. */
#include <err.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <unistd.h>
#include "device.h"
#include "iotlb.h"
#include "message.h"
#include "protocol.h"
#include "report.h"

#define F_PROTOCOL_FEATURES	(1ULL << 30)
#define P_REPLY_ACK		(1ULL << 3)
#define P_BACKEND_REQ		(1ULL << 5)
#define P_CONFIG		(1ULL << 9)
#define P_RESET_DEVICE		(1ULL << 13)

#define RING_MASK		0xffu
#define NO_FD			(1u << 8)

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	RESET_OWNER = 4,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	SET_BACKEND_REQ_FD = 21,
	IOTLB_MSG = 22,
	GET_CONFIG = 24,
	RESET_DEVICE = 34,
};

static uint64_t offered, protocol_acked;
/* How often the device was plugged in: each time it is owned once. */
static uint64_t plugs;

void protocol_init(uint64_t features)
{
	offered = features | F_PROTOCOL_FEATURES;
	report_offered = features;
}

static void put_fd(int *where, int fd)
{
	if (*where >= 0)
		close(*where);
	*where = fd;
}

static void stop(struct ring *r)
{
	r->running = false;
	put_fd(&r->kick, -1);
	report_write();
}

static void stop_all(void)
{
	unsigned int i;

	for (i = 0; i < device->rings; i++) {
		stop(&rings[i]);
		rings[i].enabled = false;
	}
}

static bool set_table(const struct table *t, const int *fds, unsigned int count)
{
	struct region regions[REGIONS];
	unsigned int i;

	if (t->count != count || count > REGIONS)
		return false;
	for (i = 0; i < count; i++)
		regions[i] = (struct region){ t->region[i].guest, t->region[i].size,
					      t->region[i].user, t->region[i].offset };

	return memory_set(regions, fds, count);
}

static bool set_ring_num(struct ring *r, uint32_t num)
{
	if (!num || num > RING_MAX || num & (num - 1))
		return false;
	r->num = num;

	return true;
}

/* The front end's addresses, or those of the bus where the driver goes through an IOMMU. */
static bool set_ring_addresses(struct ring *r, const struct addresses *a)
{
	if (iotlb_used()) {
		r->desc = a->desc;
		r->avail = a->avail;
		r->used = a->used;
		return true;
	}

	return memory_guest(a->desc, &r->desc) && memory_guest(a->avail, &r->avail) &&
		memory_guest(a->used, &r->used);
}

/* A ring is started by the descriptor for its kicks. */
static bool start(struct ring *r, int fd)
{
	put_fd(&r->kick, fd);
	if (!r->num)
		return false;
	/* With the protocol's features there is a message for it. */
	if (!(report_acked & F_PROTOCOL_FEATURES))
		r->enabled = true;
	ring_start(r, ++report_starts);

	return true;
}

static void set_features(uint64_t features)
{
	unsigned int i;

	report_acked = features;
	for (i = 0; i < device->rings; i++)
		rings[i].event_idx = features >> VIRTIO_RING_F_EVENT_IDX & 1;
	iotlb_use(features >> VIRTIO_F_ACCESS_PLATFORM & 1);
	report_write();
}

/* Where the device lies: other bits each time. */
static uint64_t may_offer(void)
{
	return offered ^ liar_features(plugs);
}

static uint64_t protocol_features(void)
{
	return P_REPLY_ACK | P_BACKEND_REQ | P_RESET_DEVICE | (device->config ? P_CONFIG : 0);
}

/* All of it, from its start: QEMU asks for nothing else. */
static bool get_config(struct config *c)
{
	if (!device->config || c->offset || c->size > CONFIG_MAX)
		return false;
	device->config(c->space, c->size);
	liar_config(plugs, c->space, c->size);

	return true;
}

/* The ring that a message is about; they all begin with its number, some with flags behind. */
static struct ring *ring_of(uint32_t request, const union payload *p)
{
	uint64_t index;

	switch (request) {
	case SET_VRING_NUM:
	case SET_VRING_ADDR:
	case SET_VRING_BASE:
	case GET_VRING_BASE:
	case SET_VRING_ENABLE:
		index = p->state.index;
		break;
	case SET_VRING_KICK:
	case SET_VRING_CALL:
	case SET_VRING_ERR:
		index = p->u64 & RING_MASK;
		break;
	default:
		index = 0;
	}

	return index < device->rings ? &rings[index] : NULL;
}

/* Do what a message asks for: did that work? *@size is how much there is to answer. */
static bool obey(int sock, uint32_t request, union payload *p, const int *fds,
		 unsigned int count, uint32_t *size)
{
	struct ring *r = ring_of(request, p);
	uint64_t *u64 = &p->u64;

	if (!r)
		return false;
	switch (request) {
	case GET_FEATURES:
		*u64 = may_offer();
		*size = sizeof(*u64);
		return true;
	case SET_FEATURES:
		set_features(*u64);
		return !(report_acked & ~may_offer());
	case GET_PROTOCOL_FEATURES:
		*u64 = protocol_features();
		*size = sizeof(*u64);
		return true;
	case SET_PROTOCOL_FEATURES:
		protocol_acked = *u64;
		return true;
	case GET_QUEUE_NUM:
		*u64 = 1;
		*size = sizeof(*u64);
		return true;
	case SET_OWNER:
		plugs++;
		return true;
	case RESET_OWNER:
	case RESET_DEVICE:
		stop_all();
		return true;
	case SET_MEM_TABLE:
		return set_table(&p->table, fds, count);
	case SET_VRING_NUM:
		return set_ring_num(r, p->state.num);
	case SET_VRING_ADDR:
		return set_ring_addresses(r, &p->addresses);
	case SET_VRING_BASE:
		r->next = p->state.num;
		return true;
	case GET_VRING_BASE:
		stop(r);
		p->state.num = r->next;
		*size = sizeof(p->state);
		return true;
	case SET_VRING_KICK:
		return start(r, *u64 & NO_FD || !count ? -1 : fds[0]);
	case SET_VRING_CALL:
		put_fd(&r->call, *u64 & NO_FD || !count ? -1 : fds[0]);
		return true;
	case SET_VRING_ERR:
		if (count)
			close(fds[0]);
		return true;
	case SET_VRING_ENABLE:
		r->enabled = p->state.num;
		return true;
	case GET_CONFIG:
		*size = offsetof(struct config, space) + p->config.size;
		return get_config(&p->config);
	case SET_BACKEND_REQ_FD:
		iotlb_channel(count ? fds[0] : -1, sock);
		return count;
	case IOTLB_MSG:
		return iotlb_message(&p->iotlb);
	default:
		warnx("request %u is not known", request);
		return false;
	}
}

bool protocol_message(int sock)
{
	union payload p = { 0 };
	unsigned int count = 0;
	uint32_t size = 0;
	int fds[REGIONS];
	struct header h;
	bool good;

	if (!message_take(sock, &h, &p, fds, &count))
		return false;

	good = obey(sock, h.request, &p, fds, count, &size);
	if (!good)
		warnx("request %u failed", h.request);
	if (size)
		return message_answer(sock, h.request, &p, size);
	if (protocol_acked & P_REPLY_ACK && h.flags & NEED_REPLY) {
		p.u64 = !good;
		return message_answer(sock, h.request, &p, sizeof(p.u64));
	}

	return good;
}
