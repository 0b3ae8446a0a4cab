// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus of a device under test: what the platform says of its DMA, and what
 * of memory the device can reach under which address.
 */
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_dma_mode.h>

#include "virtio_mock_base.h"
#include "virtio_mock_bus.h"

/* More than a ring of requests needs. */
#define MOCK_MAPPINGS	256

static struct virtio_mock *bus_of(struct device *dev)
{
	return dev_get_drvdata(dev);
}

static u32 perm_of(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE ? VHOST_ACCESS_RO :
	       dir == DMA_FROM_DEVICE ? VHOST_ACCESS_WO : VHOST_ACCESS_RW;
}

/* Give each mapping addresses that no other ever had, and fail when told to. */
dma_addr_t mock_map(struct device *dev, phys_addr_t phys, size_t size,
		    enum dma_data_direction dir, unsigned long attrs)
{
	struct virtio_mock *mock = bus_of(dev);
	u64 addr = mock->next_iova + offset_in_page(phys);

	if (++mock->calls == mock->fail_at ||
	    vhost_iotlb_add_range(mock->iotlb, addr, addr + size - 1, phys, perm_of(dir)))
		return DMA_MAPPING_ERROR;

	mock->next_iova += PAGE_ALIGN(offset_in_page(phys) + size);
	mock->live++;
	return addr;
}

/* Only what was mapped is unmapped, as a whole and in the same direction. */
void mock_unmap(struct device *dev, dma_addr_t addr, size_t size,
		enum dma_data_direction dir, unsigned long attrs)
{
	struct virtio_mock *mock = bus_of(dev);
	struct vhost_iotlb_map *map = vhost_iotlb_itree_first(mock->iotlb, addr, addr);

	if (!map || map->start != addr || map->size != size || map->perm != perm_of(dir)) {
		mock->wrong++;
		return;
	}
	vhost_iotlb_map_free(mock->iotlb, map);
	mock->live--;
}

static void *mock_alloc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			unsigned long attrs)
{
	void *memory = alloc_pages_exact(size, gfp | __GFP_ZERO);

	if (!memory)
		return NULL;

	*handle = mock_map(dev, virt_to_phys(memory), size, DMA_BIDIRECTIONAL, attrs);
	if (*handle != DMA_MAPPING_ERROR)
		return memory;

	free_pages_exact(memory, size);
	return NULL;
}

static void mock_free(struct device *dev, size_t size, void *memory, dma_addr_t handle,
		      unsigned long attrs)
{
	mock_unmap(dev, handle, size, DMA_BIDIRECTIONAL, attrs);
	free_pages_exact(memory, size);
}

static const struct dma_map_ops mock_map_ops = {
	.alloc = mock_alloc,
	.free = mock_free,
	MOCK_MAP_OPS,
};

int mock_bus_init(struct virtio_mock *mock)
{
	int err = -ENOMEM;

	spin_lock_init(&mock->iotlb_lock);
	mock->next_iova = MOCK_OFFSET;
	mock->page = (void *)get_zeroed_page(GFP_KERNEL);
	mock->iotlb = vhost_iotlb_alloc(MOCK_MAPPINGS, 0);
	if (!mock->page || !mock->iotlb)
		goto err;

	mock->parent = platform_device_register_simple("virtio-mock", PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(mock->parent)) {
		err = PTR_ERR(mock->parent);
		goto err;
	}
	platform_set_drvdata(mock->parent, mock);
	err = dma_set_mask_and_coherent(&mock->parent->dev, DMA_BIT_MASK(64));
	if (!err)
		return 0;

	platform_device_unregister(mock->parent);
err:
	if (mock->iotlb)
		vhost_iotlb_free(mock->iotlb);
	free_page((unsigned long)mock->page);
	return err;
}

void mock_bus_exit(struct virtio_mock *mock)
{
	platform_device_unregister(mock->parent);
	vhost_iotlb_free(mock->iotlb);
	free_page((unsigned long)mock->page);
}

/* Write the platform's description of the parent, as firmware would have it. */
void mock_bus_plug(struct virtio_mock *mock)
{
	struct device *dev = &mock->parent->dev;
	u64 hole = virt_to_phys(mock->page);
	struct bus_dma_region map[4] = {};

	switch (mock->bus) {
	case MOCK_OFFSET_BUS:
		map[0] = mock_region(0, MOCK_OFFSET, MOCK_OFFSET);
		break;
	case MOCK_NARROW:
		map[0] = mock_region(0, 0, hole);
		map[1] = mock_region(hole, MOCK_OFFSET, PAGE_SIZE);
		map[2] = mock_region(hole + PAGE_SIZE, hole + PAGE_SIZE,
				     MOCK_OFFSET - hole - PAGE_SIZE);
		break;
	default:
		break;
	}
	kfree(dev->dma_range_map);
	dev->dma_range_map = map[0].size ? kmemdup(map, sizeof(map), GFP_KERNEL) : NULL;
	KUNIT_ASSERT_EQ(mock->test, !map[0].size, !dev->dma_range_map);
	dev->bus_dma_limit = mock->bus == MOCK_NARROW ? MOCK_OFFSET - 1 : 0;
	set_dma_ops(dev, mock->bus == MOCK_OPS ? &mock_map_ops : NULL);
	mock_set_coherent(dev, !mock->noncoherent);
	mock->calls = 0;
	vhost_iotlb_reset(mock->iotlb);
}

/*
 * Where the device reaches memory: under the addresses of its bus if it follows
 * the platform, else under physical ones.
 */
int mock_bus_view(struct virtio_mock *mock)
{
	u64 start = 0;

	if (mock->follows && mock->bus == MOCK_OPS)
		return 0;

	/* A queue that was left behind may still be mapped above. */
	if (mock->bus == MOCK_OPS)
		vhost_iotlb_del_range(mock->iotlb, 0, MOCK_OFFSET - 1);
	else
		vhost_iotlb_reset(mock->iotlb);
	if (mock->follows && mock->bus == MOCK_OFFSET_BUS)
		start = MOCK_OFFSET;
	return vhost_iotlb_add_range(mock->iotlb, start, start + MOCK_OFFSET - 1, 0,
				     VHOST_ACCESS_RW);
}
