// SPDX-License-Identifier: GPL-2.0-only
/* Read every disk past the page cache, so that the device does DMA. */
#include <fcntl.h>
#include <unistd.h>
#include "../lib/disk.h"
#include "../lib/hash.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/util.h"

static void read_disk(const char *disk, void *buf)
{
	int fd = open_disk(disk, O_RDONLY);
	char hex[HASH_HEX];
	long long bytes;

	if (fd < 0)
		return;

	bytes = hash_open_disk(fd, buf, hex);
	if (bytes < 0)
		fail("read", disk);
	else
		report("read disk=%s bytes=%lld sha256=%s", disk_serial(disk).s, bytes, hex);
	close(fd);
}

static void step_read(const char *arg)
{
	(void)arg;
	each_disk(read_disk, MIB);
}

STEP(read, step_read);
