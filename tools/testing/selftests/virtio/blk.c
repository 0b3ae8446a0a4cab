// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a virtio disk is read as does not depend on the size and the alignment
 * of the requests; what is written to one that VIRTIO_TEST_DISK names, such as
 * /dev/vdb, is what is read back. What was there before is put back.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>
#include "../kselftest.h"
#include "vdev.h"

#define SCRATCH		"VIRTIO_TEST_DISK"
#define BYTES		(2048 * 1024)
#define LARGE		(1024 * 1024)
/* An odd number: these requests begin and end anywhere in a page. */
#define SMALL_SECTORS	31
#define MAX_SECTOR	4096
#define TRIES		3

typedef ssize_t (*io_fn)(int fd, void *buf, size_t size, off_t offset);

struct disk {
	const char *name;
	int fd;
	size_t len;
	int sector;
};

/* Aligned to pages whatever their size, with room to misalign them by a sector. */
static char *old, *found, *pattern;

static char *buffer(void)
{
	void *buf;

	if (posix_memalign(&buf, sysconf(_SC_PAGESIZE), BYTES + MAX_SECTOR))
		ksft_exit_fail_msg("no memory\n");

	return buf;
}

static ssize_t write_at(int fd, void *buf, size_t size, off_t offset)
{
	return pwrite(fd, buf, size, offset);
}

static int transfer(const struct disk *disk, io_fn io, char *buf, size_t chunk)
{
	size_t done, size;

	for (done = 0; done < disk->len; done += size) {
		ssize_t got;

		size = disk->len - done < chunk ? disk->len - done : chunk;
		got = io(disk->fd, buf + done, size, done);
		if (got != (ssize_t)size) {
			ksft_print_msg("%s: at %zu: %s\n", disk->name, done,
				       got < 0 ? strerror(errno) : "too short");
			return -1;
		}
	}

	return 0;
}

static int in_large(const struct disk *disk, io_fn io, char *buf)
{
	return transfer(disk, io, buf, LARGE);
}

/* Leave the data where in_large() has it. */
static int in_small(const struct disk *disk, io_fn io, char *buf)
{
	char *shifted = buf + disk->sector;
	int ret;

	memmove(shifted, buf, disk->len);
	ret = transfer(disk, io, shifted, SMALL_SECTORS * disk->sector);
	memmove(buf, shifted, disk->len);

	return ret;
}

static bool reads_alike(const struct disk *disk)
{
	int i;

	/* Someone may be writing to it. */
	for (i = 0; i < TRIES; i++) {
		memset(old, 0x55, BYTES);
		memset(found, 0xaa, BYTES);
		if (in_large(disk, pread, old) || in_small(disk, pread, found))
			return false;
		if (!memcmp(old, found, disk->len))
			return true;
	}

	return false;
}

static bool reads_back(const struct disk *disk)
{
	getrandom(pattern, disk->len, GRND_INSECURE);

	if (in_large(disk, pread, old))
		return false;
	if (in_small(disk, write_at, pattern) || in_large(disk, pread, found) ||
	    memcmp(pattern, found, disk->len)) {
		in_large(disk, write_at, old);
		return false;
	}

	return !in_large(disk, write_at, old) && !in_small(disk, pread, found) &&
	       !memcmp(old, found, disk->len);
}

/* Open a disk that has something to read, or say why not. */
static const char *disk_open(struct disk *disk, const char *name, int flags)
{
	char path[PATH_MAX];
	off_t size;

	snprintf(path, sizeof(path), "/dev/%s", name);
	disk->name = name;
	disk->fd = open(path, flags | O_DIRECT | O_CLOEXEC);
	if (disk->fd < 0)
		return strerror(errno);

	size = lseek(disk->fd, 0, SEEK_END);
	if (size <= 0 || ioctl(disk->fd, BLKSSZGET, &disk->sector) || disk->sector > MAX_SECTOR) {
		close(disk->fd);
		return "it is empty";
	}
	disk->len = size < BYTES ? size : BYTES;

	return NULL;
}

static void test_read(const char *name)
{
	struct disk disk;
	const char *why = disk_open(&disk, name, O_RDONLY);

	if (why) {
		ksft_test_result_skip("%s: read: %s\n", name, why);
		return;
	}
	ksft_test_result(reads_alike(&disk), "%s: large and small requests read the same\n", name);
	close(disk.fd);
}

static void test_write(const char *name)
{
	const char *why, *scratch = getenv(SCRATCH);
	struct disk disk;

	if (!scratch || strcmp(basename(scratch), name)) {
		ksft_test_result_skip("%s: write: " SCRATCH " does not name it\n", name);
		return;
	}
	/* Exclusively: one that is mounted says that it is busy. */
	why = disk_open(&disk, name, O_RDWR | O_EXCL | O_DSYNC);
	if (why) {
		ksft_test_result_skip("%s: write: %s\n", name, why);
		return;
	}
	ksft_test_result(reads_back(&disk), "%s: what is written reads back\n", name);
	close(disk.fd);
}

static bool is_virtio(const char *name)
{
	char path[PATH_MAX], real[PATH_MAX];
	const char *parent;

	snprintf(path, sizeof(path), "/sys/block/%s", name);
	parent = realpath(path, real) ? strstr(real, "/virtio") : NULL;

	return parent && isdigit((unsigned char)parent[strlen("/virtio")]);
}

int main(void)
{
	struct dirent **names;
	int i, count, disks = 0;

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("only root may do this\n");

	count = list("/sys/block", &names);
	for (i = 0; i < count; i++)
		disks += is_virtio(names[i]->d_name);
	if (!disks)
		ksft_exit_skip("there is no virtio disk\n");

	old = buffer();
	found = buffer();
	pattern = buffer();
	ksft_set_plan(2 * disks);
	for (i = 0; i < count; i++) {
		if (is_virtio(names[i]->d_name)) {
			test_read(names[i]->d_name);
			test_write(names[i]->d_name);
		}
	}

	ksft_finished();
}
