// SPDX-License-Identifier: GPL-2.0-only
/* Say how much of a swiotlb pool is used. */
#include <stdlib.h>
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define SETTLE_MS	500
#define POOL		"/sys/kernel/debug/%s/"

/*
 * Take the folder of a restricted pool, or none. Take the least that is seen for a
 * while: a request that the device has not answered yet takes a slot, too, but
 * only what is lost stays.
 */
static void step_pool(const char *arg)
{
	struct patience p = patience(SETTLE_MS);
	const char *name = arg ?: "swiotlb";
	struct token least, used;

	least = read_token(POOL "io_tlb_used", name);
	while (wait_ms(&p, 20)) {
		used = read_token(POOL "io_tlb_used", name);
		if (atol(used.s) < atol(least.s))
			least = used;
	}
	report("pool used=%s most=%s slots=%s", least.s,
	       read_token(POOL "io_tlb_used_hiwater", name).s,
	       read_token(POOL "io_tlb_nslabs", name).s);
}

STEP(pool, step_pool);
