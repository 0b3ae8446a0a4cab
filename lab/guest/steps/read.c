// SPDX-License-Identifier: GPL-2.0-only
/* Read every disk past the page cache, so that the device does DMA. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "../lib/disk.h"
#include "../lib/hash.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"
#include "../lib/util.h"

/* How many reads the disk has completed. */
static unsigned long completed(const char *disk)
{
	char stat[256];

	if (read_text(token_fmt("/sys/block/%s/stat", disk).s, stat, sizeof(stat))) {
		fail("stat", disk);
		return 0;
	}

	return strtoul(stat, NULL, 10);
}

/* The most that a segment of a request may have. */
static struct token segment(const char *disk)
{
	return read_token("/sys/block/%s/queue/max_segment_size", disk);
}

static struct reading how;

static void read_disk(const char *disk, void *buf)
{
	int fd = open_disk(disk, O_RDONLY);
	unsigned long before;
	char hex[HASH_HEX];
	long long bytes;

	if (fd < 0)
		return;

	before = completed(disk);
	bytes = hash_open_disk(fd, buf, &how, hex);
	if (bytes < 0)
		fail("read", disk);
	else
		report("read disk=%s bytes=%lld sha256=%s requests=%lu segment=%s failed=%lu",
		       disk_serial(disk).s, bytes, hex, completed(disk) - before,
		       one_word(segment(disk).s).s, how.failed);
	close(fd);
}

/* Take, or not, in pieces of how many bytes, each of them again if it fails. */
static void step_read(const char *arg)
{
	how = reading(arg);
	each_disk(read_disk, MIB);
}

STEP(read, step_read);
