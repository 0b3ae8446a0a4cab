// SPDX-License-Identifier: GPL-2.0-only
/* How long to wait. */
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "cmdline.h"
#include "patience.h"

/* Have more patience with a kernel that watches itself. */
#define WATCHED	"/sys/kernel/debug/kmemleak"

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
