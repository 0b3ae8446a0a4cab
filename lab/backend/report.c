// SPDX-License-Identifier: GPL-2.0-only
/* What the back end tells the lab: a file of JSON, written anew each time. */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include "device.h"
#include "iotlb.h"
#include "liar.h"
#include "memory.h"
#include "report.h"

uint64_t report_offered, report_acked, report_starts;

static const char *path;
static char aside[256];
static FILE *lies;
static uint64_t told[LIES];

void report_open(const char *name)
{
	char beside[256];

	path = name;
	snprintf(aside, sizeof(aside), "%s.new", name);
	snprintf(beside, sizeof(beside), "%s.lies", name);
	lies = fopen(beside, "we");
	if (!lies)
		err(1, "%s", beside);
	report_write();
}

void report_lie(uint64_t start, uint64_t number, struct tale t)
{
	told[t.lie]++;
	if (t.lie != TRUTH)
		fprintf(lies, "%" PRIu64 " %" PRIu64 " %s %#" PRIx32 "\n", start, number,
			lie_names[t.lie], t.arg);
}

static void span(FILE *f, const char *name, struct span s)
{
	fprintf(f, " \"%s\": [", name);
	if (s.first <= s.last)
		fprintf(f, "%" PRIu64 ", %" PRIu64, s.first, s.last);
	fprintf(f, "],\n");
}

void report_write(void)
{
	FILE *f = fopen(aside, "we");
	const char *comma = "";
	uint64_t i;

	if (!f)
		err(1, "%s", aside);
	fprintf(f, "{\n \"offered\": %" PRIu64 ",\n \"acked\": %" PRIu64 ",\n", report_offered,
		report_acked);
	fprintf(f, " \"starts\": %" PRIu64 ",\n \"buffers\": %" PRIu64 ",\n \"descriptors\": %" PRIu64
		",\n \"bytes\": %" PRIu64 ",\n", report_starts, work.buffers, work.descriptors,
		work.bytes);
	fprintf(f, " \"ring\": [");
	for (i = 0; i < device->rings; i++)
		fprintf(f, "%s[%" PRIu64 ", %" PRIu64 ", %" PRIu64 "]", i ? ", " : "", rings[i].desc,
			rings[i].avail, rings[i].used);
	fprintf(f, "],\n");
	fprintf(f, " \"misses\": %" PRIu64 ",\n \"faults\": %" PRIu64 ",\n", iotlb_misses, iotlb_faults);
	span(f, "rings", work.rings);
	span(f, "data", work.data);
	fprintf(f, " \"refused\": %" PRIu64 ",\n \"refused_at\": [", refusals.count);
	for (i = 0; i < refusals.noted; i++)
		fprintf(f, "%s%" PRIu64, i ? ", " : "", refusals.at[i]);
	fprintf(f, "],\n \"lies\": {");
	for (i = TRUTH + 1; i < LIES; i++)
		if (told[i]) {
			fprintf(f, "%s\"%s\": %" PRIu64, comma, lie_names[i], told[i]);
			comma = ", ";
		}
	fprintf(f, "}\n}\n");
	fflush(lies);
	/* Whoever reads it finds all of it, or what was there before. */
	if (fclose(f) || rename(aside, path))
		err(1, "%s", path);
}
