/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the boot lab's init share. */
#ifndef GUEST_H
#define GUEST_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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

/* cmdline.c */
void read_cmdline(void);
const char *param(const char *name);

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

/* device.c */
void show_devices(void);
struct token mode_token(const char *name);
struct token feature_bits(const char *name);
struct token parent(const char *name);
struct token device_of(const char *kind);
void no_mappings(const char *device);

/* disk.c */
#define WRITE_BYTES	(4 * MIB)
#define REQUEST_BYTES	(256 * 1024)
#define SWAP_SERIAL	"swap"
struct token disk_serial(const char *disk);
int open_disk(const char *disk, int flags);
long long hash_open_disk(int fd, void *buf, char hex[HASH_HEX]);
off_t write_middle(int fd, __u64 *buf);
void each_disk(void (*fn)(const char *disk, void *buf), size_t size);
int hash_disk(const char *disk, char hex[HASH_HEX]);
int rewrite_disk(const char *disk);

/* pattern.c */
unsigned long long fill_pattern(__u64 *buf, size_t size, unsigned long long seed);

/* iface.c */
int iface_up(struct token *name);
int loopback_up(void);

/* driver.c */
int driver_unbind(const char *name, struct token *driver);
int driver_bind(const char *name, const struct token *driver);

/* module.c */
void modules_load(bool tests);
void modules_unload(void);
unsigned int modules_loaded(void);

/* share.c */
#define SHARE	"/share"
int share_mount(unsigned long flags);

/* work.c */
#define WORK_KINDS	3

/* What the child that does it shares with its parent. */
struct work {
	pid_t pid;
	unsigned int beats;
	unsigned int rounds;
	int stop;
	int err;
	char hex[HASH_HEX];	/* of the disk, the same after each round */
};

extern const struct work_kind {
	const char *device;
	int (*round)(struct work *work);
} work_kinds[WORK_KINDS];

struct work *work_start(const char *device);
int work_goes_on(const struct work *work);
void work_stop(struct work *work);
int work_wait(const struct work *work);

/* filter.c */
void filter_all(const char *step, const char *file, const char *bit);

/* transport.c */
struct transport {
	struct token name;
	struct token driver;
};

void transport_rounds(const char *what, const char *arg,
		      int (*take)(const struct transport *t),
		      int (*give)(const struct transport *t));

/* inject.c */
extern struct inject {
	unsigned long rounds;
	unsigned long hits;
} injected;

int inject_init(void);
void inject_arm(unsigned long n);
bool inject_disarm(void);

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

/* shell.c */
void shell(void);

#endif
