// SPDX-License-Identifier: GPL-2.0-only
/* Do another step while the host holds back the disk's answers, until the bounce pool is full. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"

#define READ_ALL	3
#define CLEAR		5
#define FULL		"swiotlb buffer is full"

static bool pool_was_full(void)
{
	static char log[64 * 1024];
	int n = klogctl(READ_ALL, log, sizeof(log) - 1);

	log[n > 0 ? n : 0] = '\0';

	return strstr(log, FULL);
}

static void step_choked(const char *arg)
{
	struct patience p = patience(STALL_MS / 2);
	int status = 0;
	pid_t pid;

	klogctl(CLEAR, NULL, 0);
	if (ask("choke"))
		return;

	pid = fork();
	if (!pid) {
		errors = 0;
		run_step(arg);
		_exit(!!errors);
	}
	while (!pool_was_full() && wait_ms(&p, 100))
		;
	if (!pool_was_full()) {
		errno = ETIMEDOUT;
		fail("not-full", NULL);
	}
	ask("release");

	/* The step has told what went wrong in it. */
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail("wait", NULL);
	else if (status)
		errors++;
}

STEP(choked, step_choked);
