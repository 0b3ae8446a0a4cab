/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's memory, through the mapping of this process. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void memory_init(void);

/* Put a file there, before the guest runs. */
void memory_load(const char *path, uint64_t addr);

/*
 * Read or write it as a device does; false, and counted, if the address is not
 * RAM, or the hypervisor keeps this process out of the page.
 */
bool memory_get(uint64_t addr, void *to, size_t len);
bool memory_put(uint64_t addr, const void *from, size_t len);

/* What a page holds can be read. Looking does not count as an access. */
bool memory_open(uint64_t addr);

/* Accesses that were refused; of the last its address, and by which signal. */
extern unsigned long refused;
extern uint64_t refused_at;
extern int refused_by;

/* Where the RAM is mapped. */
extern unsigned char *ram;

#endif
