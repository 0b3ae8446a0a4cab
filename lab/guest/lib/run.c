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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "guest.h"

/* Have more patience with a kernel that watches itself. */
#define WATCHED		"/sys/kernel/debug/kmemleak"

/* Let a child that is slow, but gets somewhere, tell so across the fork. */
static unsigned int *beats;

long long now_ms(void)
{
	struct timespec ts;

	/* Count the time spent suspended, too. */
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void sleep_ms(unsigned int ms)
{
	poll(NULL, 0, ms);
}

unsigned int stall_ms(void)
{
	const char *ms = param("vdma.stall");

	if (ms)
		return strtoul(ms, NULL, 0);

	return access(WATCHED, F_OK) ? STALL_MS : 3 * STALL_MS;
}

void alive(void)
{
	if (beats)
		__atomic_fetch_add(beats, 1, __ATOMIC_RELAXED);
}

/* Count apart from everything else what this process does from now on. */
void alive_at(unsigned int *count)
{
	beats = count;
}

void bounded_init(void)
{
	void *page = mmap(NULL, sizeof(*beats), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page != MAP_FAILED)
		beats = page;
}

static int wait_readable(int fd, long long ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	long long end = now_ms() + ms;
	int ret;

	/* Expect a suspend to interrupt the wait. */
	do {
		ret = poll(&pfd, 1, ms);
		ms = end - now_ms();
	} while (ret < 0 && errno == EINTR && ms > 0);

	return ret > 0;
}

/* Tell whether the child has ended before it went too long without progress. */
static int wait_child(int pidfd)
{
	unsigned int last;

	do {
		last = beats ? __atomic_load_n(beats, __ATOMIC_RELAXED) : 0;
		if (wait_readable(pidfd, stall_ms()))
			return 1;
	} while (beats && __atomic_load_n(beats, __ATOMIC_RELAXED) != last);

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
