// SPDX-License-Identifier: GPL-2.0-only
/* Read a file of a 9p share that the host has, and write one. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>
#include "../lib/cmdline.h"
#include "../lib/hash.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/share.h"
#include "../lib/step.h"

static int write_file(__u64 *buf)
{
	int fd = open(SHARE "/out", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n;

	fill_pattern(buf, SHARE_BYTES, strtoull(param("vdma.seed"), NULL, 16));
	n = fd < 0 ? -1 : write(fd, buf, SHARE_BYTES);

	return n != SHARE_BYTES || fsync(fd) || close(fd) ? -1 : 0;
}

static void step_share(const char *arg)
{
	__u64 *buf = malloc(SHARE_BYTES);
	char hex[HASH_HEX];

	(void)arg;
	if (share_mount(0)) {
		fail("mount", NULL);
		return;
	}
	if (!buf || share_read(buf, hex))
		fail("read", NULL);
	else if (write_file(buf))
		fail("write", NULL);
	else
		report("share bytes=%d sha256=%s", SHARE_BYTES, hex);
	if (umount(SHARE))
		fail("umount", NULL);
	free(buf);
}

STEP(share, step_share);
