/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers that a seed gives, here and on the host. */
#ifndef DRAW_H
#define DRAW_H

unsigned int draw(unsigned long long *state, unsigned int limit);

#endif
