// SPDX-License-Identifier: GPL-2.0-only
/* The host's share, by 9p or virtiofs: where it is, and what it holds. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "beat.h"
#include "patience.h"
#include "share.h"

#define BUSY_MS	10000

/* The device serves one mount at a time: wait for work that has it. */
int share_mount(unsigned long flags)
{
	struct patience p = patience(BUSY_MS);
	int ret;

	mkdir(SHARE, 0755);
	do {
		ret = mount("share", SHARE, "9p", flags,
			    "trans=virtio,version=9p2000.L,msize=524288");
		/* No device of 9p has that name. */
		if (ret && errno == ENOENT)
			ret = mount("share", SHARE, "virtiofs", flags, NULL);
	} while (ret && errno == EBUSY && wait_ms(&p, 1));

	return ret;
}

/* Take a buffer of SHARE_BYTES. */
int share_read(void *buf, char hex[HASH_HEX])
{
	int fd = open(SHARE "/in", O_RDONLY | O_CLOEXEC), hash = hash_open();
	ssize_t n = -1;

	if (fd >= 0 && hash >= 0) {
		while ((n = read(fd, buf, SHARE_BYTES)) > 0 && !hash_add(hash, buf, n))
			alive();
	}
	close(fd);

	return n || hash_close(hash, hex) ? -1 : 0;
}
