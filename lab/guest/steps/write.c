// SPDX-License-Identifier: GPL-2.0-only
/* Write to the middle of every disk past the page cache. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "../lib/cmdline.h"
#include "../lib/disk.h"
#include "../lib/report.h"
#include "../lib/step.h"

static void write_disk(const char *disk, void *buf)
{
	int fd = open_disk(disk, O_RDWR | O_DSYNC);
	off_t offset;

	if (fd < 0)
		return;

	offset = write_middle(fd, buf);
	if (offset < 0)
		fail("write", disk);
	else
		report("write disk=%s offset=%lld bytes=%d", disk_serial(disk).s,
		       (long long)offset, WRITE_BYTES);
	close(fd);
}

static void step_write(const char *arg)
{
	(void)arg;
	if (!param("vdma.seed")) {
		errno = EINVAL;
		fail("no-seed", NULL);
		return;
	}
	each_disk(write_disk, REQUEST_BYTES);
}

STEP(write, step_write);
