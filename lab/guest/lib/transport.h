/* SPDX-License-Identifier: GPL-2.0-only */
/* Take the transport away from below the devices, and give it back. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "text.h"

struct transport {
	struct token name;
	/* Their folders below /sys/bus. */
	struct token device;
	struct token driver;
};

int transport_unbind(const struct transport *t);
int transport_bind(const struct transport *t);
int transport_each(int (*fn)(const struct transport *t));
int transport_once(int (*take)(const struct transport *t),
		   int (*give)(const struct transport *t));

void transport_rounds(const char *what, const char *arg,
		      int (*take)(const struct transport *t),
		      int (*give)(const struct transport *t));

#endif
