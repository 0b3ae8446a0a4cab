// SPDX-License-Identifier: GPL-2.0-only
/* Write the image of a hibernation to a disk, and resume from it in the same boot. */
#include <fcntl.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>
#include "../lib/disk.h"
#include "../lib/patience.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define SIGNATURE	"SWAPSPACE2"
#define VERSION_AT	1024

/* What the kernel looks for in the first page of a swap area. */
static int make_swap(int fd)
{
	size_t page = sysconf(_SC_PAGESIZE), len = strlen(SIGNATURE);
	__u32 version_and_last[] = { 1, lseek(fd, 0, SEEK_END) / page - 1 };
	char *header = calloc(1, page);
	int ret;

	if (!header)
		return -1;
	memcpy(header + VERSION_AT, version_and_last, sizeof(version_and_last));
	memcpy(header + page - len, SIGNATURE, len);
	ret = pwrite(fd, header, page, 0) == (ssize_t)page ? fsync(fd) : -1;
	free(header);

	return ret;
}

static void find(const char *disk, void *arg)
{
	struct token *path = arg;

	if (!strcmp(read_token("/sys/block/%s/serial", disk).s, SWAP_SERIAL))
		*path = token_fmt("/dev/%s", disk);
}

static int prepare(struct token *path)
{
	int fd, ret;

	path->s[0] = '\0';
	for_each("/sys/block", "vd", find, path);
	fd = open(path->s, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = make_swap(fd);
	close(fd);

	return ret ? -1 : swapon(path->s, 0);
}

static void step_hibernate(const char *arg)
{
	struct token path;
	long long start;

	(void)arg;
	if (prepare(&path)) {
		fail("swap", NULL);
		return;
	}

	start = now_ms();
	if (write_text("/sys/power/disk", "test_resume"))
		fail("disk", NULL);
	else if (write_text("/sys/power/state", "disk"))
		fail("state", NULL);
	else
		report("hibernate ms=%lld", now_ms() - start);

	/* Let go of the disk: other steps take its driver away. */
	if (swapoff(path.s))
		fail("swapoff", NULL);
}

STEP(hibernate, step_hibernate);
