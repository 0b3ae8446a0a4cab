// SPDX-License-Identifier: GPL-2.0-only
/* Start the kernel anew from below: the next one finds the devices as they are. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../lib/report.h"
#include "../lib/share.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"

/* Have the next kernel's init go on with the steps that are left. */
static int load(const char *left)
{
	int kernel = open(SHARE "/kernel", O_RDONLY | O_CLOEXEC);
	int initrd = open(SHARE "/initrd", O_RDONLY | O_CLOEXEC);
	char old[2048], line[4096];
	int len, ret = -1;

	if (kernel >= 0 && initrd >= 0 && !read_text("/proc/cmdline", old, sizeof(old))) {
		len = snprintf(line, sizeof(line), "%s vdma.steps=%s", old, left);
		ret = syscall(SYS_kexec_file_load, kernel, initrd, len + 1, line, 0UL);
	}
	close(kernel);
	close(initrd);

	return ret;
}

static void step_kexec(const char *arg)
{
	int ret;

	(void)arg;
	if (share_mount(MS_RDONLY)) {
		fail("mount", NULL);
		return;
	}
	ret = load(steps_left());
	if (ret)
		fail("load", NULL);
	if (umount(SHARE))
		fail("umount", NULL);
	if (ret)
		return;

	report("kexec");
	drain(NULL);
	reboot(RB_KEXEC);
	fail("reboot", NULL);
}

STEP(kexec, step_kexec);
