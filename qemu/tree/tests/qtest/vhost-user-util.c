/*
 * A vhost-user back end for tests of what QEMU tells it
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include <sys/un.h>
#include "standard-headers/linux/vhost_types.h"
#include "standard-headers/linux/virtio_config.h"
#include "vhost-user-util.h"

#define VHOST_USER_GET_FEATURES             1
#define VHOST_USER_SET_FEATURES             2
#define VHOST_USER_SET_LOG_BASE             6
#define VHOST_USER_GET_VRING_BASE           11
#define VHOST_USER_SET_VRING_KICK           12
#define VHOST_USER_GET_PROTOCOL_FEATURES    15
#define VHOST_USER_SET_BACKEND_REQ_FD       21
#define VHOST_USER_IOTLB_MSG                22
#define VHOST_USER_BACKEND_IOTLB_MSG        1
#define VHOST_USER_VERSION                  1
#define VHOST_USER_REPLY                    (1 << 2)
#define VHOST_USER_NEED_REPLY               (1 << 3)
#define VHOST_USER_F_PROTOCOL_FEATURES      30
/*
 * LOG_SHMFD, for a migration, REPLY_ACK and BACKEND_REQ: QEMU wants the last
 * two for a device IOTLB.
 */
#define VHOST_USER_PROTOCOLS                (1 << 1 | 1 << 3 | 1 << 5)

typedef struct Message {
    uint32_t request, flags, size;
    union {
        uint64_t value;
        struct vhost_iotlb_msg iotlb;
        char rest[1024];
    };
} QEMU_PACKED Message;

#define HEADER  offsetof(Message, value)

static void vhost_user_send(int fd, Message *msg)
{
    ssize_t size = HEADER + msg->size;

    g_assert_cmpint(send(fd, msg, size, 0), ==, size);
}

/* Return a file that came along, or -1, or -2 if there is no message. */
static int vhost_user_receive(int fd, Message *msg)
{
    union {
        struct cmsghdr header;
        char data[CMSG_SPACE(sizeof(int) * 8)];
    } control;
    struct iovec iov = { .iov_base = msg, .iov_len = HEADER };
    struct msghdr m = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *c;
    int fds[8], i, n = 0;

    if (recvmsg(fd, &m, MSG_WAITALL) != HEADER) {
        return -2;
    }
    g_assert_cmpint(msg->size, <=, sizeof(msg->rest));
    if (msg->size) {
        g_assert_cmpint(recv(fd, msg->rest, msg->size, MSG_WAITALL), ==,
                        msg->size);
    }
    c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_type == SCM_RIGHTS) {
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), n * sizeof(int));
    }
    for (i = 1; i < n; i++) {
        close(fds[i]);
    }
    return n ? fds[0] : -1;
}

static void *vhost_user_main(void *opaque)
{
    VhostUser *v = opaque;
    int file, fd = accept(v->listener, NULL, NULL);
    Message msg;

    unlink(v->path);
    rmdir(v->dir);
    while ((file = vhost_user_receive(fd, &msg)) != -2) {
        bool reply = msg.flags & VHOST_USER_NEED_REPLY;
        uint64_t value = 0;

        switch (msg.request) {
        case VHOST_USER_GET_FEATURES:
            value = v->offers | 1ull << VIRTIO_F_VERSION_1 |
                    1ull << VHOST_F_LOG_ALL |
                    1ull << VHOST_USER_F_PROTOCOL_FEATURES;
            reply = true;
            break;
        case VHOST_USER_SET_FEATURES:
            v->told = msg.value;
            break;
        case VHOST_USER_GET_PROTOCOL_FEATURES:
            value = VHOST_USER_PROTOCOLS;
            reply = true;
            break;
        case VHOST_USER_SET_LOG_BASE:
        case VHOST_USER_GET_VRING_BASE:
            reply = true;
            break;
        case VHOST_USER_SET_VRING_KICK:
            v->kicks++;
            break;
        case VHOST_USER_SET_BACKEND_REQ_FD:
            v->channel = file;
            file = -1;
            break;
        case VHOST_USER_IOTLB_MSG:
            v->updates += msg.iotlb.type == VHOST_IOTLB_UPDATE;
            break;
        }
        if (file >= 0) {
            close(file);
        }
        if (reply) {
            msg.flags = VHOST_USER_VERSION | VHOST_USER_REPLY;
            msg.size = sizeof(msg.value);
            msg.value = value;
            vhost_user_send(fd, &msg);
        }
    }
    close(fd);

    return NULL;
}

void vhost_user_start(VhostUser *v, uint64_t offers)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    *v = (VhostUser) { .offers = offers, .channel = -1 };
    v->dir = g_dir_make_tmp("qtest-vhost-user-XXXXXX", NULL);
    g_assert(v->dir);
    v->path = g_strdup_printf("%s/vhost", v->dir);
    g_assert_cmpint(strlen(v->path), <, sizeof(addr.sun_path));
    strcpy(addr.sun_path, v->path);
    v->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_cmpint(bind(v->listener, (void *)&addr, sizeof(addr)), ==, 0);
    g_assert_cmpint(listen(v->listener, 1), ==, 0);
    v->thread = g_thread_new("backend", vhost_user_main, v);
}

bool vhost_user_ask(VhostUser *v, uint64_t iova)
{
    Message msg = {
        .request = VHOST_USER_BACKEND_IOTLB_MSG,
        .flags = VHOST_USER_VERSION | VHOST_USER_NEED_REPLY,
        .size = sizeof(msg.iotlb),
        .iotlb = {
            .iova = iova,
            .perm = VHOST_ACCESS_RO,
            .type = VHOST_IOTLB_MISS,
        },
    };
    unsigned updates = v->updates;
    bool given;

    vhost_user_send(v->channel, &msg);
    /* Not if QEMU has crashed */
    g_assert_cmpint(vhost_user_receive(v->channel, &msg), ==, -1);
    given = !msg.value;
    g_assert_cmpuint(v->updates - updates, ==, given);

    return given;
}

void vhost_user_end(VhostUser *v)
{
    g_thread_join(v->thread);
    close(v->channel);
    close(v->listener);
    g_free(v->path);
    g_free(v->dir);
}
