// SPDX-License-Identifier: GPL-2.0-only
/*
 * Put a pattern wherever memory may lie next to a buffer of a device, or become
 * one, and have the host look for it where devices can read.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../lib/cmdline.h"
#include "../lib/device.h"
#include "../lib/driver.h"
#include "../lib/iface.h"
#include "../lib/patience.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"
#include "../lib/util.h"

#define BYTES		MIB
#define CACHED		"/canary"
#define DATAGRAMS	64
#define SECTOR		512
#define REUSE_MS	300

/* Two words over and over, which are in no other data of this boot. */
static void fill(__u64 *buf)
{
	size_t i;

	fill_pattern(buf, 2 * sizeof(*buf), ~strtoull(param("vdma.seed"), NULL, 16));
	for (i = 2; i < BYTES / sizeof(*buf); i++)
		buf[i] = buf[i - 2];
}

/* What the canary is in. */
struct held {
	__u64 *pages;
	int dgram[2];
	int pipe[2];
};

static int paged(struct held *held)
{
	held->pages = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (held->pages == MAP_FAILED)
		return -1;
	fill(held->pages);

	return 0;
}

static int cached(const __u64 *buf)
{
	int fd = open(CACHED, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = fd < 0 ? -1 : write(fd, buf, BYTES);

	close_quietly(fd);

	return n == BYTES ? 0 : -1;
}

/* Datagrams that wait are in the same caches as the packets of a network device. */
static int queued(struct held *held)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr *addr = (struct sockaddr *)&sin;
	socklen_t len = sizeof(sin);
	unsigned int i;

	held->dgram[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	held->dgram[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(held->dgram[0], addr, len) || getsockname(held->dgram[0], addr, &len) ||
	    connect(held->dgram[1], addr, len))
		return -1;
	for (i = 0; i < DATAGRAMS; i++)
		if (send(held->dgram[1], held->pages, 128 << i % 4, 0) < 0)
			return -1;

	return 0;
}

/* Pages of a pipe are the kernel's own, as the buffers that it gives to devices. */
static int piped(struct held *held)
{
	if (pipe2(held->pipe, O_CLOEXEC | O_NONBLOCK) ||
	    fcntl(held->pipe[1], F_SETPIPE_SZ, BYTES) < 0)
		return -1;

	return write(held->pipe[1], held->pages, BYTES) == BYTES ? 0 : -1;
}

static int hold(struct held *held)
{
	return paged(held) || queued(held) || piped(held);
}

static int drop(struct held *held)
{
	return munmap(held->pages, BYTES) || close(held->dgram[0]) || close(held->dgram[1]) ||
	       close(held->pipe[0]) || close(held->pipe[1]);
}

/* Drop it while the network device has no buffers, and it takes new ones from there. */
static int drop_for_net(struct held *held)
{
	struct token net = device_of("net"), driver, name;

	return driver_unbind(net.s, &driver) || drop(held) ||
	       driver_bind(net.s, &driver) || iface_up(&name);
}

/* Control: give it to a device. */
static int give_away(const __u64 *buf)
{
	int fd = open("/dev/vda", O_WRONLY | O_DIRECT | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pwrite(fd, buf, BYTES, 0);

	close_quietly(fd);

	return n == BYTES ? 0 : -1;
}

/*
 * Have a device fill a sector in the midst of it: what lies behind that buffer,
 * and before it, is the canary, whatever the allocators do.
 */
static int surrounded(__u64 *buf)
{
	int fd = open("/dev/vda", O_RDONLY | O_DIRECT | O_CLOEXEC);
	void *midst = (char *)buf + BYTES / 2 + SECTOR;
	ssize_t n;

	/* What a buffer held before is the device's to see. */
	memset(midst, 0, SECTOR);
	n = fd < 0 ? -1 : pread(fd, midst, SECTOR, 0);
	close_quietly(fd);

	return n == SECTOR ? 0 : -1;
}

static void step_canary(const char *arg)
{
	int to_disk = arg && !strcmp(arg, "disk");
	int to_net = arg && !strcmp(arg, "net");
	struct held kept, freed;

	if (loopback_up() || hold(&kept) || cached(kept.pages) || hold(&freed) ||
	    (to_net ? drop_for_net : drop)(&freed)) {
		fail("memory", NULL);
		return;
	}
	if (to_disk && give_away(kept.pages))
		fail("write", NULL);
	if (surrounded(kept.pages))
		fail("read", NULL);
	/* Devices that are at work may get what was freed. */
	sleep_ms(REUSE_MS);
	ask("search");
	drop(&kept);
	unlink(CACHED);
}

STEP(canary, step_canary);
