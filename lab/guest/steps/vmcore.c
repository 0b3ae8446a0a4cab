// SPDX-License-Identifier: GPL-2.0-only
/* Find a page of the kernel that crashed, and write its checksum to the disk's first block. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/cmdline.h"
#include "../lib/disk.h"
#include "../lib/hash.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"

/* As the first read of a disk may have it. */
#define BLOCK	4096

static char found[HASH_HEX];

/* The offset of an address in the image, which has a header for each range of memory. */
static off_t offset_of(int fd, unsigned long long at)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;
	int n;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return -1;

	for (n = 0; n < head.e_phnum; n++) {
		if (pread(fd, &part, sizeof(part), head.e_phoff + n * sizeof(part)) != sizeof(part))
			return -1;
		if (part.p_type == PT_LOAD && at >= part.p_paddr &&
		    at - part.p_paddr < part.p_memsz)
			return part.p_offset + (at - part.p_paddr);
	}
	errno = ENXIO;

	return -1;
}

static int hash_page(int fd, unsigned long long at)
{
	size_t done = 0, size = sysconf(_SC_PAGESIZE);
	off_t offset = offset_of(fd, at);
	char *page = malloc(size);
	int hash, ret = -1;
	ssize_t n;

	while (page && offset >= 0 && done < size &&
	       (n = pread(fd, page + done, size - done, offset + done)) > 0)
		done += n;
	hash = done == size ? hash_open() : -1;
	if (hash >= 0 && !hash_add(hash, page, size))
		ret = hash_close(hash, found);
	free(page);

	return ret;
}

static void write_sum(const char *disk, void *buf)
{
	int fd = open_disk(disk, O_RDWR | O_DSYNC);

	if (fd < 0)
		return;

	memset(buf, 0, BLOCK);
	memcpy(buf, found, sizeof(found));
	if (pwrite(fd, buf, BLOCK, 0) != BLOCK)
		fail("write", disk);
	else
		report("vmcore disk=%s bytes=%u sha256=%s", disk_serial(disk).s, BLOCK, found);
	close(fd);
}

static void step_vmcore(const char *arg)
{
	const char *at = param("vdma.page");
	int fd = open("/proc/vmcore", O_RDONLY | O_CLOEXEC);

	(void)arg;
	if (fd < 0 || !at)
		fail("open", "vmcore");
	else if (hash_page(fd, strtoull(at, NULL, 16)))
		fail("read", "vmcore");
	else
		each_disk(write_sum, BLOCK);
	close_quietly(fd);
}

STEP(vmcore, step_vmcore);
