// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of a PL011 that Linux uses of a "Generic UART". What is sent is gone at
 * once, so that the transmitter is always ready.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "die.h"
#include "kvm.h"
#include "layout.h"
#include "uart.h"
#include "view.h"

enum { DR = 0x00, FR = 0x18, IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44 };
enum { FR_RXFE = 1 << 4, FR_TXFE = 1 << 7 };
enum { RX = 1 << 4, TX = 1 << 5 };

struct uart {
	int fd;
	uint32_t mask, raised;
	unsigned char in[16];
	unsigned int have;
	char line[1024];
	unsigned int len;
};

static struct uart uarts[UARTS];

static void on_input(int number)
{
	(void)number;
	kvm_wake();
}

void uart_init(const char *report)
{
	struct sigaction act = { .sa_handler = on_input };
	struct termios tio;
	int fd = open(report, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &tio))
		die(report);
	cfmakeraw(&tio);
	tio.c_cc[VMIN] = 0;
	tio.c_cflag |= CLOCAL | CREAD;
	if (tcsetattr(fd, TCSANOW, &tio) || sigaction(SIGIO, &act, NULL) ||
	    fcntl(fd, F_SETOWN, getpid()) || fcntl(fd, F_SETFL, O_ASYNC))
		die(report);
	uarts[CONSOLE].fd = STDOUT_FILENO;
	uarts[REPORT].fd = fd;
}

static void put(int fd, const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= n) {
		n = write(fd, text, len);
		if (n < 0)
			n = 0;	/* interrupted: again */
	}
}

void uart_say(const char *line)
{
	put(uarts[REPORT].fd, line, strlen(line));
}

/* Lines go out whole: where the guest waits for the host, after what we have to say. */
static void sent(struct uart *u, char c)
{
	if (c == '\r')
		return;
	u->line[u->len++] = c;
	if (c != '\n' && u->len < sizeof(u->line) - 1)
		return;
	u->line[u->len] = '\0';
	if (u == &uarts[REPORT] && !strncmp(u->line, "vdma ready", strlen("vdma ready")))
		view_say();
	put(u->fd, u->line, u->len);
	u->len = 0;
}

static void update(const struct uart *u)
{
	kvm_irq(UART_IRQ + (u - uarts), u->raised & u->mask);
}

void uart_wake(void)
{
	struct uart *u = &uarts[REPORT];
	ssize_t n = read(u->fd, u->in + u->have, sizeof(u->in) - u->have);

	if (n > 0) {
		u->have += n;
		u->raised |= RX;
		update(u);
	}
}

static uint32_t receive(struct uart *u)
{
	uint32_t c = u->in[0];

	if (u->have)
		memmove(u->in, u->in + 1, --u->have);
	if (!u->have)
		u->raised &= ~RX;

	return c;
}

uint32_t uart_access(unsigned int number, uint32_t offset, bool write, uint32_t value)
{
	struct uart *u = &uarts[number];
	uint32_t result = 0;

	switch (offset) {
	case DR:
		if (write) {
			sent(u, value);
			u->raised |= TX;
		} else {
			result = receive(u);
		}
		break;
	case FR:
		result = FR_TXFE | (u->have ? 0 : FR_RXFE);
		break;
	case IMSC:
		if (write)
			u->mask = value;
		result = u->mask;
		break;
	case RIS:
		result = u->raised;
		break;
	case MIS:
		result = u->raised & u->mask;
		break;
	case ICR:
		if (write)
			u->raised &= ~value | (u->have ? RX : 0);
		break;
	}
	update(u);

	return result;
}
