// SPDX-License-Identifier: GPL-2.0-only
/* Messages of vhost-user, as they go over its socket. */
#include <err.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include "message.h"

#define VERSION		0x1u
#define VERSION_MASK	0x3u
#define REPLY		0x4u

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

bool message_answer(int sock, uint32_t request, const union payload *p, uint32_t size)
{
	struct header h = { request, VERSION | REPLY, size };

	return send(sock, &h, sizeof(h), MSG_NOSIGNAL | MSG_MORE) == sizeof(h) &&
		send(sock, p, size, MSG_NOSIGNAL) == size;
}

bool message_take(int sock, struct header *h, union payload *p, int *fds, unsigned int *count)
{
	if (!take(sock, h, sizeof(*h), fds, count))
		return false;
	if ((h->flags & VERSION_MASK) != VERSION || h->size > sizeof(*p) ||
	    !take(sock, p, h->size, NULL, NULL)) {
		warnx("request %u of %u bytes makes no sense", h->request, h->size);
		return false;
	}

	return true;
}
