// SPDX-License-Identifier: GPL-2.0-only
/* Load the kernel's modules, and take them away. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "module.h"
#include "report.h"
#include "sysfs.h"
#include "text.h"

#define MODULES		"/modules"
#define MANY		64

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
void modules_load(bool tests)
{
	count = 0;
	for_each(MODULES, "", load, &tests);
}

unsigned int modules_loaded(void)
{
	return count;
}

void modules_unload(void)
{
	unsigned int n;

	for (n = count; n--;)
		if (syscall(SYS_delete_module, names[n].s, O_NONBLOCK))
			fail("unload", names[n].s);
}
