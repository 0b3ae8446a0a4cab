// SPDX-License-Identifier: GPL-2.0-only
/* Read and write the small files and links of sysfs. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sysfs.h"
#include "text.h"

/* Keep the errno of what went wrong before. */
void close_quietly(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
}

int read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -1;

	/* Expect procfs to hand out a file page by page. */
	do {
		n = read(fd, buf + len, size - 1 - len);
		if (n > 0)
			len += n;
	} while (n > 0 && len < size - 1);
	close_quietly(fd);
	if (n < 0)
		return -1;

	while (len && (buf[len - 1] == '\n' || buf[len - 1] == '\0'))
		len--;
	buf[len] = '\0';

	return 0;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;

	n = write(fd, text, strlen(text));
	close_quietly(fd);

	return n < 0 ? -1 : 0;
}

int get_token(const char *path, struct token *t)
{
	if (read_text(path, t->s, sizeof(t->s)))
		return -1;
	wordify(t->s);

	return 0;
}

struct token read_token(const char *fmt, ...)
{
	struct token t, path;
	va_list args;

	va_start(args, fmt);
	path = vtoken(fmt, args);
	va_end(args);

	return get_token(path.s, &t) ? token_fmt("-") : t;
}

/* Name the last component of what a link points to. */
struct token link_name(const char *fmt, ...)
{
	char target[4096];
	struct token path;
	va_list args;
	ssize_t n;

	va_start(args, fmt);
	path = vtoken(fmt, args);
	va_end(args);

	n = readlink(path.s, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	path = token_fmt("%s", basename(target));
	wordify(path.s);

	return path;
}

/*
 * Call @fn for each entry of @dir whose name starts with @prefix, in the order
 * of the numbers in the names. Take the list before the first call, since @fn
 * may make entries come and go. Return how many there were.
 */
int for_each(const char *dir, const char *prefix,
	     void (*fn)(const char *name, void *arg), void *arg)
{
	struct dirent **list;
	int i, n, count = 0;

	n = scandir(dir, &list, NULL, versionsort);
	if (n < 0)
		return 0;

	for (i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (name[0] != '.' && !strncmp(name, prefix, strlen(prefix))) {
			fn(name, arg);
			count++;
		}
		free(list[i]);
	}
	free(list);

	return count;
}

static void keep(const char *name, void *arg)
{
	struct token *kept = arg;

	*kept = token_fmt("%s", name);
}

/* Name the entry of a directory that starts with @prefix, the last of several. */
struct token entry_name(const char *prefix, const char *fmt, ...)
{
	struct token name = token_fmt("-"), dir;
	va_list args;

	va_start(args, fmt);
	dir = vtoken(fmt, args);
	va_end(args);
	for_each(dir.s, prefix, keep, &name);

	return name;
}
