// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "kexec.h"
#include "report.h"
#include "share.h"
#include "step.h"
#include "sysfs.h"

/* Have room for the steps that are left, however many kernels there were. */
static void drop_steps(char *line)
{
	char *steps = strstr(line, " vdma.steps=");

	if (steps)
		memmove(steps, strchrnul(steps + 1, ' '), strlen(strchrnul(steps + 1, ' ')) + 1);
}

/* Have the next kernel's init go on with the steps that are left. */
static int load(unsigned long flags, const char *extra)
{
	int kernel = open(SHARE "/kernel", O_RDONLY | O_CLOEXEC);
	int initrd = open(SHARE "/initrd", O_RDONLY | O_CLOEXEC);
	char old[2048], line[4096];
	int len, ret = -1;

	if (kernel >= 0 && initrd >= 0 && !read_text("/proc/cmdline", old, sizeof(old))) {
		drop_steps(old);
		len = snprintf(line, sizeof(line), "%s vdma.steps=%s%s", old, steps_left(), extra);
		ret = syscall(SYS_kexec_file_load, kernel, initrd, len + 1, line, flags);
	}
	close(kernel);
	close(initrd);

	return ret;
}

/* Report what fails; return 0 if the kernel is loaded. */
int kexec_load_shared(unsigned long flags, const char *extra)
{
	int ret;

	if (share_mount(MS_RDONLY)) {
		fail("mount", NULL);
		return -1;
	}
	ret = load(flags, extra);
	if (ret)
		fail("load", NULL);
	if (umount(SHARE))
		fail("umount", NULL);

	return ret;
}
