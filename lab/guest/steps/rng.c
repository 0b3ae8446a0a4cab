// SPDX-License-Identifier: GPL-2.0-only
/* Draw from the hardware random number generator. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/hash.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"

#define BYTES	4096
#define TRIES	2000
#define ENDS	32
/* Of many draws, one in so many is told of. */
#define TOLD	50

/*
 * Poll: a blocking read of a device that never answers ends on a fatal signal
 * only, and would hide how far it came.
 */
static int draw(int fd, unsigned char *buf)
{
	struct patience p = patience(stall_ms() / 2);
	unsigned int tries = 0;
	size_t len = 0;
	ssize_t n;

	while (len < BYTES) {
		n = read(fd, buf + len, BYTES - len);
		if (n > 0) {
			len += n;
			tries = 0;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		/* A device that works takes less than a sleep. */
		if (tries++ < TRIES) {
			sched_yield();
			continue;
		}
		if (!wait_ms(&p, 1)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}

	return 0;
}

/* Tell what was drawn, the ends of it as it is. */
static bool tell(const unsigned char *buf)
{
	char head[2 * ENDS + 1], tail[2 * ENDS + 1], hex[HASH_HEX];
	int hash = hash_open();

	if (hash < 0 || hash_add(hash, buf, BYTES) || hash_close(hash, hex)) {
		fail("hash", NULL);
		return false;
	}

	to_hex(head, buf, ENDS);
	to_hex(tail, buf + BYTES - ENDS, ENDS);
	report("rng bytes=%d head=%s tail=%s sha256=%s source=%s", BYTES, head, tail, hex,
	       read_token("/sys/class/misc/hw_random/rng_current").s);

	return true;
}

/* Draw so many times; tell of the first, the last, and some between. */
static void step_rng(const char *arg)
{
	unsigned long i, rounds = arg ? strtoul(arg, NULL, 0) : 1;
	unsigned char buf[BYTES];
	bool good = true;
	int fd;

	fd = open("/dev/hwrng", O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		fail("open", NULL);
		return;
	}
	for (i = 1; i <= rounds && good; i++) {
		good = !draw(fd, buf);
		if (!good)
			fail(errno == ETIMEDOUT ? "stalled" : "read", NULL);
		else if (i == 1 || i == rounds || i % TOLD == 0)
			good = tell(buf);
		alive();
	}
	close(fd);
}

STEP(rng, step_rng);
