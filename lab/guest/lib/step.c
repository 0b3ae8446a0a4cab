// SPDX-License-Identifier: GPL-2.0-only
/* Find steps by name, and run them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"
#include "run.h"
#include "step.h"

static char *left;

void run_step(const char *spec)
{
	char name[256];
	struct step *step;
	char *arg;

	snprintf(name, sizeof(name), "%s", spec);
	arg = strchr(name, ':');
	if (arg)
		*arg++ = '\0';
	report_step(name);

	for (step = __start_steps; step < __stop_steps; step++) {
		if (!strcmp(step->name, name)) {
			bounded(step->fn, arg);
			break;
		}
	}
	if (step == __stop_steps) {
		errno = EINVAL;
		fail("unknown-step", NULL);
	}
	report_step("init");
}

void run_steps(const char *list)
{
	char specs[4096];
	char *spec;

	snprintf(specs, sizeof(specs), "%s", list ? list : "");
	for (spec = strtok_r(specs, ",", &left); spec; spec = strtok_r(NULL, ",", &left))
		run_step(spec);
}

const char *steps_left(void)
{
	return left;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct step *)a)->name, ((const struct step *)b)->name);
}

/* The linker has them in the order of the files, which is any. */
void print_steps(void)
{
	struct step *step;

	qsort(__start_steps, __stop_steps - __start_steps, sizeof(*step), by_name);
	for (step = __start_steps; step < __stop_steps; step++)
		printf("%s\n", step->name);
}
