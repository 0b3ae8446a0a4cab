/*
 * A vhost-user back end for tests of what QEMU tells it
 *
 * Copyright (c) 2026 virtio platform DMA developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_VHOST_USER_UTIL_H
#define TESTS_VHOST_USER_UTIL_H

/* A back end that answers, and does nothing else */
typedef struct VhostUser {
    uint64_t offers;            /* features, besides those of all back ends */
    uint64_t told;              /* the features that it was told last */
    unsigned kicks;             /* queues that it was given */
    unsigned updates;           /* translations that it was given */
    char *dir;
    char *path;
    int listener;
    int channel;                /* for its own messages */
    GThread *thread;
} VhostUser;

/* Wait for a QEMU at ->path. */
void vhost_user_start(VhostUser *v, uint64_t offers);

/* Ask for the translation of an address: is it given? */
bool vhost_user_ask(VhostUser *v, uint64_t iova);

/* After the end of QEMU */
void vhost_user_end(VhostUser *v);

#endif
