// SPDX-License-Identifier: GPL-2.0-only
/* vhost-user, as QEMU's docs/interop/vhost-user.rst describes it, for a device of one queue. */
#include <err.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "iotlb.h"
#include "protocol.h"
#include "report.h"

#define VERSION			0x1u
#define VERSION_MASK		0x3u
#define REPLY			0x4u
#define NEED_REPLY		0x8u

#define F_PROTOCOL_FEATURES	(1ULL << 30)
#define P_REPLY_ACK		(1ULL << 3)
#define P_BACKEND_REQ		(1ULL << 5)
#define P_RESET_DEVICE		(1ULL << 13)
#define PROTOCOL_FEATURES	(P_REPLY_ACK | P_BACKEND_REQ | P_RESET_DEVICE)

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
	RESET_DEVICE = 34,
};

struct state {
	uint32_t index, num;
};

struct addresses {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct table {
	uint32_t count, padding;
	struct {
		uint64_t guest, size, user, offset;
	} region[REGIONS];
};

struct header {
	uint32_t request, flags, size;
};

union payload {
	uint64_t u64;
	struct state state;
	struct addresses addresses;
	struct table table;
	struct iotlb_message iotlb;
};

struct ring ring = { .kick = -1, .call = -1 };

static uint64_t offered, protocol_acked;

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

static void stop(void)
{
	ring.running = false;
	put_fd(&ring.kick, -1);
	report_write();
}

/* Exactly @len bytes, with the descriptors that come with the first of them. */
static bool take(int sock, void *data, size_t len, int *fds, unsigned int *count)
{
	char control[CMSG_SPACE(REGIONS * sizeof(int))];
	struct iovec iov = { data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n;

	while (iov.iov_len) {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
		if (n <= 0)
			return false;
		c = CMSG_FIRSTHDR(&msg);
		if (c && fds && c->cmsg_type == SCM_RIGHTS) {
			*count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), *count * sizeof(int));
		}
		msg.msg_controllen = 0;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= n;
	}

	return true;
}

static bool answer(int sock, uint32_t request, const union payload *p, uint32_t size)
{
	struct header h = { request, VERSION | REPLY, size };

	return send(sock, &h, sizeof(h), MSG_NOSIGNAL | MSG_MORE) == sizeof(h) &&
		send(sock, p, size, MSG_NOSIGNAL) == size;
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

static bool set_ring_num(uint32_t num)
{
	if (!num || num > RING_MAX || num & (num - 1))
		return false;
	ring.num = num;

	return true;
}

/* The front end's addresses, or those of the bus where the driver goes through an IOMMU. */
static bool set_ring_addresses(const struct addresses *a)
{
	if (iotlb_used()) {
		ring.desc = a->desc;
		ring.avail = a->avail;
		ring.used = a->used;
		return true;
	}

	return memory_guest(a->desc, &ring.desc) && memory_guest(a->avail, &ring.avail) &&
		memory_guest(a->used, &ring.used);
}

/* A ring is started by the descriptor for its kicks. */
static bool start(int fd)
{
	put_fd(&ring.kick, fd);
	if (!ring.num)
		return false;
	report_starts++;
	/* With the protocol's features there is a message for it. */
	if (!(report_acked & F_PROTOCOL_FEATURES))
		ring.enabled = true;
	ring_start(&ring);

	return true;
}

/* Do what a message asks for: did that work? *@size is how much there is to answer. */
static bool obey(int sock, uint32_t request, union payload *p, const int *fds,
		 unsigned int count, uint32_t *size)
{
	struct addresses *a = &p->addresses;
	uint64_t *u64 = &p->u64;

	switch (request) {
	case GET_FEATURES:
		*u64 = offered;
		*size = sizeof(*u64);
		return true;
	case SET_FEATURES:
		report_acked = *u64;
		ring.event_idx = report_acked >> VIRTIO_RING_F_EVENT_IDX & 1;
		iotlb_use(report_acked >> VIRTIO_F_ACCESS_PLATFORM & 1);
		report_write();
		return !(report_acked & ~offered);
	case GET_PROTOCOL_FEATURES:
		*u64 = PROTOCOL_FEATURES;
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
		return true;
	case RESET_OWNER:
	case RESET_DEVICE:
		stop();
		ring.enabled = false;
		return true;
	case SET_MEM_TABLE:
		return set_table(&p->table, fds, count);
	case SET_VRING_NUM:
		return !p->state.index && set_ring_num(p->state.num);
	case SET_VRING_ADDR:
		return !a->index && set_ring_addresses(a);
	case SET_VRING_BASE:
		ring.next = p->state.num;
		return !p->state.index;
	case GET_VRING_BASE:
		stop();
		p->state.num = ring.next;
		*size = sizeof(p->state);
		return true;
	case SET_VRING_KICK:
		return !(*u64 & 0xff) && start(*u64 & NO_FD || !count ? -1 : fds[0]);
	case SET_VRING_CALL:
		put_fd(&ring.call, *u64 & NO_FD || !count ? -1 : fds[0]);
		return !(*u64 & 0xff);
	case SET_VRING_ERR:
		if (count)
			close(fds[0]);
		return true;
	case SET_VRING_ENABLE:
		ring.enabled = p->state.num;
		return !p->state.index;
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

	if (!take(sock, &h, sizeof(h), fds, &count))
		return false;
	if ((h.flags & VERSION_MASK) != VERSION || h.size > sizeof(p) ||
	    !take(sock, &p, h.size, NULL, NULL)) {
		warnx("request %u of %u bytes makes no sense", h.request, h.size);
		return false;
	}

	good = obey(sock, h.request, &p, fds, count, &size);
	if (!good)
		warnx("request %u failed", h.request);
	if (size)
		return answer(sock, h.request, &p, size);
	if (protocol_acked & P_REPLY_ACK && h.flags & NEED_REPLY) {
		p.u64 = !good;
		return answer(sock, h.request, &p, sizeof(p.u64));
	}

	return good;
}
