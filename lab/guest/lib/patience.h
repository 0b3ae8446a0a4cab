/* SPDX-License-Identifier: GPL-2.0-only */
/* How long to wait. */
#ifndef PATIENCE_H
#define PATIENCE_H

#include <stdbool.h>

/* Give up on anything that makes no progress for this long, or for vdma.stall=MS. */
#define STALL_MS	20000

/*
 * What is left, in ms. Time in which this process was kept from running is not
 * taken off: a host that is short of CPUs stops the guest, but not its clock.
 */
struct patience {
	long long left;
	long long seen;
};

struct patience patience(unsigned int ms);
bool wait_ms(struct patience *p, unsigned int ms);
bool wait_slice(struct patience *p, int fd, short events);
bool wait_fd(struct patience *p, int fd, short events);

long long now_ms(void);
void sleep_ms(unsigned int ms);
unsigned int stall_ms(void);

#endif
