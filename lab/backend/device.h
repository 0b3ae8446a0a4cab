/* SPDX-License-Identifier: GPL-2.0-only */
/* The device itself: a source of random numbers that the host knows. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/* Take the numbers from this file, over and over. */
bool device_open(const char *path);
/* Write the next of them to a buffer; return how many bytes. */
uint32_t device_fill(void *data, uint32_t len);

#endif
