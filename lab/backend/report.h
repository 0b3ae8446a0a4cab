/* SPDX-License-Identifier: GPL-2.0-only */
/* What the back end tells the lab: a file of JSON, written anew each time. */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>
#include "liar.h"

/* Where to; the lies go to a file beside it, each as it is told. */
void report_open(const char *path);
/* Write it: what happened until now. */
void report_write(void);
/* Note what was said of the n-th buffer, if it was a lie; @start: of its ring. */
void report_lie(uint64_t start, uint64_t number, struct tale t);

/* What was negotiated: all that was offered, and what the driver has accepted at last. */
extern uint64_t report_offered, report_acked;
/* How often a ring was started. */
extern uint64_t report_starts;

#endif
