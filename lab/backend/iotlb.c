// SPDX-License-Identifier: GPL-2.0-only
/* What the front end has told of the IOMMU's translations, where the driver goes through one. */
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>
#include "iotlb.h"
#include "memory.h"
#include "protocol.h"
#include "ring.h"

#define ENTRIES		64
#define VERSION_NEED_REPLY	0x9

enum { MISS = 1, UPDATE = 2, INVALIDATE = 3 };
enum { READ = 1, WRITE = 2 };
enum { BACKEND_IOTLB = 1 };

uint64_t iotlb_misses, iotlb_faults;

static struct iotlb_message entries[ENTRIES];
static unsigned int next;
static int channel = -1, front = -1;
static bool used;
/* Questions that were not answered yet: a ring may be stopped before that. */
static unsigned int unanswered;

void iotlb_use(bool on)
{
	unsigned int i;

	used = on;
	for (i = 0; i < ENTRIES; i++)
		entries[i].size = 0;
}

bool iotlb_used(void)
{
	return used;
}

void iotlb_channel(int fd, int sock)
{
	if (channel >= 0)
		close(channel);
	channel = fd;
	front = sock;
	unanswered = 0;
}

bool iotlb_message(const struct iotlb_message *m)
{
	uint64_t last = m->iova + m->size - 1;
	unsigned int i;

	if (!m->size || last < m->iova || (m->type != UPDATE && m->type != INVALIDATE))
		return false;
	for (i = 0; i < ENTRIES; i++) {
		struct iotlb_message *e = &entries[i];

		if (e->size && e->iova <= last && e->iova + (e->size - 1) >= m->iova)
			e->size = 0;
	}
	if (m->type == UPDATE)
		entries[next++ % ENTRIES] = *m;

	return true;
}

static bool look_up(uint64_t iova, uint64_t len, uint8_t perm, uint64_t *guest)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++) {
		const struct iotlb_message *e = &entries[i];

		/* Lest two that adjoin be taken for one: they may lie apart. */
		if (iova >= e->iova && iova - e->iova < e->size &&
		    len <= e->size - (iova - e->iova) && (e->perm & perm) == perm)
			return memory_guest(e->user + (iova - e->iova), guest);
	}

	return false;
}

/* Ask for a translation, and hear what else the front end has to say until it answers. */
static bool ask(uint64_t iova, uint8_t perm)
{
	struct {
		uint32_t request, flags, size;
		struct iotlb_message m;
	} __attribute__((packed)) miss = {
		BACKEND_IOTLB, VERSION_NEED_REPLY, sizeof(miss.m),
		{ .iova = iova, .perm = perm, .type = MISS }
	};
	struct pollfd p[] = { { front, POLLIN, 0 }, { channel, POLLIN, 0 } };
	char answer[20];

	iotlb_misses++;
	if (send(channel, &miss, sizeof(miss), MSG_NOSIGNAL) != sizeof(miss))
		return false;
	unanswered++;
	while (unanswered) {
		if (poll(p, 2, -1) < 0)
			return false;
		/* It is sent before the answer: take it first. */
		if (p[0].revents) {
			if (!protocol_message(front) || !rings_running())
				return false;
			continue;
		}
		if (recv(channel, answer, sizeof(answer), MSG_WAITALL) != sizeof(answer))
			return false;
		unanswered--;
	}

	return true;
}

bool iotlb_translate(uint64_t iova, uint64_t len, bool write, uint64_t *guest)
{
	uint8_t perm = write ? WRITE : READ;

	if (look_up(iova, len, perm, guest) ||
	    (rings_running() && ask(iova, perm) && look_up(iova, len, perm, guest)))
		return true;
	/* Who stops them, does not want to know. */
	iotlb_faults += rings_running();

	return false;
}
