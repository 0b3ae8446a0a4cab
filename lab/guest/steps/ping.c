// SPDX-License-Identifier: GPL-2.0-only
/* Have a peer that answers pings, and nothing else, send packets back. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../lib/beat.h"
#include "../lib/cmdline.h"
#include "../lib/cpu.h"
#include "../lib/iface.h"
#include "../lib/patience.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/util.h"

#define IP_HEADER	20
#define AGAIN_MS	50
/* What a packet of 1500 bytes has besides its headers. */
#define DATA		1472

struct packet {
	struct icmphdr icmp;
	__u64 data[DATA / sizeof(__u64)];
};

static unsigned short checksum(const struct packet *packet)
{
	const unsigned short *words = (const void *)packet;
	unsigned int i, sum = 0;

	for (i = 0; i < sizeof(*packet) / sizeof(*words); i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);

	return ~(sum + (sum >> 16));
}

/* Return 1 if @sent comes back in time, whatever else does; -1 if it is not as it was sent. */
static int answered(int fd, const struct packet *sent, unsigned int ms)
{
	struct patience p = patience(ms);
	char raw[IP_HEADER + sizeof(*sent)];
	struct packet back;

	while (wait_fd(&p, fd, POLLIN)) {
		ssize_t n = recv(fd, raw, sizeof(raw), 0);

		memcpy(&back, raw + IP_HEADER, sizeof(back));
		if (n == sizeof(raw) && back.icmp.type == ICMP_ECHOREPLY &&
		    back.icmp.un.echo.sequence == sent->icmp.un.echo.sequence)
			return memcmp(back.data, sent->data, DATA) ? -1 : 1;
	}

	return 0;
}

/* A network may lose packets, and DPDK does while it waits for a translation. */
static int ping(int fd, unsigned int number, unsigned long long seed, unsigned int ms)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct packet packet = { .icmp.type = ICMP_ECHO };
	struct patience p = patience(stall_ms() / 2);
	int ret;

	inet_pton(AF_INET, HOST, &to.sin_addr);
	packet.icmp.un.echo.sequence = htons(number);
	fill_pattern(packet.data, DATA, seed + number);
	packet.icmp.checksum = checksum(&packet);
	do {
		if (sendto(fd, &packet, sizeof(packet), 0, (void *)&to, sizeof(to)) < 0)
			return -1;
		ret = answered(fd, &packet, ms);
	} while (!ret && wait_ms(&p, 1));
	alive();
	errno = ret ? EBADMSG : ETIMEDOUT;

	return ret > 0 ? 0 : -1;
}

/* Take COUNT[:MS]: so many packets, each of them again after so long. */
static void step_ping(const char *arg)
{
	char *rest = "";
	unsigned int count = arg ? strtoul(arg, &rest, 0) : 1;
	unsigned int ms = *rest ? strtoul(rest + 1, NULL, 0) : AGAIN_MS;
	unsigned long long seed = strtoull(param("vdma.seed"), NULL, 16);
	struct token name;
	unsigned int i = 0;
	int fd;

	if (iface_up(&name)) {
		fail("interface", NULL);
		return;
	}
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	/* A card may have a queue for each CPU: take one after the other. */
	while (fd >= 0 && i < count && !stay_on(i % cpus()) && !ping(fd, i, seed, ms))
		i++;
	if (i < count)
		fail("ping", name.s);
	else
		report("ping packets=%u bytes=%u", i, i * DATA);
	close(fd);
}

STEP(ping, step_ping);
