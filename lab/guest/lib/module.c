// SPDX-License-Identifier: GPL-2.0-only
/* Load the kernel's modules, take them away, and look for what they left. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "guest.h"

#define MODULES		"/modules"
#define MANY		64
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* kmemleak does not speak of objects that are younger than 5 seconds. */
#define AGE_MS		5500

static struct token names[MANY];
static unsigned int count;

static struct token module_name(const char *file)
{
	struct token name = token_fmt("%.*s", (int)strcspn(file, "."), file);
	char *c;

	while ((c = strchr(name.s, '-')))
		*c = '_';

	return name;
}

/* The host numbers the files so that each comes after those it needs. */
static void load(const char *file, void *arg)
{
	struct token path = token_fmt(MODULES "/%s", file);
	const bool *tests = arg;
	int fd;

	if (strstr(file, "kunit") && !*tests)
		return;

	fd = open(path.s, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail("load", file);
	else if (count < MANY)
		names[count++] = module_name(strchr(file, '-') + 1);
	if (fd >= 0)
		close(fd);
}

/* KUnit's tests run as they are loaded, and take their time: once is enough, if at all. */
static void load_all(bool tests)
{
	count = 0;
	for_each(MODULES, "", load, &tests);
}

void modules_load(void)
{
	load_all(param("kunit.enable"));
}

static void found(const char *name, void *arg)
{
	(void)arg;
	errno = EBUSY;
	fail("still-there", name);
}

void step_modules(const char *arg)
{
	unsigned long rounds = arg ? strtoul(arg, NULL, 0) : 1;
	unsigned long i;
	unsigned int n;

	for (i = 0; i < rounds && !errors; i++) {
		if (!count) {
			errno = ENOENT;
			fail("no-module", NULL);
			return;
		}
		for (n = count; n--;)
			if (syscall(SYS_delete_module, names[n].s, O_NONBLOCK))
				fail("unload", names[n].s);
		for_each(VIRTIO_DEVICES, "virtio", found, NULL);
		load_all(false);
		alive();
	}
	report("modules removed=%u rounds=%lu", count, rounds);
}

/* Show what is lost, but for what comes from @known; return how much that is. */
static unsigned int show_leaks(char *text, const char *known)
{
	static const char first[] = "unreferenced object";
	char *leak = strstr(text, first), *next;
	unsigned int found = 0;

	for (; leak; leak = next) {
		next = strstr(leak + 1, first);
		if (next)
			next[-1] = '\0';
		if (known && strstr(leak, known))
			continue;
		puts(leak);
		found++;
	}

	return found;
}

/*
 * Have kmemleak look twice: what moved during the first scan is not lost. Take
 * the name of a function that is known to lose memory.
 */
void step_leaks(const char *arg)
{
	static char text[MIB];
	unsigned int found;

	sleep_ms(AGE_MS);
	if (write_text(KMEMLEAK, "scan") || write_text(KMEMLEAK, "scan") ||
	    read_text(KMEMLEAK, text, sizeof(text))) {
		fail("kmemleak", NULL);
		return;
	}
	found = show_leaks(text, arg);
	if (found) {
		errno = ENOMEM;
		fail("leaks", NULL);
	}
	report("leaks found=%u", found);
}
