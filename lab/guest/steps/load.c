// SPDX-License-Identifier: GPL-2.0-only
/* Send one disk the same request again and again, for its cost to be counted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/report.h"
#include "../lib/step.h"

#define DISK	"vda"
/* As many as 1 MiB has pages. */
#define SEGMENTS	256

static void repeat(int fd, unsigned long count, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct iovec iov[SEGMENTS];
	unsigned long i;
	void *buf;
	int n = 0;

	buf = mmap(NULL, page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (buf == MAP_FAILED) {
		fail("memory", NULL);
		return;
	}

	/* Two pages may be one segment or not, as memory has it: take one page over and over. */
	for (i = size; i && n < SEGMENTS; i -= iov[n++].iov_len) {
		iov[n].iov_base = buf;
		iov[n].iov_len = i < page ? i : page;
	}

	for (i = 0; i < count; i++) {
		ssize_t got = preadv(fd, iov, n, 0);

		if (got != (ssize_t)size) {
			if (got >= 0)
				errno = EIO;
			fail("read", DISK);
			break;
		}
		alive();
	}
	if (i == count)
		report("load count=%lu bytes=%zu segments=%d", count, size, n);
	munmap(buf, page);
}

/* Take COUNT:BYTES. */
static void step_load(const char *arg)
{
	unsigned long count;
	size_t size;
	int fd;

	if (!arg || sscanf(arg, "%lu:%zu", &count, &size) != 2 || !size || size % 512) {
		errno = EINVAL;
		fail("count-and-bytes", NULL);
		return;
	}

	fd = open("/dev/" DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0) {
		fail("open", DISK);
		return;
	}
	repeat(fd, count, size);
	close(fd);
}

STEP(load, step_load);
