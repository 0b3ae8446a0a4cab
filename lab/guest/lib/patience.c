// SPDX-License-Identifier: GPL-2.0-only
/* How long to wait. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "cmdline.h"
#include "patience.h"

/* Have more patience with a kernel that watches itself. */
#define WATCHED		"/sys/kernel/debug/kmemleak"

/* Look at the clock as often as this, and take more to be the host's doing. */
#define SLICE_MS	100

long long now_ms(void)
{
	struct timespec ts;

	/* Count the time spent suspended, too. */
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void sleep_ms(unsigned int ms)
{
	poll(NULL, 0, ms);
}

unsigned int stall_ms(void)
{
	const char *ms = param("vdma.stall");

	if (ms)
		return strtoul(ms, NULL, 0);

	return access(WATCHED, F_OK) ? STALL_MS : 3 * STALL_MS;
}

struct patience patience(unsigned int ms)
{
	return (struct patience){ .left = ms, .seen = now_ms() };
}

/*
 * Nothing here sleeps for more than a slice. If more has passed, no process of
 * the guest could get on, whether its CPUs did not run or it was suspended.
 */
static void take_off(struct patience *p)
{
	long long now = now_ms(), passed = now - p->seen;

	p->left -= passed < SLICE_MS ? passed : SLICE_MS;
	p->seen = now;
}

/* Sleep, for a slice at most; tell whether any patience is left. */
bool wait_ms(struct patience *p, unsigned int ms)
{
	sleep_ms(ms < SLICE_MS ? ms : SLICE_MS);
	take_off(p);

	return p->left > 0;
}

/* Wait for a slice, for who has something to do in between. */
bool wait_slice(struct patience *p, int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ret = poll(&pfd, 1, p->left < SLICE_MS ? p->left : SLICE_MS);

	take_off(p);

	/* Expect a suspend to interrupt the wait. */
	return ret > 0;
}

/* Wait for as long as there is patience. */
bool wait_fd(struct patience *p, int fd, short events)
{
	while (p->left > 0)
		if (wait_slice(p, fd, events))
			return true;
	errno = ETIMEDOUT;

	return false;
}
