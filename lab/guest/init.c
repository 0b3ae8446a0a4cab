// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of a boot lab guest: run the steps that the kernel command line
 * names, report what came out of them to the host, and power off.
 *
 * What includes what goes one way: this the shell, both of them lib/, which
 * knows no step; each file of steps/ is one that registers itself (lib/step.h).
 */
#include <errno.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "lib/beat.h"
#include "lib/cmdline.h"
#include "lib/module.h"
#include "lib/report.h"
#include "lib/run.h"
#include "lib/step.h"
#include "shell.h"

static struct mount {
	const char *type;
	const char *path;
	int err;
} mounts[] = {
	{ "devtmpfs", "/dev", 0 },
	{ "proc", "/proc", 0 },
	{ "sysfs", "/sys", 0 },
	{ "debugfs", "/sys/kernel/debug", 0 },
	{ NULL, NULL, 0 },
};

static void mount_all(void)
{
	struct mount *m;

	for (m = mounts; m->path; m++) {
		/* Leave it to the mount to fail. */
		mkdir(m->path, 0755);
		if (mount(m->type, m->path, m->type, 0, NULL) && errno != EBUSY)
			m->err = errno;
	}
}

static void start(void)
{
	struct utsname uts = { 0 };
	const char *name;
	int err = 0;
	struct mount *m;

	mount_all();
	read_cmdline();
	beat_init();

	name = param("vdma.report");
	if (name && report_open(name))
		err = errno;

	/* Greet the host before any trouble that there was. */
	uname(&uts);
	report("hello release=%s machine=%s", uts.release, uts.machine);
	if (err) {
		errno = err;
		fail("report-port", name);
	}
	for (m = mounts; m->path; m++) {
		errno = m->err;
		if (errno)
			fail("mount", m->path);
	}
	modules_load(param("kunit.enable"));
}

int main(void)
{
	/* Spare a machine on which someone starts this by mistake. */
	if (getpid() != 1)
		return 1;

	start();
	run_steps(param("vdma.steps"));
	report("done errors=%u", errors);
	if (param("vdma.shell"))
		shell();

	bounded(drain, NULL);
	for (;;) {
		reboot(RB_POWER_OFF);
		/* Have the emulator end on a machine that cannot power off. */
		reboot(RB_AUTOBOOT);
	}
}
