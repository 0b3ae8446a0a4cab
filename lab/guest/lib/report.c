// SPDX-License-Identifier: GPL-2.0-only
/* Talk to the host over the report port. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "beat.h"
#include "patience.h"
#include "report.h"
#include "text.h"

#define APPEAR_MS	5000
#define SYNC_MS		30000

unsigned int errors;

static int port = -1;
static const char *step = "init";

int report_open(const char *name)
{
	struct token path = token_fmt("/dev/%s", name);
	struct patience p = patience(APPEAR_MS);
	struct termios tio;

	/* Never block on a host that has stopped reading. */
	while ((port = open(path.s, O_RDWR | O_NOCTTY | O_NONBLOCK)) < 0) {
		int err = errno;

		if (!wait_ms(&p, 20)) {
			errno = err;
			return -1;
		}
	}

	if (tcgetattr(port, &tio))
		return -1;
	cfmakeraw(&tio);
	tio.c_cflag |= CLOCAL | CREAD;
	cfsetispeed(&tio, B115200);
	cfsetospeed(&tio, B115200);

	return tcsetattr(port, TCSANOW, &tio);
}

void report_step(const char *name)
{
	step = name;
}

static int put(int fd, const char *line, size_t len)
{
	struct patience p = patience(STALL_MS);
	ssize_t n;

	while (len) {
		if (!wait_fd(&p, fd, POLLOUT))
			return -1;
		n = write(fd, line, len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n > 0) {
			line += n;
			len -= n;
		}
	}

	return 0;
}

void report(const char *fmt, ...)
{
	char line[1024] = "vdma ";
	size_t len = strlen(line);
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
	va_end(args);
	len = strlen(line);
	line[len++] = '\n';

	/* Go on without a port that is stuck, rather than wait for every line. */
	if (port >= 0 && put(port, line, len))
		port = -1;
	put(STDOUT_FILENO, line, len);
	alive();
}

/* Report errno; name the object, where a step goes through several. */
void fail(const char *what, const char *at)
{
	int err = errno;

	errors++;
	report("error step=%s what=%s errno=%d%s%s", step, what, err,
	       at ? " at=" : "", at ? at : "");
	errno = err;
}

void drain(const char *arg)
{
	(void)arg;
	if (port >= 0)
		tcdrain(port);
	sync();
}

/* Read byte by byte, to leave the next step's line in the port. */
static int get_byte(struct patience *p, char *c)
{
	if (!wait_slice(p, port, POLLIN))
		return 0;
	if (read(port, c, 1) == 1)
		return 1;

	/* Do not spin on a port that has hung up. */
	sleep_ms(10);
	return 0;
}

/* Ask the host for something, and wait until it has done it. */
int ask(const char *what)
{
	struct patience p = patience(SYNC_MS);
	char line[16];
	size_t len = 0;
	char c;

	if (port < 0) {
		errno = ENOTCONN;
		fail("no-report-port", NULL);
		return -1;
	}

	report("%s", what);

	while (p.left > 0) {
		alive();
		if (!get_byte(&p, &c) || c == '\r')
			continue;
		if (c == '\n') {
			if (len == 2 && !memcmp(line, "go", 2))
				return 0;
			len = 0;
		} else if (len < sizeof(line)) {
			line[len++] = c;
		}
	}

	errno = ETIMEDOUT;
	fail("no-go", NULL);
	return -1;
}
