// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's side of a virtqueue. It knows addresses only, reaches memory
 * through what its bus maps, and answers a request with its bytes inverted.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "virtio_mock.h"
#include "virtio_mock_bus.h"

#define PACKED_MARK	(BIT(VRING_PACKED_DESC_F_AVAIL) | BIT(VRING_PACKED_DESC_F_USED))

static bool is_packed(struct virtio_mock *mock)
{
	return __virtio_test_bit(&mock->vdev, VIRTIO_F_RING_PACKED);
}

/* Memory at a DMA address, or NULL if not all of it is mapped for such an access. */
void *virtio_mock_reach(struct virtio_mock *mock, u64 addr, u64 len, u32 perm)
{
	struct vhost_iotlb_map *map;

	map = vhost_iotlb_itree_first(mock->iotlb, addr, addr);
	if (!map || map->last < addr + len - 1 || (map->perm & perm) != perm ||
	    !pfn_valid(PFN_DOWN(map->addr + addr - map->start)))
		return NULL;

	return phys_to_virt(map->addr + addr - map->start);
}

int virtio_mock_attach(struct virtio_mock *mock)
{
	struct virtqueue *vq = mock->vq;
	int err = mock_bus_view(mock);

	if (err)
		return err;

	if (!virtio_mock_reach(mock, virtqueue_get_desc_addr(vq), 16, VHOST_ACCESS_RW) ||
	    !virtio_mock_reach(mock, virtqueue_get_avail_addr(vq), 4, VHOST_ACCESS_RW) ||
	    !virtio_mock_reach(mock, virtqueue_get_used_addr(vq), 4, VHOST_ACCESS_RW)) {
		KUNIT_FAIL(mock->test, "the device cannot reach its ring");
		return -EFAULT;
	}

	mock->next = 0;
	mock->wrap = true;
	if (is_packed(mock))
		return 0;

	vringh_set_iotlb(&mock->vrh, mock->iotlb, &mock->iotlb_lock);
	return vringh_init_iotlb(&mock->vrh, mock->vdev.features, virtqueue_get_vring_size(vq),
				 false, (void *)(uintptr_t)virtqueue_get_desc_addr(vq),
				 (void *)(uintptr_t)virtqueue_get_avail_addr(vq),
				 (void *)(uintptr_t)virtqueue_get_used_addr(vq));
}

static int take(struct virtio_mock *mock, u64 addr, u32 len, bool write)
{
	if (mock->nsegs == MOCK_SEGS)
		return -E2BIG;

	mock->segs[mock->nsegs++] = (struct mock_seg) {
		.addr = addr, .len = len, .write = write,
	};
	return 0;
}

static int take_iov(struct virtio_mock *mock, struct vringh_kiov *iov, bool write)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < iov->used && !err; i++)
		err = take(mock, (uintptr_t)iov->iov[i].iov_base, iov->iov[i].iov_len, write);
	return err;
}

/* Do what was asked: what is written is what is read, inverted, again and again. */
static int answer(struct virtio_mock *mock)
{
	u8 bytes[1024], *at;
	u32 had = 0, given = 0, i, j;

	for (i = 0; i < mock->nsegs; i++) {
		struct mock_seg *seg = &mock->segs[i];

		at = virtio_mock_reach(mock, seg->addr, seg->len,
				       seg->write ? VHOST_ACCESS_WO : VHOST_ACCESS_RO);
		if (!at || (!seg->write && had + seg->len > sizeof(bytes)))
			return -EFAULT;
		seg->phys = virt_to_phys(at);
		for (j = 0; j < seg->len; j++) {
			if (seg->write)
				at[j] = had ? ~bytes[given++ % had] : 0;
			else
				bytes[had++] = at[j];
		}
	}
	return given;
}

static int serve_split(struct virtio_mock *mock)
{
	struct kvec vecs[2][MOCK_SEGS];
	struct vringh_kiov in, out;
	int err, given;
	u16 head;

	vringh_kiov_init(&out, vecs[0], MOCK_SEGS);
	vringh_kiov_init(&in, vecs[1], MOCK_SEGS);
	err = vringh_getdesc_iotlb(&mock->vrh, &out, &in, &head, GFP_KERNEL);
	if (err == 1) {
		given = take_iov(mock, &out, false) ?: take_iov(mock, &in, true) ?: answer(mock);
		err = given < 0 ? given : vringh_complete_iotlb(&mock->vrh, head, given) ?: 1;
	}
	vringh_kiov_cleanup(&out);
	vringh_kiov_cleanup(&in);
	return err;
}

static int take_packed(struct virtio_mock *mock, const struct vring_packed_desc *desc)
{
	return take(mock, le64_to_cpu(desc->addr), le32_to_cpu(desc->len),
		    le16_to_cpu(desc->flags) & VRING_DESC_F_WRITE);
}

static int serve_packed(struct virtio_mock *mock)
{
	unsigned int num = virtqueue_get_vring_size(mock->vq), slots = 0, i, len;
	struct vring_packed_desc *ring, *desc, *table;
	u16 flags, mark = mock->wrap ? BIT(VRING_PACKED_DESC_F_AVAIL) :
				       BIT(VRING_PACKED_DESC_F_USED);
	int err = 0;

	ring = virtio_mock_reach(mock, virtqueue_get_desc_addr(mock->vq), num * sizeof(*ring),
				 VHOST_ACCESS_RW);
	if (!ring)
		return -EFAULT;

	if ((le16_to_cpu(READ_ONCE(ring[mock->next].flags)) & PACKED_MARK) != mark)
		return 0;

	rmb(); /* read the descriptor after its mark */
	do {
		desc = &ring[(mock->next + slots++) % num];
		flags = le16_to_cpu(desc->flags);
		if (!(flags & VRING_DESC_F_INDIRECT)) {
			err = take_packed(mock, desc);
			continue;
		}
		len = le32_to_cpu(desc->len);
		table = virtio_mock_reach(mock, le64_to_cpu(desc->addr), len, VHOST_ACCESS_RO);
		if (!table)
			return -EFAULT;
		for (i = 0; i < len / sizeof(*table) && !err; i++)
			err = take_packed(mock, &table[i]);
	} while (flags & VRING_DESC_F_NEXT && !err);

	err = err ?: answer(mock);
	if (err < 0)
		return err;

	ring[mock->next].id = desc->id;
	ring[mock->next].len = cpu_to_le32(err);
	wmb(); /* mark the descriptor as used after writing it */
	WRITE_ONCE(ring[mock->next].flags,
		   cpu_to_le16((err ? VRING_DESC_F_WRITE : 0) | (mock->wrap ? PACKED_MARK : 0)));
	mock->next += slots;
	if (mock->next >= num) {
		mock->next -= num;
		mock->wrap = !mock->wrap;
	}
	return 1;
}

/* Serve one request: 1 if there was one, 0 if not, negative if it cannot be done. */
int virtio_mock_serve(struct virtio_mock *mock)
{
	mock->nsegs = 0;
	return is_packed(mock) ? serve_packed(mock) : serve_split(mock);
}
