// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vhost-user back end for the boot lab: a device that offers the features that
 * it is told to, keeps to a part of the guest's memory if it is told one, lies if
 * it is told to, and reports what it saw.
 *
 *	backend TYPE SOCKET REPORT [offer=BIT] [only=FIRST-LAST]
 *		[lie=SEED [break=N] [until=STARTS] [which=LIE] [plugs=N]]
 *
 * It listens at SOCKET, says so on its output, serves one front end, and ends
 * when that goes. On SIGUSR1 it writes its report.
 */
#include <err.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "device.h"
#include "liar.h"
#include "memory.h"
#include "protocol.h"
#include "report.h"

const struct device *device;

static uint64_t number(const char *text, char **end)
{
	uint64_t value;

	errno = 0;
	value = strtoull(text, end, 0);
	if (errno || *end == text)
		errx(2, "%s is no number", text);

	return value;
}

static uint64_t whole(const char *text)
{
	char *end;
	uint64_t value = number(text, &end);

	if (*end)
		errx(2, "%s is no number", text);

	return value;
}

static const char *option(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) || word[len] != '=' ? NULL : word + len + 1;
}

static void read_options(char **words)
{
	uint64_t features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_INDIRECT_DESC |
			    1ULL << VIRTIO_RING_F_EVENT_IDX;
	struct lying how = { .until = UINT64_MAX };
	const char *value;
	bool lies = false;
	uint64_t first;
	char *end;

	for (; *words; words++) {
		if ((value = option(*words, "offer"))) {
			features |= 1ULL << (whole(value) & 63);
		} else if ((value = option(*words, "only"))) {
			first = number(value, &end);
			if (*end != '-' || !memory_allow(first, whole(end + 1)))
				errx(2, "%s is no range", value);
		} else if ((value = option(*words, "lie"))) {
			how.seed = whole(value);
			lies = true;
		} else if ((value = option(*words, "break"))) {
			how.breaking = whole(value);
		} else if ((value = option(*words, "until"))) {
			how.until = whole(value);
		} else if ((value = option(*words, "plugs"))) {
			how.plugs = whole(value);
		} else if ((value = option(*words, "which"))) {
			how.only = liar_known(value);
			if (!how.only)
				errx(2, "%s is no lie", value);
		} else {
			errx(2, "%s is no option", *words);
		}
	}
	if (lies)
		liar_start(how);
	protocol_init(features | device->features);
}

/* The connection of the front end, the first that comes. */
static int meet(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int listener, sock;

	if (strlen(path) >= sizeof(addr.sun_path))
		errx(2, "%s is too long a name", path);
	strcpy(addr.sun_path, path);
	unlink(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(listener, 1))
		err(1, "%s", path);
	puts("ready");
	fflush(stdout);
	sock = accept(listener, NULL, NULL);
	if (sock < 0)
		err(1, "%s", path);
	close(listener);

	return sock;
}

/* A descriptor that is readable while somebody asks for the report. */
static int asked(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL))
		err(1, "SIGUSR1");

	return fd;
}

static void serve(int sock, int signals)
{
	struct signalfd_siginfo info;
	uint64_t kicks;

	for (;;) {
		struct pollfd p[2 + RINGS] = { { sock, POLLIN, 0 }, { signals, POLLIN, 0 } };
		unsigned int i;

		for (i = 0; i < RINGS; i++) {
			struct ring *r = &rings[i];

			p[2 + i] = (struct pollfd){ r->running && r->enabled ? r->kick : -1, POLLIN, 0 };
		}
		if (poll(p, 2 + RINGS, -1) < 0)
			err(1, "poll");
		if (p[1].revents && read(signals, &info, sizeof(info)) > 0)
			report_write();
		/* Before a message that may close what was polled. */
		for (i = 0; i < RINGS; i++)
			if (p[2 + i].revents && read(rings[i].kick, &kicks, sizeof(kicks)) < 0)
				warn("kick");
		if (p[0].revents && !protocol_message(sock))
			return;
		rings_serve();
	}
}

static const struct device *known(const char *type)
{
	static const struct device *const all[] = { &rng, &blk, &net };
	unsigned int i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i]->name, type))
			return all[i];
	errx(2, "%s is no device", type);
}

int main(int argc, char **argv)
{
	int signals = asked();

	if (argc < 4)
		errx(2, "usage: %s TYPE SOCKET REPORT [OPTION...]", argv[0]);
	device = known(argv[1]);
	read_options(argv + 4);
	if (device->open && !device->open(device->source))
		err(1, "%s", device->source);
	report_open(argv[3]);
	serve(meet(argv[2]), signals);
	report_write();

	return 0;
}
