// SPDX-License-Identifier: GPL-2.0-only
/* Say how much of the swiotlb pool is used. */
#include <stdlib.h>
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define SETTLE_MS	500

/*
 * Take the least that is seen for a while: a request that the device has not
 * answered yet takes a slot, too, but only what is lost stays.
 */
static void step_pool(const char *arg)
{
	struct patience p = patience(SETTLE_MS);
	struct token least, used;

	(void)arg;
	least = read_token("/sys/kernel/debug/swiotlb/io_tlb_used");
	while (wait_ms(&p, 20)) {
		used = read_token("/sys/kernel/debug/swiotlb/io_tlb_used");
		if (atol(used.s) < atol(least.s))
			least = used;
	}
	report("pool used=%s", least.s);
}

STEP(pool, step_pool);
