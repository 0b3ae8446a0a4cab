// SPDX-License-Identifier: GPL-2.0-only
/* Leave the hardware random number generator, come back to it, and draw; again and again. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"

#define CURRENT		"/sys/class/misc/hw_random/rng_current"
/* The kernel lets go of a generator in a work. */
#define LET_GO_MS	300

/* Wait for the device, as most users do: a reader that does not wait never waits in vain. */
static int draw(void)
{
	int fd = open("/dev/hwrng", O_RDONLY | O_CLOEXEC);
	char data[16];
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, data, sizeof(data));
	close_quietly(fd);

	return n == sizeof(data) ? 0 : -1;
}

static void step_reselect(const char *arg)
{
	unsigned long i, rounds = arg ? strtoul(arg, NULL, 0) : 1;
	struct token name = read_token(CURRENT);

	for (i = 0; i < rounds; i++) {
		if (draw() || write_text(CURRENT, "none")) {
			fail("leave", name.s);
			return;
		}
		sleep_ms(LET_GO_MS);
		if (write_text(CURRENT, name.s) || draw()) {
			fail("return", name.s);
			return;
		}
		alive();
	}
	report("reselect rounds=%lu name=%s", i, name.s);
}

STEP(reselect, step_reselect);
