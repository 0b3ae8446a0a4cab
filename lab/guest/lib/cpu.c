// SPDX-License-Identifier: GPL-2.0-only
/* The CPUs of the guest. */
#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>
#include "cpu.h"

unsigned int cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

/* Have this process run on one CPU only. */
int stay_on(unsigned int cpu)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(cpu, &only);

	return sched_setaffinity(0, sizeof(only), &only);
}
