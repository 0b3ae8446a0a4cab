/* SPDX-License-Identifier: GPL-2.0-only */
/* How a process that is slow, but gets somewhere, tells so across a fork. */
#ifndef BEAT_H
#define BEAT_H

void beat_init(void);
void alive(void);
void alive_at(unsigned int *count);
unsigned int beats(void);

#endif
