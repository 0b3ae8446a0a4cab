/* SPDX-License-Identifier: GPL-2.0-only */
/* How long to wait. */
#ifndef PATIENCE_H
#define PATIENCE_H

/* Give up on anything that makes no progress for this long, or for vdma.stall=MS. */
#define STALL_MS	20000

long long now_ms(void);
void sleep_ms(unsigned int ms);
unsigned int stall_ms(void);

#endif
