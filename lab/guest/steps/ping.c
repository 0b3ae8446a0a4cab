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
#include "../lib/iface.h"
#include "../lib/patience.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/util.h"

#define PACKETS		256
#define IP_HEADER	20
#define DATA		1024

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

/* Take the packet that comes back, and none of others. */
static int receive(int fd, struct packet *packet)
{
	struct patience p = patience(stall_ms());
	char raw[IP_HEADER + sizeof(*packet)];
	ssize_t n;

	while (wait_fd(&p, fd, POLLIN)) {
		n = recv(fd, raw, sizeof(raw), 0);
		memcpy(packet, raw + IP_HEADER, sizeof(*packet));
		if (n == sizeof(raw) && packet->icmp.type == ICMP_ECHOREPLY)
			return 0;
	}
	errno = ETIMEDOUT;

	return -1;
}

static int ping(int fd, unsigned int number, unsigned long long seed)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct packet packet = { .icmp.type = ICMP_ECHO }, back;

	inet_pton(AF_INET, HOST, &to.sin_addr);
	packet.icmp.un.echo.sequence = htons(number);
	fill_pattern(packet.data, DATA, seed + number);
	packet.icmp.checksum = checksum(&packet);
	if (sendto(fd, &packet, sizeof(packet), 0, (void *)&to, sizeof(to)) != sizeof(packet) ||
	    receive(fd, &back))
		return -1;
	alive();

	errno = EBADMSG;
	return back.icmp.un.echo.sequence != htons(number) ||
	       memcmp(back.data, packet.data, DATA) ? -1 : 0;
}

static void step_ping(const char *arg)
{
	unsigned long long seed = strtoull(param("vdma.seed"), NULL, 16);
	struct token name;
	unsigned int i = 0;
	int fd;

	(void)arg;
	if (iface_up(&name)) {
		fail("interface", NULL);
		return;
	}
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	while (fd >= 0 && i < PACKETS && !ping(fd, i, seed))
		i++;
	if (i < PACKETS)
		fail("ping", name.s);
	else
		report("ping packets=%u bytes=%u", i, i * DATA);
	close(fd);
}

STEP(ping, step_ping);
