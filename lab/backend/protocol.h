/* SPDX-License-Identifier: GPL-2.0-only */
/* vhost-user, as QEMU's docs/interop/vhost-user.rst describes it, without what the lab has no use for. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

/* What the device offers, beside what this protocol needs. */
void protocol_init(uint64_t features);
/* Take one message and answer it; false: the front end is gone, or makes no sense. */
bool protocol_message(int sock);

#endif
