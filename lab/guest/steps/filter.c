// SPDX-License-Identifier: GPL-2.0-only
/* Keep a feature from every device. */
#include "../lib/filter.h"
#include "../lib/step.h"

static void step_filter(const char *arg)
{
	filter_all("filter", "filter_feature_add", arg);
}

STEP(filter, step_filter);
