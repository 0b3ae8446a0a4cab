// SPDX-License-Identifier: GPL-2.0-only
/* Keep devices at work while something happens to the guest, or to them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "beat.h"
#include "disk.h"
#include "hash.h"
#include "iface.h"
#include "patience.h"
#include "share.h"
#include "sysfs.h"
#include "text.h"
#include "work.h"

#define DISCARD		9	/* the service that takes everything and says nothing */
#define BURST		64	/* datagrams */

static int blk_round(struct work *work)
{
	char hex[HASH_HEX];

	if (rewrite_disk("vda") || hash_disk("vda", reading(NULL), hex))
		return -1;
	if (work->rounds && strcmp(work->hex, hex)) {
		errno = EBADMSG;
		return -1;
	}
	memcpy(work->hex, hex, HASH_HEX);

	return 0;
}

/* Nobody answers: it does not matter that datagrams are lost. */
static int net_round(struct work *work)
{
	static const char data[1400];
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(DISCARD) };
	static int fd = -1;
	struct token name;
	int i;

	(void)work;
	if (fd < 0) {
		if (iface_up(&name))
			return -1;
		fd = socket(AF_INET, SOCK_DGRAM, 0);
	}
	inet_pton(AF_INET, HOST, &sin.sin_addr);
	for (i = 0; i < BURST; i++) {
		if (sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&sin, sizeof(sin)) < 0)
			return -1;
		alive();
	}

	return 0;
}

static int rng_round(struct work *work)
{
	int fd = open("/dev/hwrng", O_RDONLY | O_CLOEXEC);
	char data[256];
	ssize_t n;

	(void)work;
	if (fd < 0)
		return -1;
	n = read(fd, data, sizeof(data));
	if (!n)
		errno = ENODATA;
	close_quietly(fd);
	alive();

	return n > 0 ? 0 : -1;
}

static int share_round(struct work *work)
{
	void *buf = malloc(SHARE_BYTES);
	int ret = -1;

	if (buf && !share_mount(MS_RDONLY)) {
		ret = share_read(buf, work->hex);
		umount(SHARE);
	}
	free(buf);

	return ret;
}

const struct work_kind work_kinds[WORK_KINDS] = {
	{ "blk", blk_round },
	{ "net", net_round },
	{ "rng", rng_round },
	{ "share", share_round },
};

static void work_on(struct work *work, const struct work_kind *kind)
{
	/* Do not outlive the step. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alive_at(&work->beats);
	while (!__atomic_load_n(&work->stop, __ATOMIC_RELAXED)) {
		if (kind->round(work)) {
			work->err = errno;
			break;
		}
		work->rounds++;
	}
	_exit(0);
}

/* Wait until the device does something that it had not done before. */
int work_goes_on(const struct work *work)
{
	unsigned int beats = __atomic_load_n(&work->beats, __ATOMIC_RELAXED);
	struct patience p = patience(STALL_MS / 2);

	while (__atomic_load_n(&work->beats, __ATOMIC_RELAXED) == beats) {
		if (!wait_ms(&p, 1)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}

	return 0;
}

/* Start on I/O through @device; return once some has been done. */
struct work *work_start(const char *device)
{
	const struct work_kind *kind = work_kinds;
	struct work *work;
	pid_t pid;

	while (strcmp(kind->device, device)) {
		if (++kind == work_kinds + WORK_KINDS) {
			errno = EINVAL;
			return NULL;
		}
	}
	work = mmap(NULL, sizeof(*work), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (work == MAP_FAILED)
		return NULL;
	pid = fork();
	if (!pid)
		work_on(work, kind);
	work->pid = pid;

	return pid > 0 && !work_goes_on(work) ? work : NULL;
}

/* Have the round that goes on be the last. */
void work_stop(struct work *work)
{
	__atomic_store_n(&work->stop, 1, __ATOMIC_RELAXED);
}

/* Wait for the end; an error is what ended it, but for ETIMEDOUT: it did not. */
int work_wait(const struct work *work)
{
	struct patience p = patience(STALL_MS / 2);
	unsigned int beats = 0, now;

	while (waitpid(work->pid, NULL, WNOHANG) != work->pid) {
		now = __atomic_load_n(&work->beats, __ATOMIC_RELAXED);
		if (now != beats)
			p = patience(STALL_MS / 2);
		else if (p.left <= 0)
			return ETIMEDOUT;
		beats = now;
		alive();
		wait_ms(&p, 10);
	}

	return work->err;
}
