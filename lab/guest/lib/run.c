// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run code that the device under test may block for good.
 *
 * Do it in a child: a task stuck in the kernel, where no signal reaches it, can
 * then be left behind, and the init goes on to the next step.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "beat.h"
#include "patience.h"
#include "report.h"
#include "run.h"

static bool wait_readable(int fd, unsigned int ms)
{
	struct patience p = patience(ms);

	return wait_fd(&p, fd, POLLIN);
}

/* Tell whether the child has ended before it went too long without progress. */
static int wait_child(int pidfd)
{
	unsigned int last;

	do {
		last = beats();
		if (wait_readable(pidfd, stall_ms()))
			return 1;
	} while (beats() != last);

	return 0;
}

static void collect(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid) {
		fail("wait", NULL);
	} else if (WIFSIGNALED(status)) {
		errno = EINTR;
		fail("signal", sigabbrev_np(WTERMSIG(status)));
	} else {
		errors += WEXITSTATUS(status);
	}
}

void bounded(void (*fn)(const char *arg), const char *arg)
{
	pid_t pid = fork();
	int pidfd;

	if (pid < 0) {
		fail("fork", NULL);
		return;
	}

	if (!pid) {
		errors = 0;
		fn(arg);
		_exit(errors > 255 ? 255 : errors);
	}

	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		fail("pidfd", NULL);
		kill(pid, SIGKILL);
		return;
	}

	if (wait_child(pidfd)) {
		collect(pid);
	} else {
		errno = ETIMEDOUT;
		fail("stalled", NULL);
		/* Reap it only if it can die: never wait on a stuck one. */
		kill(pid, SIGKILL);
		if (wait_readable(pidfd, 1000))
			waitpid(pid, NULL, 0);
	}
	close(pidfd);
}
