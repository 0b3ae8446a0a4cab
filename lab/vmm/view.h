/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEW_H
#define VIEW_H

/* Write to the report what the VMM sees: memory, features, rings, buffers. */
void view_say(void);

#endif
