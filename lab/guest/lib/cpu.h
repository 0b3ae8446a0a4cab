/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPUs of the guest. */
#ifndef CPU_H
#define CPU_H

unsigned int cpus(void);
int stay_on(unsigned int cpu);

#endif
