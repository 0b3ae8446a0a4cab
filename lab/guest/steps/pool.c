// SPDX-License-Identifier: GPL-2.0-only
/* Say how much of a swiotlb pool is used. */
#include "../lib/kept.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define POOL		"/sys/kernel/debug/%s/"

/* Take the folder of a restricted pool, or none. */
static void step_pool(const char *arg)
{
	const char *name = arg ?: "swiotlb";

	report("pool used=%s most=%s slots=%s", pool_used(name).s,
	       read_token(POOL "io_tlb_used_hiwater", name).s,
	       read_token(POOL "io_tlb_nslabs", name).s);
}

STEP(pool, step_pool);
