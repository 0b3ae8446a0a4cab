/* SPDX-License-Identifier: GPL-2.0-only */
/* What the front end has told of the IOMMU's translations, where the driver goes through one. */
#ifndef IOTLB_H
#define IOTLB_H

#include <stdbool.h>
#include <stdint.h>

/* As vhost-user sends it. */
struct iotlb_message {
	uint64_t iova, size, user;
	uint8_t perm, type;
	uint8_t padding[6];
};

/* How often a translation was asked for, and how often there was none. */
extern uint64_t iotlb_misses, iotlb_faults;

/* Translate from now on, or no more; forget what was told. */
void iotlb_use(bool on);
bool iotlb_used(void);
/* Misses go there; meanwhile, messages of the front end come from @sock. */
void iotlb_channel(int fd, int sock);
/* Remember or forget a translation. */
bool iotlb_message(const struct iotlb_message *m);
/* From an IOVA to a guest-physical address; false, if there is none for all of it. */
bool iotlb_translate(uint64_t iova, uint64_t len, bool write, uint64_t *guest);

#endif
