// SPDX-License-Identifier: GPL-2.0-only
/* Say how much of the swiotlb pool is used. */
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

static void step_pool(const char *arg)
{
	(void)arg;
	report("pool used=%s", read_token("/sys/kernel/debug/swiotlb/io_tlb_used").s);
}

STEP(pool, step_pool);
