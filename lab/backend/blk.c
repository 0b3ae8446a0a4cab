// SPDX-License-Identifier: GPL-2.0-only
/* A disk: a file of the host's. */
#include <linux/virtio_blk.h>
#include <stddef.h>
#include <string.h>
#include "device.h"
#include "file.h"

#define SECTOR		512
/* Of a ring of 128 in QEMU, what the header and the status leave. */
#define SEGMENTS	126

static char *disk;
static uint64_t size;

static bool blk_open(const char *path)
{
	disk = file_map(path, true, &size);

	return disk;
}

/* Whether so much lies on the disk, from this sector on. */
static bool holds(uint64_t sector, uint64_t len)
{
	return sector <= size / SECTOR && len <= size - sector * SECTOR;
}

/* All bytes to write come first, and then the status. */
static uint32_t blk_serve(struct ring *r, struct chain *c)
{
	const char id[VIRTIO_BLK_ID_BYTES] = "lab";
	struct virtio_blk_outhdr h;
	uint32_t room, len, n = 0;
	uint8_t status = VIRTIO_BLK_S_IOERR;

	(void)r;
	if (!c->out.size)
		return 0;
	room = c->out.size - 1;
	if (chain_get(c, 0, &h, sizeof(h)) == sizeof(h)) {
		len = c->in.size - sizeof(h);
		switch (h.type) {
		case VIRTIO_BLK_T_IN:
			if (holds(h.sector, room))
				n = chain_put(c, 0, disk + h.sector * SECTOR, room);
			if (n == room)
				status = VIRTIO_BLK_S_OK;
			break;
		case VIRTIO_BLK_T_OUT:
			if (holds(h.sector, len) &&
			    chain_get(c, sizeof(h), disk + h.sector * SECTOR, len) == len)
				status = VIRTIO_BLK_S_OK;
			break;
		case VIRTIO_BLK_T_FLUSH:
			/* What is written is the file's at once. */
			status = VIRTIO_BLK_S_OK;
			break;
		case VIRTIO_BLK_T_GET_ID:
			n = chain_put(c, 0, id, room < sizeof(id) ? room : sizeof(id));
			status = VIRTIO_BLK_S_OK;
			break;
		default:
			status = VIRTIO_BLK_S_UNSUPP;
		}
	}

	return n + chain_put(c, room, &status, sizeof(status));
}

static void blk_config(void *to, uint32_t len)
{
	struct virtio_blk_config c = {
		.capacity = size / SECTOR, .seg_max = SEGMENTS, .blk_size = SECTOR, .num_queues = 1,
	};

	memcpy(to, &c, len < sizeof(c) ? len : sizeof(c));
}

const struct device blk = {
	.name = "blk", .source = "disk.img", .rings = 1, .field = -1,
	.features = 1 << VIRTIO_BLK_F_SEG_MAX | 1 << VIRTIO_BLK_F_BLK_SIZE | 1 << VIRTIO_BLK_F_FLUSH,
	.open = blk_open, .serve = blk_serve, .config = blk_config,
};
