// SPDX-License-Identifier: GPL-2.0-only
/* A disk: a file or disk of the host. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <unistd.h>
#include "device.h"
#include "die.h"
#include "memory.h"

#define SECTOR	512
#define BLOCK	4096

static struct virtio_blk_config config = { .seg_max = RING_SIZE - 2 };
static int fd;

void blk_init(const char *path)
{
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(path);
	config.capacity = lseek(fd, 0, SEEK_END) / SECTOR;
}

void blk_end(void)
{
	if (fsync(fd))
		die("fsync");
}

/*
 * Move a piece between the disk and the guest; 0, what failed on the disk, or -1 for
 * memory that is not ours.
 */
static int move(const struct piece *p, off_t at, bool out)
{
	unsigned char block[BLOCK];
	uint32_t done, len;

	for (done = 0; done < p->len; done += len) {
		len = p->len - done < BLOCK ? p->len - done : BLOCK;
		if (out && !memory_get(p->addr + done, block, len))
			return -1;
		if ((out ? pwrite(fd, block, len, at + done) :
			   pread(fd, block, len, at + done)) != len)
			return VIRTIO_BLK_S_IOERR;
		if (!out && !memory_put(p->addr + done, block, len))
			return -1;
	}

	return VIRTIO_BLK_S_OK;
}

static int64_t serve(const struct chain *c)
{
	static const char serial[VIRTIO_BLK_ID_BYTES] = "disk0";
	const struct piece *p = &c->pieces[0], *last = &c->pieces[c->count - 1];
	struct virtio_blk_outhdr head;
	int64_t written = 1;
	uint8_t status = VIRTIO_BLK_S_OK;
	off_t at;
	int ret;

	if (c->count < 2 || !memory_get(p->addr, &head, sizeof(head)))
		return -1;
	at = head.sector * SECTOR;
	while (++p < last && status == VIRTIO_BLK_S_OK) {
		if (head.type == VIRTIO_BLK_T_GET_ID)
			ret = memory_put(p->addr, serial, sizeof(serial)) ? VIRTIO_BLK_S_OK : -1;
		else if (head.type == VIRTIO_BLK_T_IN || head.type == VIRTIO_BLK_T_OUT)
			ret = move(p, at, head.type == VIRTIO_BLK_T_OUT);
		else
			ret = VIRTIO_BLK_S_UNSUPP;
		if (ret < 0)
			return -1;
		status = ret;
		at += p->len;
		written += p->write ? p->len : 0;
	}

	return memory_put(last->addr, &status, sizeof(status)) ? written : -1;
}

struct device blk = {
	.name = "blk", .id = VIRTIO_ID_BLOCK, .features = 1 << VIRTIO_BLK_F_SEG_MAX,
	.config = &config, .config_size = sizeof(config), .serve = serve,
};
