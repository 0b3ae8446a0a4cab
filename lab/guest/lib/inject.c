// SPDX-License-Identifier: GPL-2.0-only
/*
 * Have the kernel fail an allocation of this task, the nth from now on, and
 * tell afterwards whether that many were made.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "beat.h"
#include "inject.h"
#include "report.h"
#include "sysfs.h"
#include "text.h"

#define DEBUGFS	"/sys/kernel/debug/"

struct inject injected;

static int nth = -1;

/* Fail what may sleep, too, and single pages; do not have the console tell each time. */
static const struct {
	const char *path;
	const char *value;
} knobs[] = {
	{ DEBUGFS "failslab/cache-filter", "Y" },
	{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
	{ DEBUGFS "failslab/verbose", "0" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ DEBUGFS "fail_page_alloc/min-order", "0" },
	{ DEBUGFS "fail_page_alloc/verbose", "0" },
	{ NULL, NULL },
};

void inject_arm(unsigned long n)
{
	struct token text = token_fmt("%lu", n);

	if (pwrite(nth, text.s, strlen(text.s), 0) < 0)
		fail("fail-nth", text.s);
}

/* Tell whether an allocation has failed since. */
bool inject_disarm(void)
{
	char left[16] = "";

	if (pread(nth, left, sizeof(left) - 1, 0) <= 0)
		fail("fail-nth", NULL);
	inject_arm(0);
	/* The host wants to hear of us now and then. */
	if (++injected.rounds % 50)
		alive();
	else
		report("round number=%lu", injected.rounds);
	injected.hits += left[0] == '0';

	return left[0] == '0';
}

/* Spare what the kernel watches itself with: DMA_API_DEBUG would give up for good. */
static void let_fail(const char *cache, void *arg)
{
	(void)arg;
	if (strcmp(cache, "radix_tree_node") && strncmp(cache, "kmemleak", 8))
		write_text(token_fmt("/sys/kernel/slab/%s/failslab", cache).s, "1");
}

int inject_init(void)
{
	unsigned int i;

	for (i = 0; knobs[i].path; i++)
		if (write_text(knobs[i].path, knobs[i].value))
			return -1;

	for_each("/sys/kernel/slab", "", let_fail, NULL);
	nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);

	return nth < 0 ? -1 : 0;
}
