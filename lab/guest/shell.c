// SPDX-License-Identifier: GPL-2.0-only
/* A prompt for whoever debugs a guest by hand. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "lib/report.h"
#include "lib/run.h"
#include "lib/step.h"
#include "lib/sysfs.h"
#include "lib/text.h"
#include "shell.h"

static void list_entry(const char *name, void *arg)
{
	struct token path = token_fmt("%s/%s", (const char *)arg, name);
	char target[1024];
	ssize_t n = readlink(path.s, target, sizeof(target));

	/* Expect most entries to be no link. */
	if (n < 0)
		printf("%s\n", name);
	else
		printf("%s -> %.*s\n", name, (int)n, target);
}

static void list(const char *path)
{
	if (!for_each(path, "", list_entry, (void *)path)) {
		/* Tell an empty directory from a missing one. */
		if (access(path, F_OK))
			perror(path);
	}
	fflush(stdout);
}

static void show(const char *path)
{
	int fd = open(path, O_RDONLY);
	char buf[4096];
	ssize_t n;

	if (fd < 0) {
		perror(path);
		return;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (write(STDOUT_FILENO, buf, n) != n)
			break;
	}
	if (n < 0)
		perror(path);
	close(fd);
}

static void store(const char *arg)
{
	const char *path = strrchr(arg, '>');
	char text[1024];
	int len;

	len = path ? path - arg : (int)strlen(arg);
	while (len && arg[len - 1] == ' ')
		len--;
	snprintf(text, sizeof(text), "%.*s\n", len, arg);

	if (!path) {
		printf("%s", text);
		fflush(stdout);
		return;
	}

	path++;
	path += strspn(path, " ");
	if (write_text(path, text))
		perror(path);
}

static void help(void)
{
	printf("ls PATH\ncat PATH\necho TEXT > PATH\nhelp\npoweroff\n");
	print_steps();
	fflush(stdout);
}

/* Run every command in a child: a file, too, may block for good. */
static void command(char *line)
{
	char *arg;

	line += strspn(line, " ");
	arg = strchr(line, ' ');
	if (arg) {
		*arg++ = '\0';
		arg += strspn(arg, " ");
	}

	if (!*line)
		return;
	report_step(line);
	if (!strcmp(line, "help"))
		help();
	else if (!strcmp(line, "ls"))
		bounded(list, arg ? arg : "/");
	else if (!strcmp(line, "cat") && arg)
		bounded(show, arg);
	else if (!strcmp(line, "echo") && arg)
		bounded(store, arg);
	else
		run_step(line);
}

void shell(void)
{
	char line[1024];

	/*
	 * Own the terminal, so that Ctrl-C reaches the command that runs. The
	 * kernel spares PID 1. Do without, where the console is no terminal.
	 */
	setsid();
	ioctl(STDIN_FILENO, TIOCSCTTY, 1);

	for (;;) {
		printf("vdma# ");
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return;
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "poweroff"))
			return;
		command(line);
	}
}
