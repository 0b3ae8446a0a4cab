// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TCG plugin: count the instructions that each function of the guest's kernel
 * executes. Totals do not repeat, since an idle guest executes as well; these do.
 *
 *	-plugin functions.so,map=System.map,out=FILE[,helper=NAME...]
 *
 * What a helper executes goes to its caller: "memcpy" says nothing, and what the
 * timer tick copies depends on how long the host takes. With -icount, a guest's
 * CPUs run one after the other, so the counts need no lock.
 *
 * On arm64, count the barriers among them as well: those that order accesses
 * for the CPUs (inner shareable), and those that do so for every observer.
 *
 * Leave out what does nothing: the compiler aligns loops with it, which changes
 * with the code before them.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <qemu-plugin.h>

/* What the QEMU at hand speaks, which the header does not know. */
QEMU_PLUGIN_EXPORT int qemu_plugin_version = API;

/* Calls within a powerpc kernel skip the two instructions that come first. */
#define ENTRY	8

#define CPUS	8

/* DMB and DSB, whatever their domain and type. */
#define BARRIER_MASK	0xfffff0dfu
#define BARRIER		0xd503309fu
#define ARM64_NOP	0xd503201fu
#define POWERPC_NOP	0x60000000u
#define DOMAIN(insn)	((insn) >> 10 & 3)
enum { OUTER, NON_SHAREABLE, INNER, FULL };

struct symbol {
	unsigned long long start;
	char *name;
	char type;
	char helper;
	unsigned long long count;
	unsigned long long helped;
	unsigned long long inner;
	unsigned long long outer;
};

static struct symbol *symbols;
static size_t count;
static const char *out;
static int arm64;

/* By CPU: what it executes now, and who has called the helper that it is in. */
static struct symbol nobody;
static struct symbol *last[CPUS], *caller[CPUS];

static void executed(unsigned int cpu, void *data)
{
	last[cpu] = data;
	last[cpu]->count++;
}

static void helped(unsigned int cpu, void *data)
{
	(void)data;
	caller[cpu]->helped++;
}

/* An interrupt may come before the helper is through: keep who called it. */
static void entered(unsigned int cpu, void *data)
{
	caller[cpu] = last[cpu];
	helped(cpu, data);
}

static void ordered(unsigned int cpu, void *data)
{
	unsigned long long *barriers = data;

	(void)cpu;
	++*barriers;
}

/* Take the last of several names: others are "__name", or bounds of a section. */
static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;

	return strcmp(x->name, y->name);
}

static int read_map(const char *path)
{
	FILE *file = fopen(path, "r");
	struct symbol new = { 0 };
	size_t i, kept = 0;

	if (!file)
		return -1;

	while (fscanf(file, "%llx %c %ms", &new.start, &new.type, &new.name) == 3) {
		symbols = reallocarray(symbols, count + 1, sizeof(*symbols));
		symbols[count++] = new;
	}
	fclose(file);

	qsort(symbols, count, sizeof(*symbols), by_address);
	for (i = 0; i < count; i++) {
		if (i + 1 == count || symbols[i].start != symbols[i + 1].start)
			symbols[kept++] = symbols[i];
	}
	count = kept;

	return count ? 0 : -1;
}

/* A function reaches to the next symbol, of whatever type. */
static struct symbol *function_at(unsigned long long address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (symbols[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}

	return low && strchr("tTwW", symbols[low - 1].type) ? &symbols[low - 1] : NULL;
}

/* What counts the instruction @code if it is a barrier, else NULL. */
static unsigned long long *barriers_of(uint32_t code, struct symbol *function)
{
	if (!arm64 || (code & BARRIER_MASK) != BARRIER)
		return NULL;

	switch (DOMAIN(code)) {
	case OUTER:
	case FULL:
		return &function->outer;
	case INNER:
		return &function->inner;
	}

	return NULL;
}

/* Go by instructions: a block may span functions, and may be left early. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned long long address = qemu_plugin_insn_vaddr(insn);
		struct symbol *function = function_at(address);
		qemu_plugin_vcpu_udata_cb_t callback = executed;
		/* Not qemu_plugin_insn_data(), whose arguments have changed. */
		const uint32_t *code = qemu_plugin_insn_haddr(insn);
		unsigned long long *barriers;

		if (!function || !code)
			continue;
		if (function->helper)
			callback = address - function->start <= ENTRY ? entered : helped;
		else if (*code == (arm64 ? ARM64_NOP : POWERPC_NOP))
			continue;
		qemu_plugin_register_vcpu_insn_exec_cb(insn, callback,
						       QEMU_PLUGIN_CB_NO_REGS, function);
		barriers = barriers_of(*code, function);
		if (barriers)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, ordered,
							       QEMU_PLUGIN_CB_NO_REGS,
							       barriers);
	}
}

static void write_count(FILE *file, const char *name, const char *what, unsigned long long n)
{
	if (n)
		fprintf(file, "%s%s %llu\n", name, what, n);
}

static void write_counts(qemu_plugin_id_t id, void *data)
{
	FILE *file = fopen(out, "w");
	size_t i;

	(void)id;
	(void)data;
	if (!file) {
		perror(out);
		return;
	}
	for (i = 0; i < count; i++) {
		write_count(file, symbols[i].name, "", symbols[i].count);
		write_count(file, symbols[i].name, ":helper", symbols[i].helped);
		write_count(file, symbols[i].name, ":inner", symbols[i].inner);
		write_count(file, symbols[i].name, ":outer", symbols[i].outer);
	}
	fclose(file);
}

/* The value of the argument if it is called @key, else NULL. */
static const char *value(const char *arg, const char *key)
{
	size_t len = strlen(key);

	return !strncmp(arg, key, len) && arg[len] == '=' ? strdup(arg + len + 1) : NULL;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
					   int argc, char **argv)
{
	const char *map = NULL;
	size_t at;
	int i;

	if (info->system.max_vcpus > CPUS) {
		fprintf(stderr, "functions: not for more than %d CPUs\n", CPUS);
		return -1;
	}
	for (i = 0; i < CPUS; i++)
		last[i] = caller[i] = &nobody;
	arm64 = !strcmp(info->target_name, "aarch64");
	for (i = 0; i < argc; i++) {
		map = map ?: value(argv[i], "map");
		out = out ?: value(argv[i], "out");
	}
	if (!map || !out || read_map(map)) {
		fprintf(stderr, "functions: map=System.map and out=FILE are needed\n");
		return -1;
	}
	for (i = 0; i < argc; i++) {
		const char *helper = value(argv[i], "helper");

		for (at = 0; helper && at < count; at++)
			symbols[at].helper |= !strcmp(symbols[at].name, helper);
	}

	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, write_counts, NULL);
	return 0;
}
