/* SPDX-License-Identifier: GPL-2.0-only */
/* A request as drivers make it: two buffers that the device reads, one it writes. */
#include <linux/random.h>

#include "virtio_mock.h"

/* How virtqueues are laid out, and how a request is described in them. */
static const __maybe_unused struct ring_kind {
	const char *name;
	u64 features;
	bool falls_back;
} ring_kinds[] = {
	{ "split", 0 },
	{ "split, indirect", BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) },
	{ "packed", BIT_ULL(VIRTIO_F_RING_PACKED) },
	{ "packed, indirect",
	  BIT_ULL(VIRTIO_F_RING_PACKED) | BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC), true },
};

/* All lie in one page, at these places. */
static const struct { u16 at, len; bool write; } request[] = {
	{ 0x010, 16, false }, { 0x123, 250, false }, { 0x800, 600, true },
};

static inline int add_request(struct virtqueue *vq, u8 *page)
{
	struct scatterlist sg[ARRAY_SIZE(request)];
	struct scatterlist *sgs[ARRAY_SIZE(request)];
	int i;

	get_random_bytes(page, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(request); i++) {
		sgs[i] = &sg[i];
		sg_init_one(sgs[i], page + request[i].at, request[i].len);
	}
	return virtqueue_add_sgs(vq, sgs, 2, 1, page, GFP_KERNEL);
}

/* Is the answer the request inverted, and nothing else changed? */
static inline bool answered(const u8 *page, const u8 *sent)
{
	const u8 *in = page + request[2].at;
	u8 out[266];
	int i;

	memcpy(out, sent + request[0].at, request[0].len);
	memcpy(out + request[0].len, sent + request[1].at, request[1].len);
	for (i = 0; i < request[2].len; i++)
		if (in[i] != (u8)~out[i % sizeof(out)])
			return false;
	return !memcmp(page, sent, request[2].at) &&
	       !memcmp(in + i, sent + request[2].at + i, PAGE_SIZE - request[2].at - i);
}

/* One request, from the driver to the device and back. */
static inline int do_request(struct virtio_mock *mock, u8 *page)
{
	unsigned int len;
	u8 *sent;
	int err;

	err = add_request(mock->vq, page);
	if (err)
		return err;

	sent = kmemdup(page, PAGE_SIZE, GFP_KERNEL);
	virtqueue_kick(mock->vq);
	KUNIT_EXPECT_EQ(mock->test, virtio_mock_serve(mock), 1);
	KUNIT_EXPECT_PTR_EQ(mock->test, virtqueue_get_buf(mock->vq, &len), (void *)page);
	KUNIT_EXPECT_EQ(mock->test, len, request[2].len);
	KUNIT_EXPECT_TRUE(mock->test, sent && answered(page, sent));
	kfree(sent);
	return 0;
}
