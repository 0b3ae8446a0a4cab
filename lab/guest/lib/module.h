/* SPDX-License-Identifier: GPL-2.0-only */
/* Load the kernel's modules, and take them away. */
#ifndef MODULE_H
#define MODULE_H

#include <stdbool.h>

void modules_load(bool tests);
void modules_unload(void);
void module_load(const char *name);
int module_unload(const char *name);
unsigned int modules_loaded(void);

#endif
