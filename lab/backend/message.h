/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of vhost-user, as they go over its socket. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include "iotlb.h"
#include "memory.h"

/* In the flags of a message. */
#define NEED_REPLY		0x8u

/* As much as QEMU takes for a configuration space. */
#define CONFIG_MAX		256

struct state {
	uint32_t index, num;
};

struct addresses {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct table {
	uint32_t count, padding;
	struct {
		uint64_t guest, size, user, offset;
	} region[REGIONS];
};

struct config {
	uint32_t offset, size, flags;
	uint8_t space[CONFIG_MAX];
};

struct header {
	uint32_t request, flags, size;
};

union payload {
	uint64_t u64;
	struct state state;
	struct addresses addresses;
	struct table table;
	struct iotlb_message iotlb;
	struct config config;
};

/* Take one, with the descriptors that come with it; false: there is none, or it makes no sense. */
bool message_take(int sock, struct header *h, union payload *p, int *fds, unsigned int *count);
bool message_answer(int sock, uint32_t request, const union payload *p, uint32_t size);

#endif
