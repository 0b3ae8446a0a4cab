/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest can be told to do: each step is a file that registers it. */
#ifndef STEP_H
#define STEP_H

#include "util.h"

struct step {
	const char *name;
	void (*fn)(const char *arg);
};

/* What the linker has gathered; it is who defines these. */
extern struct step __start_steps[], __stop_steps[];

/*
 * Register a step where it is defined. The symbol makes the linker refuse a
 * second step of that name. Ask for the alignment, lest the compiler leave gaps.
 */
#define STEP(_name, _fn)						\
	struct step registered_##_name					\
	__attr(section("steps"), used, aligned(__alignof__(struct step))) = { #_name, _fn }

/* Run NAME or NAME:ARG, several of them if separated by commas. */
void run_step(const char *spec);
void run_steps(const char *list);
/* What run_steps() has not come to. */
const char *steps_left(void);
void print_steps(void);

#endif
