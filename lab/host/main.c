// SPDX-License-Identifier: GPL-2.0-only
/*
 * The init of a host that has one guest: make a tap device, whose other end is this host,
 * send back what comes through sockets, and run a QEMU whose devices the kernel serves.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

#define TAP	"tap0"
#define ADDRESS	"10.0.2.2"
#define NETMASK	"255.255.255.0"
/* Where lab/guest/steps/sock.c connects to. */
#define PORT	1024
/* The command of QEMU, a word on each line. */
#define COMMAND	"/command"
#define WORDS	128

static void power_off(void)
{
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

static int sure(int ret, const char *what)
{
	if (ret >= 0)
		return ret;
	printf("host: %s: %s\n", what, strerror(errno));
	power_off();
	return ret;
}

static void set_address(int fd, struct ifreq *ifr, unsigned long request, const char *text)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	inet_pton(AF_INET, text, &sin.sin_addr);
	memcpy(&ifr->ifr_addr, &sin, sizeof(sin));
	sure(ioctl(fd, request, ifr), text);
}

/* The tap device outlives its file, so that QEMU finds it by its name, with its address. */
static void make_tap(void)
{
	struct ifreq ifr = { .ifr_name = TAP, .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int tun = sure(open("/dev/net/tun", O_RDWR), "/dev/net/tun");
	int fd = sure(socket(AF_INET, SOCK_DGRAM, 0), "socket");

	sure(ioctl(tun, TUNSETIFF, &ifr), "TUNSETIFF");
	sure(ioctl(tun, TUNSETPERSIST, 1), "TUNSETPERSIST");
	close(tun);
	set_address(fd, &ifr, SIOCSIFADDR, ADDRESS);
	set_address(fd, &ifr, SIOCSIFNETMASK, NETMASK);
	ifr.ifr_flags = IFF_UP;
	sure(ioctl(fd, SIOCSIFFLAGS, &ifr), "SIOCSIFFLAGS");
	close(fd);
}

/* Send back all that a guest sends, and say how much that was so far. */
static void echo(int fd)
{
	static unsigned long total;
	static char buf[1 << 16];
	ssize_t n, done, one;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		for (done = 0; done < n; done += one) {
			one = send(fd, buf + done, n - done, MSG_NOSIGNAL);
			if (one <= 0)
				return;
		}
		total += n;
	}
	printf("host: vsock echoed %lu\n", total);
	fflush(stdout);
}

static void serve_sockets(void)
{
	struct sockaddr_vm any = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY,
				   .svm_port = PORT };
	int fd = sure(socket(AF_VSOCK, SOCK_STREAM, 0), "AF_VSOCK");

	sure(bind(fd, (void *)&any, sizeof(any)), "bind");
	sure(listen(fd, 1), "listen");
	if (sure(fork(), "fork"))
		return;
	for (;;) {
		int guest = sure(accept(fd, NULL, NULL), "accept");

		echo(guest);
		close(guest);
	}
}

static void run_qemu(void)
{
	static char text[1 << 16];
	char *words[WORDS] = { 0 };
	int fd = sure(open(COMMAND, O_RDONLY), COMMAND);
	char *word;
	int n = 0;

	sure(read(fd, text, sizeof(text) - 1), COMMAND);
	for (word = strtok(text, "\n"); word && n < WORDS - 1; word = strtok(NULL, "\n"))
		words[n++] = word;
	errno = E2BIG;
	sure(word ? -1 : 0, COMMAND);
	execv(words[0], words);
	perror(words[0]);
	_exit(127);
}

/* How many packets the kernel sent to the guest. */
static void report_sent(void)
{
	static const char path[] = "/sys/class/net/" TAP "/statistics/tx_packets";
	int fd = sure(open(path, O_RDONLY), path);
	char text[32] = "";

	sure(read(fd, text, sizeof(text) - 1), path);
	close(fd);
	printf("host: " TAP " tx_packets %s", text);
}

int main(void)
{
	int status;
	pid_t qemu;

	/* Spare a machine on which someone starts this by mistake. */
	if (getpid() != 1)
		return 1;
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) && errno != EBUSY)
		sure(-1, "/dev");
	sure(mount("proc", "/proc", "proc", 0, NULL), "/proc");
	sure(mount("sysfs", "/sys", "sysfs", 0, NULL), "/sys");
	make_tap();
	serve_sockets();
	qemu = sure(fork(), "fork");
	if (!qemu)
		run_qemu();
	sure(waitpid(qemu, &status, 0), "waitpid");
	report_sent();
	printf("host: QEMU has ended with %d\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	power_off();
}
