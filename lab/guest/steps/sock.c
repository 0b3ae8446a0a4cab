// SPDX-License-Identifier: GPL-2.0-only
/* Have the host send back what a socket of the vsock device takes to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/vm_sockets.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/cmdline.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/step.h"

/* Where lab/host/main.c listens. */
#define PORT	1024
#define CHUNK	(64 * 1024)

static int moved(int fd, char *buf, ssize_t (*move)(int, char *, size_t))
{
	size_t done = 0;
	ssize_t n;

	while (done < CHUNK && (n = move(fd, buf + done, CHUNK - done)) > 0)
		done += n;

	return done < CHUNK ? -1 : 0;
}

static ssize_t out(int fd, char *buf, size_t size)
{
	return send(fd, buf, size, MSG_NOSIGNAL);
}

static ssize_t in(int fd, char *buf, size_t size)
{
	return recv(fd, buf, size, 0);
}

static int there_and_back(int fd, __u64 *sent, __u64 *back, unsigned long long seed)
{
	fill_pattern(sent, CHUNK, seed);
	errno = 0;
	if (moved(fd, (char *)sent, out) || moved(fd, (char *)back, in))
		return -1;
	errno = EBADMSG;

	return memcmp(sent, back, CHUNK) ? -1 : 0;
}

/* Take COUNT: so many times 64 KiB. */
static void step_sock(const char *arg)
{
	struct sockaddr_vm host = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST,
				    .svm_port = PORT };
	unsigned int i = 0, count = arg ? strtoul(arg, NULL, 0) : 1;
	unsigned long long seed = strtoull(param("vdma.seed"), NULL, 16);
	__u64 *sent = malloc(CHUNK), *back = malloc(CHUNK);
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (!sent || !back || fd < 0 || connect(fd, (void *)&host, sizeof(host))) {
		fail("connect", NULL);
	} else {
		for (; i < count && !there_and_back(fd, sent, back, seed + i); i++)
			alive();
		if (i < count)
			fail("sock", NULL);
		else
			report("sock bytes=%u", i * CHUNK);
	}
	close(fd);
	free(sent);
	free(back);
}

STEP(sock, step_sock);
