// SPDX-License-Identifier: GPL-2.0-only
/* Let every device have a feature again. */
#include "../lib/filter.h"
#include "../lib/step.h"

static void step_unfilter(const char *arg)
{
	filter_all("unfilter", "filter_feature_del", arg);
}

STEP(unfilter, step_unfilter);
