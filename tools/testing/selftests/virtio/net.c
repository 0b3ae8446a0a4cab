// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the gateway of a virtio network interface, or the host that
 * VIRTIO_TEST_PEER names, echoes is what was sent to it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../kselftest.h"
#include "vdev.h"

#define NETS	"/sys/class/net"
#define PEER	"VIRTIO_TEST_PEER"
#define TRIES	3
#define WAIT_MS	1000

/* What virtio_net copies out of its buffer at once, and what it does not. */
static const size_t sizes[] = { 56, 1400 };

struct echo {
	struct icmphdr head;
	unsigned char data[1400];
};

enum answer { NONE, SAME, OTHER };

static unsigned short checksum(const void *data, size_t size)
{
	const unsigned short *word = data;
	unsigned int sum = 0;

	for (; size; size -= 2)
		sum += *word++;
	sum = (sum >> 16) + (sum & 0xffff);

	return ~(sum + (sum >> 16));
}

static enum answer receive(int fd, const struct echo *sent, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	unsigned char packet[2048];

	while (poll(&pfd, 1, WAIT_MS) > 0) {
		ssize_t len = recv(fd, packet, sizeof(packet), 0);
		size_t head = (packet[0] & 0xf) * 4;
		const struct echo *got = (void *)(packet + head);

		if (len < (ssize_t)(head + sizeof(got->head)) || got->head.type != ICMP_ECHOREPLY ||
		    got->head.un.echo.id != sent->head.un.echo.id ||
		    got->head.un.echo.sequence != sent->head.un.echo.sequence)
			continue;

		return len == (ssize_t)(head + sizeof(got->head) + size) &&
		       !memcmp(got->data, sent->data, size) ? SAME : OTHER;
	}

	return NONE;
}

static enum answer ping(int fd, size_t size)
{
	struct echo echo = { .head.type = ICMP_ECHO };
	enum answer answer = NONE;
	int i;

	echo.head.un.echo.id = htons(getpid() & 0xffff);
	getrandom(echo.data, size, GRND_INSECURE);
	for (i = 0; i < TRIES && answer == NONE; i++) {
		echo.head.un.echo.sequence = htons(size + i);
		echo.head.checksum = 0;
		echo.head.checksum = checksum(&echo, sizeof(echo.head) + size);
		if (send(fd, &echo, sizeof(echo.head) + size, 0) > 0)
			answer = receive(fd, &echo, size);
	}

	return answer;
}

static bool gateway(const char *name, struct in_addr *peer)
{
	unsigned int to, via;
	char line[256], dev[32];
	FILE *routes;

	if (getenv(PEER))
		return inet_aton(getenv(PEER), peer);

	routes = fopen("/proc/net/route", "r");
	peer->s_addr = 0;
	while (routes && !peer->s_addr && fgets(line, sizeof(line), routes))
		if (sscanf(line, "%31s %x %x", dev, &to, &via) == 3 && !strcmp(dev, name) && !to)
			peer->s_addr = via;
	if (routes)
		fclose(routes);

	return peer->s_addr;
}

/* Past the routes: what is sent leaves by this interface, or not at all. */
static int connect_by(const char *name, struct in_addr peer)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = peer };
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd >= 0 &&
	    (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, strlen(name) + 1) ||
	     connect(fd, (struct sockaddr *)&to, sizeof(to)))) {
		close(fd);
		return -1;
	}

	return fd;
}

/* Say why there is nothing to test, or return a socket. */
static int peer_of(const char *name, struct in_addr *peer, const char **why)
{
	char carrier[8];
	int fd = -1;

	if (text_read(carrier, sizeof(carrier), NETS, name, "carrier") || carrier[0] != '1') {
		*why = "the link is down";
	} else if (!gateway(name, peer)) {
		*why = "it has no gateway, and " PEER " names none";
	} else {
		fd = connect_by(name, *peer);
		*why = strerror(errno);
	}

	return fd;
}

static void test(const char *name)
{
	struct in_addr peer;
	const char *why;
	int fd = peer_of(name, &peer, &why);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		enum answer answer = fd < 0 ? NONE : ping(fd, sizes[i]);

		if (fd < 0)
			ksft_test_result_skip("%s: %zu bytes: %s\n", name, sizes[i], why);
		else if (answer == NONE && !getenv(PEER))
			ksft_test_result_skip("%s: %zu bytes: %s does not answer\n", name,
					      sizes[i], inet_ntoa(peer));
		else
			ksft_test_result(answer == SAME, "%s: %zu bytes come back from %s\n", name,
					 sizes[i], inet_ntoa(peer));
	}
	if (fd >= 0)
		close(fd);
}

static bool is_virtio(const char *name)
{
	char driver[64];

	link_read(driver, sizeof(driver), NETS, name, "device/driver");
	return !strcmp(driver, "virtio_net");
}

int main(void)
{
	struct dirent **names;
	int i, count, nets = 0;

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("only root may do this\n");

	count = list(NETS, &names);
	for (i = 0; i < count; i++)
		nets += is_virtio(names[i]->d_name);
	if (!nets)
		ksft_exit_skip("there is no virtio network interface\n");

	ksft_set_plan(nets * ARRAY_SIZE(sizes));
	for (i = 0; i < count; i++)
		if (is_virtio(names[i]->d_name))
			test(names[i]->d_name);

	ksft_finished();
}
