// SPDX-License-Identifier: GPL-2.0-only
/* The bytes of a virtio entropy device are random: stale or repeated ones are not. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include "../kselftest.h"
#include "vdev.h"

#define WORDS	64
#define TRIES	1000

/* Poll: a blocking read of a device that never answers would not end. */
static bool draw(int fd, void *buf, size_t size)
{
	size_t len = 0;
	int i;

	for (i = 0; i < TRIES && len < size; i++) {
		ssize_t got = read(fd, (char *)buf + len, size - len);

		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (got > 0)
			len += got;
		else
			poll(NULL, 0, 10);
	}

	return len == size;
}

/* A word of eight random bytes is neither zero nor the same as another one. */
static bool distinct(const uint64_t *words)
{
	int i, j;

	for (i = 0; i < WORDS; i++) {
		if (!words[i])
			return false;
		for (j = 0; j < i; j++)
			if (words[i] == words[j])
				return false;
	}

	return true;
}

int main(void)
{
	uint64_t words[WORDS];
	char current[64];
	bool drawn;
	int fd;

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("only root may do this\n");
	if (text_read(current, sizeof(current), "/sys/class/misc", "hw_random",
		      "rng_current"))
		ksft_exit_skip("there is no hardware random number generator\n");
	if (strncmp(current, "virtio_rng", strlen("virtio_rng")))
		ksft_exit_skip("/dev/hwrng is not virtio's: rng_current is %s\n", current);
	fd = open("/dev/hwrng", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		ksft_exit_skip("/dev/hwrng: %s\n", strerror(errno));

	ksft_set_plan(1);
	drawn = draw(fd, words, sizeof(words));
	if (!drawn)
		ksft_print_msg("%s gives nothing\n", current);
	ksft_test_result(drawn && distinct(words), "%s: %zu random bytes\n", current,
			 sizeof(words));
	ksft_finished();
}
