/* SPDX-License-Identifier: GPL-2.0-only */
/* A part of a disk that one process has for itself, and knows by heart. */
#ifndef PART_H
#define PART_H

#include <linux/types.h>
#include <sys/types.h>
#include "hash.h"
#include "util.h"
#include "vector.h"

#define PART_BYTES	(512 * 1024)
#define PART_SECTORS	(PART_BYTES / SECTOR)
/* A sector's data begins at one of so many words of the seed's pattern: a prime. */
#define STARTS		4093

struct tally {
	unsigned long reads, writes, pieces, bytes, failed;
	char before[HASH_HEX], after[HASH_HEX];
};

struct part {
	int fd;
	off_t at;
	__u64 tag;			/* whose it is, in what it writes */
	unsigned int most;		/* bytes of a request */
	unsigned long long state;	/* of what is drawn */
	struct tally *tally;
	struct vector vector;
	char data[PART_BYTES];		/* what is there */
	/* What was read of it at last: direct I/O wants it aligned. */
	char seen[PART_BYTES] __attr(aligned(4096));
	__u64 text[STARTS + SECTOR / 8];
};

int part_learn(struct part *p);
int part_request(struct part *p, unsigned int request);
int part_compare(struct part *p);

#endif
