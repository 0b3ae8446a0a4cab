/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's serial ports: each leads to a file of the host. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

enum { CONSOLE, REPORT, UARTS };

void uart_init(const char *report);

/* Write a line of our own to the report. */
void uart_say(const char *line);

uint32_t uart_access(unsigned int number, uint32_t offset, bool write, uint32_t value);

/* Take what the host has written, for the guest. */
void uart_wake(void);

#endif
