// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel command line has for the guest. */
#include <stdio.h>
#include <string.h>
#include "cmdline.h"
#include "sysfs.h"

/* The words of the command line, each ended by a NUL, an empty one last. */
static char cmdline[4096];

void read_cmdline(void)
{
	char text[sizeof(cmdline) - 1] = "";
	char *word, *rest, *to = cmdline;

	read_text("/proc/cmdline", text, sizeof(text));
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		to += sprintf(to, "%s", word) + 1;
}

/* Return the value, "" for a flag, NULL where it is missing. The last counts. */
const char *param(const char *name)
{
	size_t len = strlen(name);
	const char *word, *found = NULL;

	for (word = cmdline; *word; word += strlen(word) + 1) {
		if (!strncmp(word, name, len) && (word[len] == '=' || !word[len]))
			found = word + len + !!word[len];
	}

	return found;
}
