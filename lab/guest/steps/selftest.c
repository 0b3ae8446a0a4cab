// SPDX-License-Identifier: GPL-2.0-only
/* Run the kernel's own selftests, and pass on what they say for the host to judge. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../lib/cmdline.h"
#include "../lib/iface.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define SELFTESTS	"/selftests"
#define DISK		"/dev/vda"

static void add_name(const char *name, void *arg)
{
	struct token driver = link_name(VIRTIO_DEVICES "/%s/driver", name);
	struct token *names = arg;

	/* Others depend on an IOMMU. */
	if (strcmp(driver.s, "-") && strcmp(driver.s, "virtio_iommu"))
		*names = token_fmt("%.100s %s", names->s, name);
}

static pid_t start(const char *name, int out[2])
{
	struct token path = token_fmt(SELFTESTS "/%s", name);
	pid_t pid;

	if (pipe(out))
		return -1;

	pid = fork();
	if (!pid) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		execl(path.s, name, (char *)NULL);
		_exit(127);
	}
	close(out[1]);

	return pid;
}

static void run_one(const char *name, void *arg)
{
	struct token iface;
	char line[256];
	int out[2], status;
	pid_t pid;
	FILE *said;

	(void)arg;
	/* One that was bound again is a new one. */
	iface_up(&iface);
	pid = start(name, out);
	said = pid < 0 ? NULL : fdopen(out[0], "r");
	if (!said) {
		fail("start", name);
		return;
	}

	while (fgets(line, sizeof(line), said)) {
		line[strcspn(line, "\n")] = '\0';
		report("selftest name=%s line=%s", name, one_word(line).s);
	}
	fclose(said);
	if (waitpid(pid, &status, 0) == pid)
		report("selftest name=%s exit=%d", name, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void step_selftest(const char *arg)
{
	struct token names = { "" };

	(void)arg;
	for_each(VIRTIO_DEVICES, "virtio", add_name, &names);
	/* What there is belongs to the tests, and the host has a copy of the disk. */
	setenv("VIRTIO_TEST_DEVICES", names.s, 1);
	setenv("VIRTIO_TEST_DISK", DISK, 1);
	setenv("VIRTIO_TEST_PEER", HOST, 1);
	if (param("vdma.confidential"))
		setenv("VIRTIO_TEST_CONFIDENTIAL", "1", 1);

	if (!for_each(SELFTESTS, "", run_one, NULL)) {
		errno = ENOENT;
		fail("no-selftest", NULL);
	}
}

STEP(selftest, step_selftest);
