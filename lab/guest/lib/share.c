// SPDX-License-Identifier: GPL-2.0-only
/* Where the 9p share of the host is. */
#include <sys/mount.h>
#include <sys/stat.h>
#include "share.h"

int share_mount(unsigned long flags)
{
	mkdir(SHARE, 0755);
	return mount("share", SHARE, "9p", flags,
		     "trans=virtio,version=9p2000.L,msize=524288");
}
