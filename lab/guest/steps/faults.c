// SPDX-License-Identifier: GPL-2.0-only
/*
 * Have each allocation fail in turn: the first of a probe or of a request, then
 * the second, until nothing is left to fail. The kernel counts those of this
 * task alone. What maps memory for DMA allocates as well: rings, IOVAs, and the
 * page tables of an IOMMU.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/device.h"
#include "../lib/inject.h"
#include "../lib/report.h"
#include "../lib/step.h"
#include "../lib/sysfs.h"
#include "../lib/text.h"

#define DISK		"/dev/vda"
#define BYTES		(64 * 1024)
#define MANY		32

/* Something that has a driver, and the folder of that. */
struct node {
	struct token name;
	struct token driver;
};

/* What is taken from its driver and given back: a virtio device, or its transport. */
struct victim {
	struct node self;
	struct node transport;
	struct token bus;
	struct token mode;
};

static struct victim victims[MANY];
static unsigned int count;

static unsigned long limit, failed;
static char *data, *buf;

static struct token device_below(const struct victim *v)
{
	return entry_name("virtio", "%s/devices/%s", v->bus.s, v->transport.name.s);
}

static bool bound(const struct victim *v)
{
	struct token driver = link_name(VIRTIO_DEVICES "/%s/driver", device_below(v).s);

	return strcmp(driver.s, "-");
}

static int change(const struct node *node, const char *how)
{
	return write_text(token_fmt("%s/%s", node->driver.s, how).s, node->name.s);
}

/* Read what has been there from the start; it is the node in /dev that may be missing. */
static int read_back(void)
{
	int fd = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (read(fd, buf, BYTES) != BYTES || memcmp(buf, data, BYTES))
		fail("data", DISK);
	close(fd);

	return 0;
}

static bool in_use(const struct victim *v)
{
	if (!bound(v) || read_back())
		return false;
	if (strcmp(mode_token(device_below(v).s).s, v->mode.s))
		fail("mode", v->self.name.s);

	return true;
}

/*
 * A probe that failed leaves no mode and no mapping. It may leave the device
 * with its queues enabled, as several drivers do: have the transport reset it.
 */
static void recover(const struct victim *v)
{
	const struct node *t = &v->transport;
	struct token mode = mode_token(device_below(v).s);

	failed++;
	if (!bound(v)) {
		no_mappings(t->name.s);
		no_mappings(v->self.name.s);
		if (strcmp(mode.s, "-") && strcmp(mode.s, "!ENODATA"))
			fail("mode-left", v->self.name.s);
	}
	if (!access(token_fmt("%s/%s", t->driver.s, t->name.s).s, F_OK) && change(t, "unbind"))
		fail("unbind", t->name.s);
	if (change(t, "bind") || !in_use(v))
		fail("not-back", v->self.name.s);
}

static bool probe(const struct victim *v, unsigned long n)
{
	int fd = open(token_fmt("%s/bind", v->self.driver.s).s, O_WRONLY | O_CLOEXEC);
	ssize_t ret;
	bool hit;

	if (fd < 0 || change(&v->self, "unbind")) {
		fail("unbind", v->self.name.s);
		return false;
	}

	inject_arm(n);
	ret = write(fd, v->self.name.s, strlen(v->self.name.s));
	hit = inject_disarm();
	close(fd);
	if (ret < 0 || !in_use(v)) {
		if (!hit)
			fail("bind", v->self.name.s);
		recover(v);
	}

	return hit;
}

static void add(const char *name, void *arg)
{
	struct token driver = link_name(VIRTIO_DEVICES "/%s/driver", name);
	struct token bus = link_name(VIRTIO_DEVICES "/%s/../subsystem", name);
	struct token above = link_name(VIRTIO_DEVICES "/%s/../driver", name);
	struct victim v = { .mode = mode_token(name), .bus = token_fmt("/sys/bus/%s", bus.s) };

	(void)arg;
	/* Others depend on an IOMMU. */
	if (count + 2 > MANY || !strcmp(driver.s, "-") || !strcmp(driver.s, "virtio_iommu"))
		return;

	v.transport.name = parent(name);
	v.transport.driver = token_fmt("%s/drivers/%s", v.bus.s, above.s);
	v.self.name = token_fmt("%s", name);
	v.self.driver = token_fmt(VIRTIO_DRIVERS "/%s", driver.s);
	victims[count++] = v;
	v.self = v.transport;
	victims[count++] = v;
}

static ssize_t read_disk(int fd)
{
	return pread(fd, buf, BYTES, 0);
}

/* Write what is there already: the host knows what the disk has. */
static ssize_t write_disk(int fd)
{
	return pwrite(fd, data, BYTES, 0);
}

static void requests(const char *name, ssize_t (*request)(int fd))
{
	int fd = open(DISK, O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC);
	unsigned long n;
	bool hit = true;
	ssize_t done;

	for (n = 1; hit && !errors && injected.rounds < limit; n++) {
		inject_arm(n);
		done = request(fd);
		hit = inject_disarm();
		if (done != BYTES)
			failed++;
		if ((done != BYTES && !hit) || read_back())
			fail("request", name);
	}
	close(fd);
	if (!hit)
		report("exhausted name=%s allocations=%lu", name, n - 2);
}

static void probes(const struct victim *v)
{
	unsigned long n;
	bool hit = true;

	for (n = 1; hit && !errors && injected.rounds < limit; n++)
		hit = probe(v, n);
	if (!hit)
		report("exhausted name=%s allocations=%lu", v->self.name.s, n - 2);
}

static int prepare(void)
{
	int disk = open(DISK, O_RDONLY | O_CLOEXEC);

	if (inject_init())
		return -1;
	data = aligned_alloc(BYTES, BYTES);
	buf = aligned_alloc(BYTES, BYTES);
	if (!data || !buf || read(disk, data, BYTES) != BYTES)
		return -1;
	/* An open disk outlives its driver. */
	close(disk);

	return 0;
}

/* Stop after so many rounds, or when all that can fail has. */
static void step_faults(const char *arg)
{
	unsigned int i;

	limit = arg ? strtoul(arg, NULL, 0) : 1000;
	if (prepare()) {
		fail("fault-injection", NULL);
		return;
	}
	for_each(VIRTIO_DEVICES, "virtio", add, NULL);
	requests("read", read_disk);
	requests("write", write_disk);
	for (i = 0; i < count; i++)
		probes(&victims[i]);
	report("faults rounds=%lu injected=%lu failed=%lu", injected.rounds,
	       injected.hits, failed);
}

STEP(faults, step_faults);
