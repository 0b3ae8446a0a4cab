/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VIRTIO_MOCK_BUS_H
#define _VIRTIO_MOCK_BUS_H

struct virtio_mock;

int mock_bus_init(struct virtio_mock *mock);
void mock_bus_exit(struct virtio_mock *mock);
void mock_bus_plug(struct virtio_mock *mock);
int mock_bus_view(struct virtio_mock *mock);

#endif /* _VIRTIO_MOCK_BUS_H */
