// SPDX-License-Identifier: GPL-2.0-only
/* Reset the disk's PCI function while its driver stays bound. */
#include <errno.h>
#include <stdlib.h>
#include "../lib/device.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define BETWEEN_MS	200	/* so that requests are under way again */

/* Take the number of resets. */
static void step_flr(const char *arg)
{
	unsigned long i, rounds = arg ? strtoul(arg, NULL, 0) : 1;
	struct token function = parent(device_of("blk").s);
	struct token reset = token_fmt(PCI_DEVICES "/%s/reset", function.s);

	if (!rounds) {
		errno = EINVAL;
		fail("rounds", NULL);
		return;
	}

	for (i = 0; i < rounds; i++) {
		if (write_text(reset.s, "1")) {
			fail("reset", function.s);
			return;
		}
		sleep_ms(BETWEEN_MS);
	}
	report("flr device=blk rounds=%lu method=%s", rounds,
	       one_word(read_token(PCI_DEVICES "/%s/reset_method", function.s).s).s);
}

STEP(flr, step_flr);
