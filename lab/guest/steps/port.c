// SPDX-License-Identifier: GPL-2.0-only
/* Send through a virtio-serial port. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/cmdline.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/util.h"

#define PORT	"/dev/vport0p1"
#define BYTES	MIB

static void step_port(const char *arg)
{
	int fd = open(PORT, O_WRONLY | O_CLOEXEC);
	__u64 *buf = malloc(BYTES);
	size_t done = 0;
	ssize_t n = -1;

	(void)arg;
	if (!buf || fd < 0) {
		fail("open", NULL);
		return;
	}

	fill_pattern(buf, BYTES, strtoull(param("vdma.seed"), NULL, 16));
	while (done < BYTES && (n = write(fd, (char *)buf + done, BYTES - done)) > 0) {
		done += n;
		alive();
	}
	if (done < BYTES)
		fail("send", NULL);
	else
		report("port bytes=%d", BYTES);
	close(fd);
	free(buf);
}

STEP(port, step_port);
