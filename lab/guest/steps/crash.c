// SPDX-License-Identifier: GPL-2.0-only
/* Panic, and have another kernel find a page of this one: kdump, without a reset of devices. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/types.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../lib/cmdline.h"
#include "../lib/kexec.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define PAGEMAP_FRAME	((1ULL << 55) - 1)

/* Where a page of this process lies, or 0. */
static unsigned long long physical(const void *page, size_t size)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	__u64 entry = 0;

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (unsigned long)page / size * sizeof(entry)) !=
		      sizeof(entry))
		entry = 0;
	close_quietly(fd);

	return (entry & PAGEMAP_FRAME) * size;
}

static void step_crash(const char *arg)
{
	size_t size = sysconf(_SC_PAGESIZE);
	unsigned long long at;
	void *page;

	(void)arg;
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED,
		    -1, 0);
	if (page == MAP_FAILED || !param("vdma.seed")) {
		fail("page", NULL);
		return;
	}
	fill_pattern(page, size, strtoull(param("vdma.seed"), NULL, 16));
	at = physical(page, size);
	if (!at) {
		fail("pagemap", NULL);
		return;
	}
	if (kexec_load_shared(KEXEC_FILE_ON_CRASH, token_fmt(" vdma.page=%#llx", at).s))
		return;

	report("crash page=%#llx bytes=%zu", at, size);
	drain(NULL);
	write_text("/proc/sysrq-trigger", "c");
	fail("sysrq", NULL);
}

STEP(crash, step_crash);
