// SPDX-License-Identifier: GPL-2.0-only
/* Bring up the network interface under test. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "iface.h"
#include "patience.h"
#include "sysfs.h"
#include "text.h"

#define ADDRESS	"10.0.2.15"
#define NETMASK	"255.255.255.0"
#define LINK_MS	5000

struct choice {
	struct token any;
	struct token virtio;
};

static void consider(const char *name, void *arg)
{
	struct token driver = link_name("/sys/class/net/%s/device/driver", name);
	struct choice *choice = arg;

	if (!strcmp(name, "lo"))
		return;
	if (!choice->any.s[0])
		choice->any = token_fmt("%s", name);
	if (!choice->virtio.s[0] && !strcmp(driver.s, "virtio_net"))
		choice->virtio = token_fmt("%s", name);
}

static void set_name(struct ifreq *ifr, const char *name)
{
	memset(ifr, 0, sizeof(*ifr));
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%.*s", IFNAMSIZ - 1, name);
}

static int set_address(int fd, const char *name, unsigned long request, const char *text)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct ifreq ifr;

	set_name(&ifr, name);
	inet_pton(AF_INET, text, &sin.sin_addr);
	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));

	return ioctl(fd, request, &ifr);
}

static int set_up(int fd, const char *name)
{
	struct ifreq ifr;

	set_name(&ifr, name);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -1;
	ifr.ifr_flags |= IFF_UP;

	return ioctl(fd, SIOCSIFFLAGS, &ifr);
}

/* Save the first packet from being dropped, and sent again a second later. */
static int wait_link(const char *name)
{
	struct patience p = patience(LINK_MS);

	do {
		struct token state = read_token("/sys/class/net/%s/operstate", name);

		/* Accept a driver that does not tell, hence "unknown". */
		if (!strcmp(state.s, "up") || !strcmp(state.s, "unknown"))
			return 0;
	} while (wait_ms(&p, 10));

	errno = ENETDOWN;
	return -1;
}

/* Do it all again for an interface that is up: a rebind made it a new one. */
int iface_up(struct token *name)
{
	struct choice choice = { 0 };
	int fd, ret;

	for_each("/sys/class/net", "", consider, &choice);
	*name = choice.virtio.s[0] ? choice.virtio : choice.any;
	if (!name->s[0]) {
		errno = ENODEV;
		return -1;
	}

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	ret = set_address(fd, name->s, SIOCSIFADDR, ADDRESS) ||
	      set_address(fd, name->s, SIOCSIFNETMASK, NETMASK) ||
	      set_up(fd, name->s) ||
	      wait_link(name->s);
	close(fd);

	return ret ? -1 : 0;
}

/* The kernel gives it its address. */
int loopback_up(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret = fd < 0 ? -1 : set_up(fd, "lo");

	close_quietly(fd);

	return ret;
}
