// SPDX-License-Identifier: GPL-2.0-only
/* Read and write disks past the page cache, so that the device does DMA. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "beat.h"
#include "cmdline.h"
#include "disk.h"
#include "hash.h"
#include "pattern.h"
#include "report.h"
#include "sysfs.h"
#include "text.h"
#include "util.h"

/* Suit any logical block size that a disk is likely to have. */
#define ALIGN_BYTES	4096

/* A device that says wrongly that it failed does not do so each time. */
#define TRIES		16

struct reading reading(const char *bytes)
{
	size_t size = bytes ? strtoul(bytes, NULL, 0) : 0;

	if (!size || size > MIB)
		return (struct reading){ .size = MIB, .tries = 1 };

	return (struct reading){ .size = size, .tries = TRIES };
}

struct token disk_serial(const char *disk)
{
	return read_token("/sys/block/%s/serial", disk);
}

static struct token device_file(const char *disk)
{
	return token_fmt("/dev/%s", disk);
}

int open_disk(const char *disk, int flags)
{
	int fd = open(device_file(disk).s, flags | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		fail("open", disk);

	return fd;
}

/* Align to pages, whatever their size: direct I/O then never bounces. */
static void *buffer(size_t size)
{
	void *buf = NULL;

	errno = posix_memalign(&buf, sysconf(_SC_PAGESIZE), size);
	if (errno)
		fail("memory", NULL);

	return buf;
}

/* Hash all of a disk; return how many bytes there were, or -1. */
long long hash_open_disk(int fd, void *buf, struct reading *how, char hex[HASH_HEX])
{
	unsigned int tries = how->tries;
	int hash = hash_open();
	long long bytes = 0;
	ssize_t n;

	if (hash < 0)
		return -1;

	while ((n = pread(fd, buf, how->size, bytes))) {
		if (n < 0) {
			how->failed++;
			if (!--tries)
				break;
			continue;
		}
		if (hash_add(hash, buf, n))
			break;
		bytes += n;
		tries = how->tries;
		alive();
	}

	return hash_close(hash, hex) || n ? -1 : bytes;
}

int hash_disk(const char *disk, struct reading how, char hex[HASH_HEX])
{
	void *buf = buffer(MIB);
	int fd = open(device_file(disk).s, O_RDONLY | O_DIRECT | O_CLOEXEC);
	char found[HASH_HEX];
	int ret = -1;

	if (buf && fd >= 0 && hash_open_disk(fd, buf, &how, found) >= 0) {
		memcpy(hex, found, HASH_HEX);
		ret = 0;
	}
	close_quietly(fd);
	free(buf);

	return ret;
}

static int write_pattern(int fd, __u64 *buf, off_t offset, unsigned long long seed)
{
	size_t done;
	ssize_t n;

	for (done = 0; done < WRITE_BYTES; done += REQUEST_BYTES) {
		seed = fill_pattern(buf, REQUEST_BYTES, seed);
		n = pwrite(fd, buf, REQUEST_BYTES, offset + done);
		if (n != REQUEST_BYTES) {
			if (n >= 0)
				errno = EIO;
			return -1;
		}
		alive();
	}

	return fsync(fd);
}

/* Write to the middle of a disk; return where that is, or -1. */
off_t write_middle(int fd, __u64 *buf)
{
	off_t size = lseek(fd, 0, SEEK_END);
	off_t offset = size / 2 / ALIGN_BYTES * ALIGN_BYTES;

	if (size < 0)
		return -1;
	if (offset + WRITE_BYTES > size) {
		errno = ENOSPC;
		return -1;
	}

	return write_pattern(fd, buf, offset, strtoull(param("vdma.seed"), NULL, 16)) ? -1 : offset;
}

/* Write, again, what the write step writes. */
int rewrite_disk(const char *disk)
{
	void *buf = buffer(REQUEST_BYTES);
	int fd = open(device_file(disk).s, O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
	off_t offset = -1;

	if (buf && fd >= 0)
		offset = write_middle(fd, buf);
	close_quietly(fd);
	free(buf);

	return offset < 0 ? -1 : 0;
}

static void (*on_disk)(const char *disk, void *buf);

/* The disks for swapping and for firmware are the business of others. */
static void if_ours(const char *disk, void *buf)
{
	struct token serial = disk_serial(disk);

	if (strcmp(serial.s, SWAP_SERIAL) && strcmp(serial.s, ESP_SERIAL))
		on_disk(disk, buf);
}

/* Call @fn with a buffer of @size for it. */
void each_disk(void (*fn)(const char *disk, void *buf), size_t size)
{
	void *buf = buffer(size);

	on_disk = fn;
	if (buf && !for_each("/sys/block", "vd", if_ours, buf) &&
	    !for_each("/sys/block", "sd", if_ours, buf)) {
		errno = ENODEV;
		fail("no-disk", NULL);
	}
	free(buf);
}
