// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel keeps for devices and drivers, which must not grow. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kept.h"
#include "patience.h"
#include "report.h"
#include "sysfs.h"

#define SETTLE_MS	500
#define SLAB_FILES	"/sys/kernel/slab"

/*
 * Say how much of a swiotlb pool is used: the least that is seen for a while. A
 * request that the device has not answered yet takes a slot, too, but only what
 * is lost stays.
 */
struct token pool_used(const char *pool)
{
	struct patience p = patience(SETTLE_MS);
	struct token least, used;

	least = read_token("/sys/kernel/debug/%s/io_tlb_used", pool);
	while (wait_ms(&p, 20)) {
		used = read_token("/sys/kernel/debug/%s/io_tlb_used", pool);
		if (atol(used.s) < atol(least.s))
			least = used;
	}

	return least;
}

/* A cache counts objects that a CPU has at hand as used, until it has to shrink. */
static void shrink(const char *name, void *arg)
{
	(void)arg;
	write_text(token_fmt(SLAB_FILES "/%s/shrink", name).s, "1");
}

static void look_at_slabs(struct kept *kept)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	struct slab *slab = kept->slab;
	char line[512];

	kept->slabs = 0;
	if (!file) {
		fail("slabinfo", NULL);
		return;
	}
	while (kept->slabs < SLABS && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%39s %ld %*d %ld", slab->name, &slab->objects, &slab->size) != 3)
			continue;
		kept->slabs++;
		slab++;
	}
	fclose(file);
}

static long count_lines(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[512];
	long n = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		n++;
	fclose(file);

	return n;
}

static long number(struct token t)
{
	return strcmp(t.s, "-") ? atol(t.s) : -1;
}

/* Drop what the kernel can make again, so that the same is left each time. */
void kept_look(struct kept *kept)
{
	static const char name[] = "SUnreclaim:";
	char text[4096] = "", *at;

	sleep_ms(2 * SETTLE_MS);
	write_text("/proc/sys/vm/drop_caches", "3");
	for_each(SLAB_FILES, "", shrink, NULL);
	look_at_slabs(kept);
	read_text("/proc/meminfo", text, sizeof(text));
	at = strstr(text, name);
	kept->unreclaimable = at ? atol(at + strlen(name)) : -1;
	kept->slots = number(pool_used("swiotlb"));
	kept->mappings = count_lines("/sys/kernel/debug/dma-api/dump");
}

/* Report each cache that has more objects than before. */
void kept_compare(const struct kept *before, const struct kept *after)
{
	unsigned int i, j;

	for (i = 0; i < after->slabs; i++) {
		const struct slab *now = &after->slab[i];

		for (j = 0; j < before->slabs; j++)
			if (!strcmp(before->slab[j].name, now->name))
				break;
		if (now->objects > (j < before->slabs ? before->slab[j].objects : 0))
			report("grown slab=%s before=%ld after=%ld size=%ld", now->name,
			       j < before->slabs ? before->slab[j].objects : 0, now->objects,
			       now->size);
	}
}
