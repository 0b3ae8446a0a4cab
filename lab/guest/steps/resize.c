// SPDX-License-Identifier: GPL-2.0-only
/* Have the driver allocate its virtqueues anew, in another size. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../lib/iface.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/text.h"

static int ring_ioctl(int fd, const char *name, unsigned int cmd,
		      struct ethtool_ringparam *ring)
{
	struct ifreq ifr = { 0 };

	ring->cmd = cmd;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.*s", IFNAMSIZ - 1, name);
	ifr.ifr_data = (void *)ring;

	return ioctl(fd, SIOCETHTOOL, &ifr);
}

static void step_resize(const char *arg)
{
	struct ethtool_ringparam was = { 0 }, ring;
	struct token name;
	int fd;

	(void)arg;
	if (iface_up(&name)) {
		fail("interface", NULL);
		return;
	}

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0) {
		fail("socket", NULL);
		return;
	}

	if (ring_ioctl(fd, name.s, ETHTOOL_GRINGPARAM, &was)) {
		fail("get", name.s);
		goto out;
	}
	ring = was;
	ring.rx_pending /= 2;
	ring.tx_pending /= 2;
	if (ring_ioctl(fd, name.s, ETHTOOL_SRINGPARAM, &ring)) {
		fail("set", name.s);
		goto out;
	}
	if (ring_ioctl(fd, name.s, ETHTOOL_GRINGPARAM, &ring)) {
		fail("get", name.s);
		goto out;
	}
	report("resize rx=%u tx=%u was_rx=%u was_tx=%u", ring.rx_pending,
	       ring.tx_pending, was.rx_pending, was.tx_pending);
out:
	close(fd);
}

STEP(resize, step_resize);
