// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of a boot lab guest: run the steps that the kernel command line
 * names, report what came out of them to the host, and power off.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "lib/guest.h"

struct step {
	const char *name;
	void (*fn)(const char *arg);
};

static const struct step steps[] = {
	{ "devices", step_devices },
	{ "read", step_read },
	{ "write", step_write },
	{ "load", step_load },
	{ "rng", step_rng },
	{ "net", step_net },
	{ "sync", step_sync },
	{ "rebind", step_rebind },
	{ "replug", step_replug },
	{ "unplug", step_unplug },
	{ "kexec", step_kexec },
	{ "suspend", step_suspend },
	{ "hibernate", step_hibernate },
	{ "filter", step_filter },
	{ "unfilter", step_unfilter },
	{ "resize", step_resize },
	{ "modules", step_modules },
	{ "leaks", step_leaks },
	{ "port", step_port },
	{ "share", step_share },
	{ "gpu", step_gpu },
	{ "input", step_input },
	{ "flood", step_flood },
	{ "loaded", step_loaded },
	{ "hotplug", step_hotplug },
	{ "host", step_host },
	{ "canary", step_canary },
	{ "faults", step_faults },
	{ "selftest", step_selftest },
	{ NULL, NULL },
};

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

/* The words of the command line, each ended by a NUL, an empty one last. */
static char cmdline[4096];

/* Return the value, "" for a flag, NULL where it is missing. The last counts. */
const char *param(const char *name)
{
	size_t len = strlen(name);
	const char *word, *found = NULL;

	for (word = cmdline; *word; word += strlen(word) + 1) {
		if (!strncmp(word, name, len) && (word[len] == '=' || !word[len]))
			found = word + len + !!word[len];
	}

	return found;
}

static void read_cmdline(void)
{
	char text[sizeof(cmdline) - 1] = "";
	char *word, *rest, *to = cmdline;

	read_text("/proc/cmdline", text, sizeof(text));
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		to += sprintf(to, "%s", word) + 1;
}

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
	bounded_init();

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
	modules_load();
}

void run_step(const char *spec)
{
	char name[256];
	const struct step *step;
	char *arg;

	snprintf(name, sizeof(name), "%s", spec);
	arg = strchr(name, ':');
	if (arg)
		*arg++ = '\0';
	report_step(name);

	for (step = steps; step->name; step++) {
		if (!strcmp(step->name, name)) {
			bounded(step->fn, arg);
			break;
		}
	}
	if (!step->name) {
		errno = EINVAL;
		fail("unknown-step", NULL);
	}
	report_step("init");
}

void print_steps(void)
{
	const struct step *step;

	for (step = steps; step->name; step++)
		printf("%s\n", step->name);
}

static char *left;

const char *steps_left(void)
{
	return left;
}

static void run_steps(void)
{
	const char *value = param("vdma.steps");
	char list[sizeof(cmdline)];
	char *spec;

	snprintf(list, sizeof(list), "%s", value ? value : "");
	for (spec = strtok_r(list, ",", &left); spec; spec = strtok_r(NULL, ",", &left))
		run_step(spec);
}

int main(void)
{
	/* Spare a machine on which someone starts this by mistake. */
	if (getpid() != 1)
		return 1;

	start();
	run_steps();
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
