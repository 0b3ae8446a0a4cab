// SPDX-License-Identifier: GPL-2.0-only
/* Draw from the hardware random number generator. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "../lib/hash.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"

#define BYTES	4096
#define ENDS	32

/*
 * Poll: a blocking read of a device that never answers ends on a fatal signal
 * only, and would hide how far it came.
 */
static int draw(int fd, unsigned char *buf)
{
	struct patience p = patience(stall_ms() / 2);
	size_t len = 0;
	ssize_t n;

	while (len < BYTES) {
		n = read(fd, buf + len, BYTES - len);
		if (n > 0) {
			len += n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (!wait_ms(&p, 1)) {
			errno = ETIMEDOUT;
			return -1;
		}
	}

	return 0;
}

static void step_rng(const char *arg)
{
	char head[2 * ENDS + 1], tail[2 * ENDS + 1], hex[HASH_HEX];
	unsigned char buf[BYTES];
	int fd, hash, ret;

	(void)arg;
	fd = open("/dev/hwrng", O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		fail("open", NULL);
		return;
	}
	ret = draw(fd, buf);
	if (ret)
		fail(errno == ETIMEDOUT ? "stalled" : "read", NULL);
	close(fd);
	if (ret)
		return;

	hash = hash_open();
	if (hash < 0 || hash_add(hash, buf, BYTES) || hash_close(hash, hex)) {
		fail("hash", NULL);
		return;
	}

	to_hex(head, buf, ENDS);
	to_hex(tail, buf + BYTES - ENDS, ENDS);
	report("rng bytes=%d head=%s tail=%s sha256=%s source=%s", BYTES, head, tail, hex,
	       read_token("/sys/class/misc/hw_random/rng_current").s);
}

STEP(rng, step_rng);
