/* SPDX-License-Identifier: GPL-2.0-only */
/* Keep devices at work. */
#ifndef WORK_H
#define WORK_H

#include <sys/types.h>
#include "hash.h"

#define WORK_KINDS	4

/* What the child that does it shares with its parent. */
struct work {
	pid_t pid;
	unsigned int beats;
	unsigned int rounds;
	int stop;
	int err;
	char hex[HASH_HEX];	/* of what is read, the same after each round */
};

extern const struct work_kind {
	const char *device;
	int (*round)(struct work *work);
} work_kinds[WORK_KINDS];

struct work *work_start(const char *device);
int work_goes_on(const struct work *work);
void work_stop(struct work *work);
int work_wait(const struct work *work);

#endif
