/* SPDX-License-Identifier: GPL-2.0-only */
/* Keep a feature from every device, or no longer. */
#ifndef FILTER_H
#define FILTER_H

void filter_all(const char *step, const char *file, const char *bit);

#endif
