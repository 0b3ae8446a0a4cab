// SPDX-License-Identifier: GPL-2.0-only
/* A network card at whose other end somebody answers pings, whatever address they are for. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stddef.h>
#include <string.h>
#include "device.h"

enum { RECEIVE, TRANSMIT };

struct packet {
	struct virtio_net_hdr_v1 head;
	struct ethhdr eth;
	union {
		struct ether_arp arp;
		struct {
			struct iphdr ip;
			struct icmphdr icmp;
		};
		char rest[65536];
	};
} __attribute__((packed));

#define HEADERS(last)	(offsetof(struct packet, last) + sizeof(((struct packet *)0)->last))

static const uint8_t own[ETH_ALEN] = { 0x52, 0x54, 0, 0x76, 0x64, 0x6d };

static void swap(void *a, void *b, size_t len)
{
	char t[8];

	memcpy(t, a, len);
	memcpy(a, b, len);
	memcpy(b, t, len);
}

/* Make of a question the answer; return whether there is one. */
static bool answer(struct packet *p, uint32_t len)
{
	uint32_t sum;

	if (len >= HEADERS(arp) && p->eth.h_proto == htons(ETH_P_ARP) &&
	    p->arp.arp_op == htons(ARPOP_REQUEST)) {
		p->arp.arp_op = htons(ARPOP_REPLY);
		swap(p->arp.arp_spa, p->arp.arp_tpa, sizeof(p->arp.arp_spa));
		memcpy(p->arp.arp_tha, p->arp.arp_sha, ETH_ALEN);
		memcpy(p->arp.arp_sha, own, ETH_ALEN);
	} else if (len >= HEADERS(icmp) && p->eth.h_proto == htons(ETH_P_IP) && p->ip.ihl == 5 &&
		   p->ip.protocol == IPPROTO_ICMP && p->icmp.type == ICMP_ECHO) {
		swap(&p->ip.saddr, &p->ip.daddr, sizeof(p->ip.saddr));
		p->icmp.type = ICMP_ECHOREPLY;
		/* Less in the one word is more in the sum. */
		sum = ntohs(p->icmp.checksum) + (ICMP_ECHO << 8);
		p->icmp.checksum = htons((sum & 0xffff) + (sum >> 16));
	} else {
		return false;
	}
	memcpy(p->eth.h_dest, p->eth.h_source, ETH_ALEN);
	memcpy(p->eth.h_source, own, ETH_ALEN);
	memset(&p->head, 0, sizeof(p->head));
	p->head.num_buffers = 1;

	return true;
}

/* An answer that the driver has no buffer for is lost, as on any network. */
static uint32_t net_serve(struct ring *r, struct chain *c)
{
	static struct packet p;
	static struct chain to;
	uint32_t len;

	(void)r;
	len = chain_get(c, 0, &p, sizeof(p));
	if (answer(&p, len) && ring_take(&rings[RECEIVE], &to))
		ring_complete(&rings[RECEIVE], &to, chain_put(&to, 0, &p, len));

	return 0;
}

const struct device net = {
	.name = "net", .rings = 2, .waiting = RECEIVE + 1, .field = sizeof(struct virtio_net_hdr_v1),
	.serve = net_serve,
};
