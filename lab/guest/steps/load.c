// SPDX-License-Identifier: GPL-2.0-only
/* Send one disk the same request again and again, for its cost to be counted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/cpu.h"
#include "../lib/disk.h"
#include "../lib/report.h"
#include "../lib/step.h"

/* As many as 1 MiB has pages. */
#define SEGMENTS	256

static const char *disk(void)
{
	return access("/dev/vda", F_OK) ? "sda" : "vda";
}

static int repeat(int fd, unsigned long count, size_t size)
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
		return 1;
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
			fail("read", disk());
			return 1;
		}
		alive();
	}
	munmap(buf, page);

	return 0;
}

/* Be the reader on one of the CPUs. */
static int reader(unsigned int cpu, unsigned long count, size_t size)
{
	int fd;

	if (stay_on(cpu)) {
		fail("cpu", NULL);
		return 1;
	}

	fd = open_disk(disk(), O_RDONLY);

	return fd < 0 ? 1 : repeat(fd, count, size);
}

/* Take COUNT:BYTES:READERS: so many in all, shared by a reader on each of the first CPUs. */
static void step_load(const char *arg)
{
	unsigned int i, readers;
	unsigned long count;
	int status, bad = 0;
	size_t size;

	if (!arg || sscanf(arg, "%lu:%zu:%u", &count, &size, &readers) != 3 || !size ||
	    size % 512 || !readers || count % readers) {
		errno = EINVAL;
		fail("count-bytes-readers", NULL);
		return;
	}

	for (i = 0; i < readers; i++)
		if (!fork())
			_exit(reader(i, count / readers, size));
	while (wait(&status) > 0)
		bad |= status;
	if (!bad)
		report("load count=%lu bytes=%zu readers=%u", count, size, readers);
}

STEP(load, step_load);
