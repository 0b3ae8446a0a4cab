// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the slot allocator, included at the end of swiotlb.c.
 *
 * The allocator is compared to a model: a plain map of slots, which is
 * searched slot by slot in the order that the allocator has always had. Where
 * the model finds slots, the allocator must return the same ones, so that a
 * faster search cannot come with another layout of the pool. Nothing here
 * depends on how the allocator keeps its books.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/sched/clock.h>
#include <linux/vmalloc.h>

#define TEST_MAX_SLOTS		2048
#define TEST_MAX_AREAS		8
#define TEST_ORIG_SIZE		(IO_TLB_SIZE * IO_TLB_SEGSIZE)
#define TEST_START		((phys_addr_t)0x3ff80000)

/**
 * struct test_buffer - what the test has mapped
 * @tlb_addr:	Address of the bounce buffer.
 * @first:	Its first slot, in front of the padding.
 * @nslots:	Number of slots, with the padding.
 */
struct test_buffer {
	phys_addr_t tlb_addr;
	unsigned int first;
	unsigned int nslots;
};

/**
 * struct swiotlb_test - a memory pool, its model, and what is mapped
 * @dev:	Device that maps buffers from @mem alone.
 * @parms:	Its alignment and boundary.
 * @mem:	Allocator under test.
 * @rnd:	State of the pseudo-random numbers.
 * @nareas:	Value of default_nareas before the test.
 * @orig:	Memory that is mapped, aligned to its size.
 * @used:	Model: the slots in use.
 * @index:	Model: where the search of an area begins.
 * @count:	Model: the number of slots in use, by area.
 * @hiwater:	The most slots that were ever in use.
 * @buffers:	What is mapped.
 * @nbuffers:	Number of mapped buffers.
 */
struct swiotlb_test {
	struct device *dev;
	struct device_dma_parameters parms;
	struct io_tlb_mem mem;
	struct rnd_state rnd;
	unsigned long nareas;
	void *orig;
	bool used[TEST_MAX_SLOTS];
	unsigned int index[TEST_MAX_AREAS];
	unsigned int count[TEST_MAX_AREAS];
	unsigned long hiwater;
	struct test_buffer buffers[TEST_MAX_SLOTS];
	unsigned int nbuffers;
};

static unsigned int test_random(struct swiotlb_test *t, unsigned int end)
{
	return prandom_u32_state(&t->rnd) % end;
}

/* Give the device a new, empty pool. */
static void test_pool(struct kunit *test, phys_addr_t start,
		      unsigned long nslabs, unsigned int nareas)
{
	struct swiotlb_test *t = test->priv;
	struct io_tlb_pool *pool = &t->mem.defpool;

	KUNIT_ASSERT_LE(test, nslabs, (unsigned long)TEST_MAX_SLOTS);
	KUNIT_ASSERT_LE(test, nareas, (unsigned int)TEST_MAX_AREAS);
	vfree(pool->vaddr);
	kunit_kfree(test, pool->slots);
	kunit_kfree(test, pool->areas);
	memset(&t->mem, 0, sizeof(t->mem));
	memset(t->used, 0, sizeof(t->used));
	memset(t->index, 0, sizeof(t->index));
	memset(t->count, 0, sizeof(t->count));
	t->nbuffers = 0;
	t->hiwater = 0;

	/*
	 * One slot more than there are: it belongs to nobody, and looks as if
	 * it were free.
	 */
	pool->slots = kunit_kzalloc(test, array_size(sizeof(*pool->slots),
						     nslabs + 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pool->slots);
	memset(pool->slots + nslabs, 1, sizeof(*pool->slots));
	pool->areas = kunit_kzalloc(test, areas_size(nareas, nslabs),
				    GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pool->areas);
	pool->vaddr = vmalloc(nslabs << IO_TLB_SHIFT);
	KUNIT_ASSERT_NOT_NULL(test, pool->vaddr);
	swiotlb_init_io_tlb_pool(pool, start, pool->vaddr, nslabs, true,
				 nareas);
#ifdef CONFIG_SWIOTLB_DYNAMIC
	spin_lock_init(&t->mem.lock);
	INIT_LIST_HEAD_RCU(&t->mem.pools);
	INIT_WORK(&t->mem.dyn_alloc, swiotlb_dyn_alloc);
#endif
	add_mem_pool(&t->mem, pool);
	default_nareas = max(t->nareas, nareas);
}

static void test_limits(struct swiotlb_test *t, unsigned int min_align_mask,
			unsigned long boundary_mask)
{
	dma_set_min_align_mask(t->dev, min_align_mask);
	dma_set_seg_boundary(t->dev, boundary_mask);
}

/* Whether all slots of a buffer are free, and in one slot set of the pool. */
static bool model_free(struct swiotlb_test *t, unsigned int first,
		       unsigned int nslots)
{
	unsigned int i;

	if (first + nslots > t->mem.defpool.nslabs ||
	    first / IO_TLB_SEGSIZE != (first + nslots - 1) / IO_TLB_SEGSIZE)
		return false;
	for (i = first; i < first + nslots; i++)
		if (t->used[i])
			return false;
	return true;
}

static bool model_crosses(struct swiotlb_test *t, unsigned int first,
			  unsigned int nslots)
{
	u64 boundary = dma_get_seg_boundary(t->dev);
	u64 max_slots = (boundary >> IO_TLB_SHIFT) + 1;
	u64 dma_addr = phys_to_dma(t->dev, t->mem.defpool.start) & boundary;
	u64 in_segment = ((dma_addr >> IO_TLB_SHIFT) + first) & (max_slots - 1);

	return in_segment + nslots > max_slots;
}

/* Which alignment counts: that of the allocation, then that of the device. */
static void model_masks(struct swiotlb_test *t, size_t size,
			unsigned int *align_mask, unsigned int *iotlb_mask)
{
	*iotlb_mask = dma_get_min_align_mask(t->dev);
	if (!*align_mask && !*iotlb_mask && size >= PAGE_SIZE)
		*align_mask = PAGE_SIZE - 1;
	*align_mask |= IO_TLB_SIZE - 1;
	*iotlb_mask &= ~*align_mask;
}

static bool model_aligned(struct swiotlb_test *t, unsigned int slot,
			  phys_addr_t orig_addr, unsigned int align_mask,
			  unsigned int iotlb_mask)
{
	u64 addr = phys_to_dma(t->dev, t->mem.defpool.start);

	addr = (addr & dma_get_seg_boundary(t->dev)) +
		((u64)slot << IO_TLB_SHIFT);
	return !(addr & align_mask) &&
		!(orig_addr && ((addr ^ orig_addr) & iotlb_mask));
}

static int model_search_area(struct swiotlb_test *t, unsigned int area,
			     phys_addr_t orig_addr, size_t size,
			     unsigned int align_mask)
{
	unsigned int area_nslabs = t->mem.defpool.area_nslabs;
	unsigned int nslots = DIV_ROUND_UP(size, IO_TLB_SIZE);
	unsigned int i = t->index[area], seen, step, iotlb_mask;

	model_masks(t, size, &align_mask, &iotlb_mask);
	if (nslots > area_nslabs - t->count[area])
		return -1;
	for (seen = 0; seen < area_nslabs; seen += step) {
		unsigned int slot = area * area_nslabs + i;

		step = 1;
		if (model_aligned(t, slot, orig_addr, align_mask, iotlb_mask)) {
			if (!model_crosses(t, slot, nslots) &&
			    model_free(t, slot, nslots))
				return slot;
			step += max(align_mask, iotlb_mask) >> IO_TLB_SHIFT;
		}
		i += step;
		if (i >= area_nslabs)
			i = 0;
	}
	return -1;
}

static int model_search(struct swiotlb_test *t, unsigned int cpu,
			phys_addr_t orig_addr, size_t size,
			unsigned int align_mask)
{
	unsigned int nareas = t->mem.defpool.nareas, i;
	int slot = -1;

	for (i = 0; i < nareas && slot < 0; i++)
		slot = model_search_area(t, (cpu + i) & (nareas - 1), orig_addr,
					 size, align_mask);
	return slot;
}

/* How many areas are searched before that of a slot. */
static unsigned int model_order(struct swiotlb_test *t, unsigned int cpu,
				unsigned int slot)
{
	return (slot / t->mem.defpool.area_nslabs - cpu) &
		(t->mem.defpool.nareas - 1);
}

static void model_mark(struct swiotlb_test *t, unsigned int first,
		       unsigned int nslots, bool used)
{
	unsigned int area = first / t->mem.defpool.area_nslabs, i;

	for (i = first; i < first + nslots; i++)
		t->used[i] = used;
	t->count[area] += used ? nslots : -nslots;
	if (used) {
		i -= area * t->mem.defpool.area_nslabs;
		t->index[area] = i < t->mem.defpool.area_nslabs ? i : 0;
	}
}

/* Compare what debugfs shows, which is not kept in all configurations. */
static void test_counters(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	unsigned long used = 0;
	unsigned int i;

	for (i = 0; i < t->mem.defpool.nareas; i++)
		used += t->count[i];
	t->hiwater = max(t->hiwater, used);
	KUNIT_EXPECT_EQ(test, mem_used(&t->mem), used);
#ifdef CONFIG_DEBUG_FS
	if (atomic_long_read(&t->mem.used_hiwater))
		KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mem.used_hiwater),
				t->hiwater);
#endif
}

/* Compare a search on a CPU to the model's, and book what it found. */
static struct test_buffer *test_found(struct kunit *test, unsigned int cpu,
				      int expected, int slot,
				      phys_addr_t orig_addr, size_t size,
				      unsigned int align_mask)
{
	struct swiotlb_test *t = test->priv;
	unsigned int nslots = DIV_ROUND_UP(size, IO_TLB_SIZE), iotlb_mask;
	struct test_buffer *b = &t->buffers[t->nbuffers];

	/* The model may give up on an area that has slots which fit. */
	if (expected >= 0 &&
	    (slot < 0 || model_order(t, cpu, slot) >=
			 model_order(t, cpu, expected)))
		KUNIT_ASSERT_EQ(test, slot, expected);
	if (slot < 0)
		return NULL;

	model_masks(t, size, &align_mask, &iotlb_mask);
	KUNIT_ASSERT_TRUE(test, model_free(t, slot, nslots));
	KUNIT_ASSERT_FALSE(test, model_crosses(t, slot, nslots));
	KUNIT_ASSERT_TRUE(test, model_aligned(t, slot, orig_addr, align_mask,
					      iotlb_mask));
	model_mark(t, slot, nslots, true);
	test_counters(test);
	b->first = slot;
	b->nslots = nslots;
	b->tlb_addr = slot_addr(t->mem.defpool.start, slot);
	t->nbuffers++;
	return b;
}

/* Take slots for memory of nobody's, as swiotlb_alloc() does. */
static struct test_buffer *test_take(struct kunit *test, size_t size,
				     unsigned int align_mask)
{
	struct swiotlb_test *t = test->priv;
	unsigned int cpu = get_cpu();
	struct io_tlb_pool *pool;
	int expected, slot;

	expected = model_search(t, cpu, 0, size, align_mask);
	slot = swiotlb_find_slots(t->dev, 0, size, align_mask, &pool);
	put_cpu();
	return test_found(test, cpu, expected, slot, 0, size, align_mask);
}

/* Map a part of the test's memory, with what precedes and follows it. */
static struct test_buffer *test_map(struct kunit *test, size_t offset,
				    size_t size, unsigned int align_mask)
{
	struct swiotlb_test *t = test->priv;
	phys_addr_t orig_addr = virt_to_phys(t->orig) + offset, addr;
	struct io_tlb_pool *pool = &t->mem.defpool;
	unsigned long attrs = DMA_ATTR_NO_WARN;
	unsigned int padding, cpu;
	struct test_buffer *b;
	size_t whole;
	int expected, slot = -1;

	padding = orig_addr & dma_get_min_align_mask(t->dev) &
		(align_mask | (IO_TLB_SIZE - 1));
	whole = ALIGN(size + padding, align_mask + 1);
	cpu = get_cpu();
	expected = model_search(t, cpu, orig_addr, whole, align_mask);
	addr = swiotlb_tbl_map_single(t->dev, orig_addr, size, align_mask,
				      DMA_BIDIRECTIONAL, &attrs);
	put_cpu();
	if (addr != (phys_addr_t)DMA_MAPPING_ERROR)
		slot = (addr - padding - pool->start) >> IO_TLB_SHIFT;
	b = test_found(test, cpu, expected, slot, orig_addr, whole, align_mask);
	if (b) {
		b->tlb_addr += padding;
		KUNIT_ASSERT_EQ(test, b->tlb_addr, addr);
		KUNIT_EXPECT_MEMEQ(test, pool->vaddr + (addr - pool->start),
				   t->orig + offset, size);
	}
	return b;
}

static void test_release(struct kunit *test, struct test_buffer *b)
{
	struct swiotlb_test *t = test->priv;

	swiotlb_tbl_unmap_single(t->dev, b->tlb_addr, 0, DMA_TO_DEVICE,
				 DMA_ATTR_SKIP_CPU_SYNC);
	model_mark(t, b->first, b->nslots, false);
	*b = t->buffers[--t->nbuffers];
	test_counters(test);
}

/* The last slots of a pool are followed by nothing, whatever it looks like. */
static void swiotlb_test_odd_size(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 2, 127, 130, 514, 1000 };
	struct swiotlb_test *t = test->priv;
	unsigned int i, last;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		test_pool(test, TEST_START, sizes[i], 1);
		while (test_take(test, IO_TLB_SIZE, 0))
			;
		KUNIT_ASSERT_EQ(test, t->nbuffers, sizes[i]);
		last = (sizes[i] - 1) % IO_TLB_SEGSIZE + 1;
		while (t->nbuffers > sizes[i] - last)
			test_release(test, &t->buffers[t->nbuffers - 1]);
		/* As many slots are free, but one of them is not there. */
		if (t->nbuffers)
			test_release(test, &t->buffers[0]);
		KUNIT_EXPECT_NULL(test, test_take(test, IO_TLB_SIZE *
						  (last + 1), 0));
		KUNIT_EXPECT_NOT_NULL(test, test_take(test, IO_TLB_SIZE *
						      last, 0));
	}
}

/* Free slots of which no two are neighbours are no use to a larger buffer. */
static void swiotlb_test_fragmented(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	unsigned int i;

	test_pool(test, TEST_START, 512, 1);
	/* Without any alignment, a buffer of a page would have that of one. */
	test_limits(t, 1, ULONG_MAX);
	for (i = 0; i < 512; i++)
		KUNIT_ASSERT_NOT_NULL(test, test_take(test, IO_TLB_SIZE, 0));
	KUNIT_EXPECT_NULL(test, test_take(test, IO_TLB_SIZE, 0));
	/* From the end, because the last buffer takes the released one's place. */
	for (i = 512; i; i -= 2)
		test_release(test, &t->buffers[i - 1]);
	KUNIT_EXPECT_NULL(test, test_take(test, IO_TLB_SIZE * 2, 0));
	for (i = 0; t->buffers[i].first != 300; i++)
		;
	test_release(test, &t->buffers[i]);
	KUNIT_EXPECT_NOT_NULL(test, test_take(test, IO_TLB_SIZE * 3, 0));
	KUNIT_EXPECT_NULL(test, test_take(test, IO_TLB_SIZE * 2, 0));
}

/* A buffer lies in a slot set, and all of them can be had again and again. */
static void swiotlb_test_slot_sets(struct kunit *test)
{
	size_t whole = IO_TLB_SIZE * IO_TLB_SEGSIZE, part = whole / 2 + 1;
	struct swiotlb_test *t = test->priv;
	unsigned int round, i;

	test_pool(test, TEST_START, 512, 1);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 4; i++)
			KUNIT_ASSERT_NOT_NULL(test, test_take(test, part, 0));
		KUNIT_EXPECT_NULL(test, test_take(test, part, 0));
		while (t->nbuffers)
			test_release(test, &t->buffers[0]);
		for (i = 0; i < 4; i++)
			KUNIT_ASSERT_NOT_NULL(test, test_take(test, whole, 0));
		KUNIT_EXPECT_NULL(test, test_take(test, 1, 0));
		while (t->nbuffers)
			test_release(test, &t->buffers[0]);
	}
	KUNIT_EXPECT_NULL(test, test_take(test, whole + 1, 0));
}

/* An area that is full passes the request on to the others. */
static void swiotlb_test_areas(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	unsigned int i;

	test_pool(test, TEST_START, 1024, 4);
	for (i = 0; i < 8; i++)
		KUNIT_ASSERT_NOT_NULL(test, test_take(test,
						      IO_TLB_SIZE * 128, 0));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, t->count[i], 256);
	KUNIT_EXPECT_NULL(test, test_take(test, IO_TLB_SIZE, 0));
	test_release(test, &t->buffers[5]);
	KUNIT_EXPECT_NOT_NULL(test, test_take(test, IO_TLB_SIZE * 100, 0));
}

/* What is in front of a buffer to align it is freed with it. */
static void swiotlb_test_padding(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	struct test_buffer *b;

	test_pool(test, TEST_START, 256, 1);
	test_limits(t, PAGE_SIZE - 1, ULONG_MAX);
	b = test_map(test, PAGE_SIZE - 512, 100, PAGE_SIZE - 1);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, b->nslots, PAGE_SIZE / IO_TLB_SIZE);
	KUNIT_EXPECT_EQ(test, b->tlb_addr & ~PAGE_MASK, PAGE_SIZE - 512);
	test_release(test, b);
	test_limits(t, 0, ULONG_MAX);
	KUNIT_EXPECT_NOT_NULL(test, test_take(test, IO_TLB_SIZE * 128, 0));
	KUNIT_EXPECT_NOT_NULL(test, test_take(test, IO_TLB_SIZE * 128, 0));
}

/* The data goes where it belongs, also from the middle of a buffer. */
static void swiotlb_test_sync(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	u8 *orig = t->orig, *bounce;
	struct test_buffer *b;

	test_pool(test, TEST_START, 256, 1);
	test_limits(t, 0xfff, ULONG_MAX);
	b = test_map(test, 0x1234, 0x5000, 0);
	KUNIT_ASSERT_NOT_NULL(test, b);
	bounce = t->mem.defpool.vaddr + (b->tlb_addr - t->mem.defpool.start);
	memset(bounce + 0x1800, 0x5a, 0x2000);
	swiotlb_sync_single_for_cpu(t->dev, b->tlb_addr + 0x1900, 0x100,
				    DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, orig[0x1234 + 0x1900 + 0xff], 0x5a);
	KUNIT_EXPECT_NE(test, orig[0x1234 + 0x1900 + 0x100], 0x5a);
	KUNIT_EXPECT_NE(test, orig[0x1234 + 0x1900 - 1], 0x5a);
	swiotlb_tbl_unmap_single(t->dev, b->tlb_addr, 0x5000, DMA_FROM_DEVICE, 0);
	KUNIT_EXPECT_MEMEQ(test, orig + 0x1234, bounce, 0x5000);
	model_mark(t, b->first, b->nslots, false);
	test_counters(test);
}

/* Most buffers are small, and some take all that there is. */
static size_t test_size(struct swiotlb_test *t)
{
	unsigned int slots = 1 << test_random(t, test_random(t, 8) + 1);

	return 1 + test_random(t, slots * IO_TLB_SIZE);
}

/* Map and release at random, in pools and for devices of all kinds. */
static void swiotlb_test_random(struct kunit *test)
{
	static const unsigned int sizes[] = { 128, 256, 512, 1024, 2048 };
	static const unsigned int iotlb[] = { 0, 0x1ff, 0x7ff, 0xfff, 0xffff };
	static const unsigned int align[] = { 0, 0, 0x7ff, 0xfff, 0x3fff, 0xffff };
	static const unsigned long boundary[] = {
		ULONG_MAX, 0xffffffff, 0x3fffffff, 0x1ffff, 0x3fff, 0x7ff
	};
	struct swiotlb_test *t = test->priv;
	unsigned int round, i, fill, nslabs, nareas, full = 0;

	for (round = 0; round < 200; round++) {
		nslabs = sizes[test_random(t, ARRAY_SIZE(sizes))];
		nareas = 1 << test_random(t, 4);
		if (test_random(t, 2))
			nslabs = 1 + test_random(t, nslabs);
		if (nslabs % (nareas * IO_TLB_SEGSIZE))
			nareas = 1;
		test_pool(test, TEST_START + PAGE_SIZE * test_random(t, 64),
			  nslabs, nareas);
		test_limits(t, iotlb[test_random(t, ARRAY_SIZE(iotlb))],
			    boundary[test_random(t, ARRAY_SIZE(boundary))]);
		fill = test_random(t, 4);
		for (i = 0; i < 1000; i++) {
			unsigned int mask = align[test_random(t, ARRAY_SIZE(align))];
			size_t size = test_size(t);
			struct test_buffer *b;

			if (t->nbuffers && test_random(t, 4) > fill) {
				b = &t->buffers[test_random(t, t->nbuffers)];
				test_release(test, b);
			} else if (test_random(t, 2)) {
				b = test_take(test, size, mask);
				full += !b;
			} else {
				mask = min_t(unsigned int, mask, PAGE_SIZE - 1);
				size = min_t(size_t, size, SZ_32K);
				b = test_map(test, test_random(t, SZ_64K), size,
					     mask);
				full += !b;
			}
			if (test->status == KUNIT_FAILURE)
				return;
		}
	}
	KUNIT_EXPECT_GT(test, full, 0);
}

/* Where a pool can grow, a full one is followed by one for the buffer alone. */
static void swiotlb_test_transient(struct kunit *test)
{
#ifdef CONFIG_SWIOTLB_DYNAMIC
	struct swiotlb_test *t = test->priv;
	struct io_tlb_pool *pool, *next;
	phys_addr_t addr;
	int slot;

	test_pool(test, TEST_START, 128, 1);
	KUNIT_ASSERT_NOT_NULL(test, test_take(test, IO_TLB_SIZE * 128, 0));
	t->mem.phys_limit = DMA_BIT_MASK(64);
	t->mem.can_grow = true;
	slot = swiotlb_find_slots(t->dev, 0, IO_TLB_SIZE * 3, 0, &pool);
	KUNIT_ASSERT_EQ(test, slot, 0);
	KUNIT_EXPECT_TRUE(test, pool->transient);
	KUNIT_EXPECT_EQ(test, pool->nslabs, 3UL);
	KUNIT_EXPECT_PTR_EQ(test, swiotlb_find_pool(t->dev, pool->start), pool);
	addr = pool->start;
	swiotlb_tbl_unmap_single(t->dev, addr, 0, DMA_TO_DEVICE,
				 DMA_ATTR_SKIP_CPU_SYNC);
	KUNIT_EXPECT_NULL(test, swiotlb_find_pool(t->dev, addr));

	/* Meanwhile a pool of the usual size has been added. */
	flush_work(&t->mem.dyn_alloc);
	t->mem.can_grow = false;
	slot = swiotlb_find_slots(t->dev, 0, IO_TLB_SIZE * 128, 0, &pool);
	KUNIT_ASSERT_GE(test, slot, 0);
	KUNIT_EXPECT_PTR_NE(test, pool, &t->mem.defpool);
	KUNIT_EXPECT_FALSE(test, pool->transient);
	swiotlb_tbl_unmap_single(t->dev, slot_addr(pool->start, slot), 0,
				 DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	list_for_each_entry_safe(pool, next, &t->mem.pools, node) {
		if (pool != &t->mem.defpool) {
			list_del_rcu(&pool->node);
			swiotlb_schedule_dyn_free(pool);
		}
	}
#else
	kunit_skip(test, "swiotlb is not dynamic");
#endif
}

/* Print what it takes to find that no @n + 1 slots are free. */
static void test_cost_none(struct kunit *test, unsigned int n,
			   unsigned int align_mask)
{
	struct swiotlb_test *t = test->priv;
	struct io_tlb_pool *pool;
	unsigned int i;
	u64 before;

	/* Without any alignment, a buffer of a page would have that of one. */
	test_limits(t, align_mask ? 0 : 1, ULONG_MAX);
	before = local_clock();
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_LT(test, swiotlb_find_slots(t->dev, 0, IO_TLB_SIZE *
							 (n + 1), align_mask,
							 &pool), 0);
	kunit_info(test, "runs of %u, aligned to %u: none of %u: %llu ns\n", n,
		   align_mask + 1, n + 1, div_u64(local_clock() - before, 100));
	test_limits(t, 0, ULONG_MAX);
}

/*
 * What a search takes, printed and not judged: the kernel cannot know how
 * fast it must be. The worst case is a search that fails in an area of which
 * half of the slots are free, none of them of use, since interrupts are off.
 */
static void swiotlb_test_cost(struct kunit *test)
{
	static const unsigned int used[] = { 25, 50, 75, 95 };
	static const unsigned int align[] = { 0, 0xfff, 0xffff, 0x3ffff };
	struct swiotlb_test *t = test->priv;
	struct io_tlb_pool *pool;
	unsigned int i, n;
	phys_addr_t addr;
	u64 before;
	int slot;

	for (n = 0; n < ARRAY_SIZE(used); n++) {
		test_pool(test, TEST_START, TEST_MAX_SLOTS, 1);
		while (t->nbuffers < TEST_MAX_SLOTS)
			test_take(test, IO_TLB_SIZE, 0);
		while (t->nbuffers > TEST_MAX_SLOTS * used[n] / 100) {
			i = test_random(t, t->nbuffers);
			test_release(test, &t->buffers[i]);
		}
		before = local_clock();
		for (i = 0; i < 1000; i++) {
			slot = swiotlb_find_slots(t->dev, 0, IO_TLB_SIZE * 2,
						  0, &pool);
			if (slot < 0)
				continue;
			addr = slot_addr(pool->start, slot);
			swiotlb_release_slots(t->dev, addr, pool);
		}
		kunit_info(test, "%u %% used: 4 KiB: %llu ns\n", used[n],
			   div_u64(local_clock() - before, 1000));
	}

	for (n = 1; n < IO_TLB_SEGSIZE; n *= 2) {
		/* Runs of n free slots, each behind a slot that is used. */
		test_pool(test, TEST_START, TEST_MAX_SLOTS, 1);
		while (t->nbuffers < TEST_MAX_SLOTS)
			test_take(test, IO_TLB_SIZE, 0);
		for (i = TEST_MAX_SLOTS; i; i--)
			if (i % (n + 1))
				test_release(test, &t->buffers[i - 1]);
		for (i = 0; i < ARRAY_SIZE(align); i++)
			test_cost_none(test, n, align[i]);
	}
}

static int swiotlb_test_init(struct kunit *test)
{
	struct swiotlb_test *t;
	unsigned int i;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	t->orig = (void *)__get_free_pages(GFP_KERNEL,
					   get_order(TEST_ORIG_SIZE));
	if (!t->orig)
		return -ENOMEM;
	t->nareas = default_nareas;
	prandom_seed_state(&t->rnd, 27);
	for (i = 0; i < TEST_ORIG_SIZE / sizeof(u32); i++)
		((u32 *)t->orig)[i] = prandom_u32_state(&t->rnd) & 0x3f3f3f3f;
	test->priv = t;

	t->dev = kunit_device_register(test, "swiotlb");
	if (IS_ERR(t->dev))
		return PTR_ERR(t->dev);
	t->dev->coherent_dma_mask = DMA_BIT_MASK(64);
	t->dev->dma_mask = &t->dev->coherent_dma_mask;
	t->dev->dma_parms = &t->parms;
	t->dev->dma_io_tlb_mem = &t->mem;
	test_limits(t, 0, ULONG_MAX);
	return 0;
}

static void swiotlb_test_exit(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;

	if (!t)
		return;
	default_nareas = t->nareas;
	vfree(t->mem.defpool.vaddr);
	free_pages((unsigned long)t->orig, get_order(TEST_ORIG_SIZE));
	if (!IS_ERR_OR_NULL(t->dev)) {
		t->dev->dma_parms = NULL;
		swiotlb_dev_init(t->dev);
	}
}

static struct kunit_case swiotlb_test_cases[] = {
	KUNIT_CASE(swiotlb_test_odd_size),
	KUNIT_CASE(swiotlb_test_fragmented),
	KUNIT_CASE(swiotlb_test_slot_sets),
	KUNIT_CASE(swiotlb_test_areas),
	KUNIT_CASE(swiotlb_test_padding),
	KUNIT_CASE(swiotlb_test_sync),
	KUNIT_CASE_SLOW(swiotlb_test_random),
	KUNIT_CASE(swiotlb_test_transient),
	KUNIT_CASE_SLOW(swiotlb_test_cost),
	{}
};

static struct kunit_suite swiotlb_test_suite = {
	.name = "swiotlb",
	.init = swiotlb_test_init,
	.exit = swiotlb_test_exit,
	.test_cases = swiotlb_test_cases,
};

kunit_test_suite(swiotlb_test_suite);
