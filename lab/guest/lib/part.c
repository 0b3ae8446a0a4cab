// SPDX-License-Identifier: GPL-2.0-only
/* A part of a disk that one process has for itself, and knows by heart. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "beat.h"
#include "draw.h"
#include "part.h"
#include "report.h"

/* From one sector's data to the next one's, in words. */
#define STRIDE		31
/* A request may fail as long as the pool is full. */
#define TRIES		64

/* Write what no other sector has had, so that it can be told from all of them. */
static void compose(struct part *p, unsigned int request, unsigned int sector,
		    unsigned int count, unsigned int start)
{
	for (; count--; sector++, start += STRIDE) {
		__u64 tag = htole64(p->tag | (__u64)request << 16 | sector);
		char *to = p->data + sector * SECTOR;

		memcpy(to, p->text + start % STARTS, SECTOR);
		memcpy(to, &tag, sizeof(tag));
	}
}

static int transfer(struct part *p, int write, off_t at, const struct iovec *iov,
		    unsigned int count, size_t bytes)
{
	unsigned int tries = TRIES;
	ssize_t n;

	do {
		n = write ? pwritev(p->fd, iov, count, at) : preadv(p->fd, iov, count, at);
		alive();
	} while (n < 0 && ++p->tally->failed && --tries);
	if (n == (ssize_t)bytes)
		return 0;

	if (n >= 0)
		errno = EIO;
	fail(write ? "write" : "read", NULL);
	return -1;
}

/* Draw a request and do it; lab/model/storm.py draws the same. */
int part_request(struct part *p, unsigned int request)
{
	unsigned int write = draw(&p->state, 2), sector, start, sectors;
	struct vector *v = &p->vector;
	int wrong;

	vector_draw(v, &p->state, p->most / SECTOR);
	sectors = v->bytes / SECTOR;
	sector = draw(&p->state, PART_SECTORS - sectors + 1);
	start = draw(&p->state, STARTS);
	if (write)
		compose(p, request, sector, sectors, start);
	vector_fill(v, write ? p->data + sector * SECTOR : NULL);
	if (transfer(p, write, p->at + sector * SECTOR, v->iov, v->count, v->bytes))
		return -1;

	wrong = vector_differs(v, p->data + sector * SECTOR);
	if (wrong) {
		errno = EBADMSG;
		fail(wrong == 1 ? "differs" : "touched", write ? "write" : "read");
		return -1;
	}
	p->tally->reads += !write;
	p->tally->writes += write;
	p->tally->pieces += v->count;
	p->tally->bytes += v->bytes;

	return 0;
}

static int digest(const void *data, char hex[HASH_HEX])
{
	int hash = hash_open();

	if (hash >= 0 && !hash_add(hash, data, PART_BYTES) && !hash_close(hash, hex))
		return 0;
	fail("hash", NULL);

	return -1;
}

/* Read all of it, in requests that the pool has room for. */
static int read_all(struct part *p)
{
	size_t done;

	for (done = 0; done < PART_BYTES; done += p->most) {
		size_t left = PART_BYTES - done;
		struct iovec iov = { p->seen + done, left < p->most ? left : p->most };

		if (transfer(p, 0, p->at + done, &iov, 1, iov.iov_len))
			return -1;
	}

	return 0;
}

int part_learn(struct part *p)
{
	if (read_all(p) || digest(p->seen, p->tally->before))
		return -1;
	memcpy(p->data, p->seen, PART_BYTES);

	return 0;
}

/* In the end, all of it must be what was written. */
int part_compare(struct part *p)
{
	if (fsync(p->fd)) {
		fail("fsync", NULL);
		return -1;
	}
	if (read_all(p) || digest(p->seen, p->tally->after))
		return -1;
	if (!memcmp(p->seen, p->data, PART_BYTES))
		return 0;

	errno = EBADMSG;
	fail("differs", "end");
	return -1;
}
