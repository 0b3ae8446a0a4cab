// SPDX-License-Identifier: GPL-2.0-only
/* Read the keys that the host presses on the keyboard. */
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define KEYS		128
/* What the device's queue holds: QEMU makes five events of one. */
#define AT_ONCE		8
#define QUIET_MS	3000

/* Each key is pressed and let go; the kernel may repeat one in between. */
static int collect(int fd, unsigned long keys, char *text)
{
	struct input_event event;
	unsigned long got = 0;

	while (got < 2 * keys) {
		struct patience p = patience(QUIET_MS);

		if (!wait_fd(&p, fd, POLLIN))
			return -1;
		if (read(fd, &event, sizeof(event)) != sizeof(event))
			return -1;
		if (event.type != EV_KEY || event.value > 1)
			continue;
		text += sprintf(text, "%u%c", event.code, event.value ? '+' : '-');
		got++;
	}

	return 0;
}

static int some_keys(int fd, unsigned long keys)
{
	/* Room for the longest code and its sign. */
	char text[2 * KEYS * 6 + 1] = "";
	int ret;

	if (ask(token_fmt("type keys=%lu", keys).s))
		return -1;
	ret = collect(fd, keys, text);
	if (ret)
		fail("keys", NULL);
	report("input events=%s", text);

	return ret;
}

/* Take how many keys the host presses before any is read. */
static void step_input(const char *arg)
{
	unsigned long at_once = arg ? strtoul(arg, NULL, 0) : AT_ONCE;
	struct token device = entry_name("virtio", VIRTIO_DRIVERS "/virtio_input");
	struct token input = entry_name("input", VIRTIO_DEVICES "/%s/input", device.s);
	struct token node = entry_name("event", VIRTIO_DEVICES "/%s/input/%s", device.s, input.s);
	unsigned int done;
	int fd;

	if (!at_once || KEYS % at_once) {
		errno = EINVAL;
		fail("at-once", NULL);
		return;
	}
	fd = open(token_fmt("/dev/input/%s", node.s).s, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fail("open", NULL);
		return;
	}
	for (done = 0; done < KEYS && !some_keys(fd, at_once); done += at_once)
		alive();
	close(fd);
}

STEP(input, step_input);
