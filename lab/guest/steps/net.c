// SPDX-License-Identifier: GPL-2.0-only
/* Pass data both ways at once through the network device. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/cmdline.h"
#include "../lib/hash.h"
#include "../lib/iface.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/text.h"
#include "../lib/util.h"

#define BYTES		(4 * MIB)
#define CLOSE_MS	2000

/* Return whether there is something to do, so that no peer blocks the guest. */
static int wait_for(int fd, short events)
{
	struct patience p = patience(stall_ms() / 2);

	return wait_fd(&p, fd, events) ? 0 : -1;
}

static int dial(int fd, unsigned int port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int err = 0;
	socklen_t len = sizeof(err);

	inet_pton(AF_INET, HOST, &sin.sin_addr);
	if (!connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
		return 0;
	if (errno != EINPROGRESS || wait_for(fd, POLLOUT))
		return -1;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -1;
	errno = err;

	return err ? -1 : 0;
}

static int moved(ssize_t n, size_t *count)
{
	if (n > 0) {
		*count += n;
		alive();
		return 0;
	}
	if (!n) {
		/* Expect no end of the stream before the last byte. */
		errno = ECONNRESET;
		return -1;
	}

	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

/* Keep all that was received: the echo can then lag behind without a limit. */
static int exchange(int fd, char *buf)
{
	size_t got = 0, sent = 0;

	while (sent < BYTES) {
		short events = 0;

		if (got < BYTES)
			events |= POLLIN;
		if (sent < got)
			events |= POLLOUT;
		if (wait_for(fd, events))
			return -1;

		if (got < BYTES && moved(recv(fd, buf + got, BYTES - got, 0), &got))
			return -1;
		if (sent < got &&
		    moved(send(fd, buf + sent, got - sent, MSG_NOSIGNAL), &sent))
			return -1;
	}

	return 0;
}

/* Let the host read the echo to its end, before a power off cuts it short. */
static void hang_up(int fd)
{
	struct patience p = patience(CLOSE_MS);
	char c;

	shutdown(fd, SHUT_WR);
	while (wait_fd(&p, fd, POLLIN) && recv(fd, &c, 1, 0) > 0)
		;
}

static void talk(int fd, unsigned int port, char *buf)
{
	char hex[HASH_HEX];
	int hash;

	if (dial(fd, port)) {
		fail("connect", NULL);
		return;
	}
	if (exchange(fd, buf)) {
		fail("exchange", NULL);
		return;
	}
	hang_up(fd);

	hash = hash_open();
	if (hash < 0 || hash_add(hash, buf, BYTES) || hash_close(hash, hex)) {
		fail("hash", NULL);
		return;
	}
	report("net bytes=%d sha256=%s", BYTES, hex);
}

static void step_net(const char *arg)
{
	const char *port = param("vdma.port");
	struct token name;
	char *buf;
	int fd;

	(void)arg;
	if (!port) {
		errno = EINVAL;
		fail("no-port", NULL);
		return;
	}
	if (iface_up(&name)) {
		fail("interface", NULL);
		return;
	}

	buf = malloc(BYTES);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (buf && fd >= 0)
		talk(fd, strtoul(port, NULL, 0), buf);
	else
		fail("setup", NULL);
	if (fd >= 0)
		close(fd);
	free(buf);
}

STEP(net, step_net);
