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

static struct token name_of(const char *file)
{
	return module_name(strchr(file, '-') + 1);
}

static int load_file(const char *file)
{
	struct token path = token_fmt(MODULES "/%s", file);
	int fd = open(path.s, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : (int)syscall(SYS_finit_module, fd, "", 0);

	if (ret)
		fail("load", file);
	close_quietly(fd);

	return ret;
}

/* The host numbers the files so that each comes after those it needs. */
static void load(const char *file, void *arg)
{
	const bool *tests = arg;

	if (strstr(file, "kunit") && !*tests)
		return;

	if (!load_file(file) && count < MANY)
		names[count++] = name_of(file);
}

static void load_named(const char *file, void *arg)
{
	if (!strcmp(name_of(file).s, arg))
		load_file(file);
}

/* KUnit's tests run as they are loaded, and take their time: once is enough, if at all. */
void modules_load(bool tests)
{
	count = 0;
	for_each(MODULES, "", load, &tests);
}

/* Load one again that module_unload() took. */
void module_load(const char *name)
{
	struct token copy = token_fmt("%s", name);

	for_each(MODULES, "", load_named, copy.s);
}

int module_unload(const char *name)
{
	int ret = syscall(SYS_delete_module, name, O_NONBLOCK);

	if (ret)
		fail("unload", name);

	return ret;
}

unsigned int modules_loaded(void)
{
	return count;
}

void modules_unload(void)
{
	unsigned int n;

	for (n = count; n--;)
		module_unload(names[n].s);
}
