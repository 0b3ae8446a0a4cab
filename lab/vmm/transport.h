/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio-mmio, legacy or modern. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "device.h"

struct transport {
	struct device *device;
	uint64_t offered, accepted;
	uint32_t offered_word, accepted_word, status, pending, page_size, align;
	bool broken;	/* it met memory that is not ours */
	struct ring ring;
	struct chain last;
};

enum { BLK, RNG, TRANSPORTS };

extern struct transport transports[TRANSPORTS];

/* @features: what the transport offers besides the device. */
void transport_init(bool is_legacy, uint64_t features);
uint64_t transport_access(unsigned int number, uint32_t offset, unsigned int len, bool write,
			  uint64_t value);

#endif
