/* SPDX-License-Identifier: GPL-2.0-only */
/* Take devices away from their drivers, and give them back. */
#ifndef DRIVER_H
#define DRIVER_H

#include "text.h"

int driver_unbind(const char *name, struct token *driver);
int driver_bind(const char *name, const struct token *driver);

#endif
