/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the boot lab's init share. */
#ifndef GUEST_H
#define GUEST_H

#include <linux/types.h>
#include <stddef.h>

#define MIB		(1024 * 1024)
#define VIRTIO_DEVICES	"/sys/bus/virtio/devices"
#define VIRTIO_DRIVERS	"/sys/bus/virtio/drivers"
#define PCI_DEVICES	"/sys/bus/pci/devices"

/* Give up on anything that makes no progress for this long, or for vdma.stall=MS. */
#define STALL_MS	20000

#define HASH_HEX	65

#define HOST		"10.0.2.2"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define __attr(...)	__attribute__((__VA_ARGS__))
#define __printf(a, b)	__attr(format(printf, a, b))

/* Return texts by value, so that a report line can name its sources inline. */
struct token {
	char s[128];
};

/* init.c */
const char *param(const char *name);
void run_step(const char *spec);
const char *steps_left(void);
void print_steps(void);

/* run.c */
long long now_ms(void);
void sleep_ms(unsigned int ms);
unsigned int stall_ms(void);
void alive(void);
void alive_at(unsigned int *count);
void bounded_init(void);
void bounded(void (*fn)(const char *arg), const char *arg);

/* report.c */
extern unsigned int errors;
int report_open(const char *name);
void report_step(const char *name);
__printf(1, 2) void report(const char *fmt, ...);
void fail(const char *what, const char *at);
void drain(const char *arg);
int ask(const char *what);
void step_sync(const char *arg);
void step_host(const char *arg);

/* sysfs.c */
int read_text(const char *path, char *buf, size_t size);
int write_text(const char *path, const char *text);
void close_quietly(int fd);
int get_token(const char *path, struct token *t);
struct token one_word(const char *text);
__printf(1, 2) struct token token_fmt(const char *fmt, ...);
__printf(1, 2) struct token read_token(const char *fmt, ...);
__printf(1, 2) struct token link_name(const char *fmt, ...);
int for_each(const char *dir, const char *prefix,
	     void (*fn)(const char *name, void *arg), void *arg);
__printf(2, 3) struct token entry_name(const char *prefix, const char *fmt, ...);

/* hash.c */
int hash_open(void);
int hash_add(int fd, const void *data, size_t len);
int hash_close(int fd, char hex[HASH_HEX]);
void to_hex(char *hex, const void *data, size_t len);

/* devices.c */
struct token mode_token(const char *name);
struct token feature_bits(const char *name);
struct token parent(const char *name);
struct token device_of(const char *kind);
void no_mappings(const char *device);
void step_devices(const char *arg);

/* blk.c */
void step_read(const char *arg);
int hash_disk(const char *disk, char hex[HASH_HEX]);
int rewrite_disk(const char *disk);
void step_write(const char *arg);
unsigned long long fill_pattern(__u64 *buf, size_t size, unsigned long long seed);

/* load.c */
void step_load(const char *arg);

/* rng.c */
void step_rng(const char *arg);

/* iface.c */
int iface_up(struct token *name);
int loopback_up(void);

/* net.c */
void step_net(const char *arg);

/* ring.c */
void step_resize(const char *arg);

/* power.c */
int driver_unbind(const char *name, struct token *driver);
int driver_bind(const char *name, const struct token *driver);
void step_rebind(const char *arg);
void step_suspend(const char *arg);

/* filter.c */
void step_filter(const char *arg);
void step_unfilter(const char *arg);

/* hibernate.c */
#define SWAP_SERIAL	"swap"
void step_hibernate(const char *arg);

/* gpu.c */
void step_gpu(const char *arg);

/* input.c */
void step_input(const char *arg);

/* replug.c */
void step_replug(const char *arg);
void step_unplug(const char *arg);

/* kexec.c */
void step_kexec(const char *arg);

/* modules.c */
void modules_load(void);
void step_modules(const char *arg);
void step_leaks(const char *arg);

/* port.c */
void step_port(const char *arg);

/* share.c */
#define SHARE	"/share"
int share_mount(unsigned long flags);
void step_share(const char *arg);

/* selftest.c */
void step_selftest(const char *arg);

/* faults.c */
void step_faults(const char *arg);

/* flood.c */
void step_flood(const char *arg);

/* busy.c */
struct work;
struct work *work_start(const char *device);
int work_goes_on(const struct work *work);
void work_stop(struct work *work);
int work_wait(const struct work *work);
void step_loaded(const char *arg);

/* canary.c */
void step_canary(const char *arg);

/* slot.c */
struct slot {
	__u32 drc;	/* pseries: the number of its connector, else 0 */
	int config;	/* PCI Express: the configuration space of its port */
	int cap;	/* and where in that the port is controlled */
};

int slot_find(const char *device, struct slot *slot);
int slot_wanted(const struct slot *slot);
int slot_off(const struct slot *slot);
int slot_on(const struct slot *slot);

/* hotplug.c */
void step_hotplug(const char *arg);

/* shell.c */
void shell(void);

#endif
