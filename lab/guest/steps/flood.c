// SPDX-License-Identifier: GPL-2.0-only
/* Read the disk from several processes at once, so that many requests are in flight. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../lib/disk.h"
#include "../lib/hash.h"
#include "../lib/report.h"
#include "../lib/step.h"

#define MANY	32

/* Take READERS[:BYTES]: in pieces of so many bytes, each of them again if it fails. */
static void step_flood(const char *arg)
{
	char *size = NULL;
	unsigned long i, readers = arg ? strtoul(arg, &size, 0) : 8;
	char (*hex)[HASH_HEX];
	bool alike = true;

	hex = mmap(NULL, MANY * HASH_HEX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		   -1, 0);
	if (hex == MAP_FAILED || !readers || readers > MANY) {
		fail("readers", arg);
		return;
	}

	for (i = 0; i < readers; i++)
		if (!fork())
			_exit(hash_disk("vda", reading(size && *size ? size + 1 : NULL), hex[i]));
	while (wait(NULL) > 0 || errno == EINTR)
		;

	/* A reader that failed has left an empty text. */
	for (i = 1; i < readers; i++) {
		if (strcmp(hex[i], hex[0])) {
			errno = EIO;
			fail("differ", NULL);
			alike = false;
		}
	}
	report("flood readers=%lu sha256=%s", readers, alike && hex[0][0] ? hex[0] : "-");
}

STEP(flood, step_flood);
