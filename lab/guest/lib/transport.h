/* SPDX-License-Identifier: GPL-2.0-only */
/* Take the transport away from below the devices, and give it back. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "text.h"

struct transport {
	struct token name;
	struct token driver;
};

void transport_rounds(const char *what, const char *arg,
		      int (*take)(const struct transport *t),
		      int (*give)(const struct transport *t));

#endif
