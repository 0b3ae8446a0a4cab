// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read and write a disk from several processes, at random, and compare all of it.
 *
 * Each process has a part of the disk of its own, next to that of another one, and
 * knows what must be there. The host works out the same from the seed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../lib/cmdline.h"
#include "../lib/cpu.h"
#include "../lib/disk.h"
#include "../lib/part.h"
#include "../lib/pattern.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define DISK		"vda"
#define MANY		16

struct storm {
	unsigned int processes, requests, most, number;
	struct tally *tally;
};

/* Direct I/O takes no address that is less aligned than this. */
static size_t alignment(void)
{
	int mask = atoi(read_token("/sys/block/" DISK "/queue/dma_alignment").s);

	return mask ? mask + 1 : SECTOR;
}

static int prepare(struct part *p, const struct storm *storm, unsigned int n)
{
	p->fd = open_disk(DISK, O_RDWR);
	if (p->fd < 0)
		return -1;
	if (vector_init(&p->vector, alignment())) {
		fail("memory", NULL);
		return -1;
	}
	/* Every other process stays on a CPU, and the others are where the kernel has them. */
	if (n % 2 && stay_on(n / 2 % cpus())) {
		fail("cpu", NULL);
		return -1;
	}
	p->at = lseek(p->fd, 0, SEEK_END) - (off_t)(n + 1) * PART_BYTES;
	p->tag = (__u64)n << 56 | (__u64)storm->number << 40;
	p->most = storm->most;
	p->tally = &storm->tally[n];
	p->state = strtoull(param("vdma.seed") ?: "", NULL, 16);
	fill_pattern(p->text, sizeof(p->text), p->state);
	p->state += storm->number * MANY + n;

	return 0;
}

static int process(const struct storm *storm, unsigned int n)
{
	struct part *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	if (p == MAP_FAILED) {
		fail("memory", NULL);
		return 1;
	}
	if (prepare(p, storm, n) || part_learn(p))
		return 1;
	for (i = 0; i < storm->requests; i++)
		if (part_request(p, i))
			return 1;

	return !!part_compare(p);
}

/* Take PROCESSES:REQUESTS:BYTES[:NUMBER]: so many each, of so many bytes at most. */
static void step_storm(const char *arg)
{
	struct storm s = { 0 };
	unsigned int i;
	int status;

	if (sscanf(arg ?: "", "%u:%u:%u:%u", &s.processes, &s.requests, &s.most, &s.number) < 3 ||
	    !s.processes || s.processes > MANY || !s.most || s.most % SECTOR ||
	    s.most > PART_BYTES) {
		errno = EINVAL;
		fail("processes-requests-bytes", arg);
		return;
	}
	s.tally = mmap(NULL, MANY * sizeof(*s.tally), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s.tally == MAP_FAILED) {
		fail("memory", NULL);
		return;
	}
	for (i = 0; i < s.processes; i++)
		if (!fork())
			_exit(process(&s, i));
	while (wait(&status) > 0)
		errors += !!status;
	for (i = 0; i < s.processes; i++) {
		const struct tally *t = &s.tally[i];

		report("storm number=%u process=%u reads=%lu writes=%lu pieces=%lu bytes=%lu failed=%lu before=%s after=%s",
		       s.number, i, t->reads, t->writes, t->pieces, t->bytes, t->failed,
		       one_word(t->before).s, one_word(t->after).s);
	}
}

STEP(storm, step_storm);
