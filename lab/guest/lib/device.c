// SPDX-License-Identifier: GPL-2.0-only
/* Show what the kernel says of the virtio devices and of their memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "device.h"
#include "report.h"
#include "sysfs.h"
#include "text.h"

/* Tell apart a kernel without the attribute and a mode that cannot be read. */
struct token mode_token(const char *name)
{
	struct token path = token_fmt(VIRTIO_DEVICES "/%s/dma_mode", name);
	struct token mode;

	if (!get_token(path.s, &mode))
		return mode;
	if (errno == ENOENT)
		return token_fmt("-");

	return token_fmt("!%s", strerrorname_np(errno));
}

/* Turn the bit string into a number; recent kernels show more than 64 bits. */
struct token feature_bits(const char *name)
{
	struct token path = token_fmt(VIRTIO_DEVICES "/%s/features", name);
	unsigned long long word[2] = { 0, 0 };
	char bits[256];
	unsigned int i;

	if (read_text(path.s, bits, sizeof(bits))) {
		fail("features", name);
		return token_fmt("-");
	}

	for (i = 0; bits[i] && i < 128; i++)
		if (bits[i] == '1')
			word[i / 64] |= 1ULL << (i % 64);

	if (word[1])
		return token_fmt("0x%llx%016llx", word[1], word[0]);

	return token_fmt("0x%016llx", word[0]);
}

struct token parent(const char *name)
{
	struct token path = token_fmt(VIRTIO_DEVICES "/%s/..", name);
	char *real = realpath(path.s, NULL);
	struct token t;

	if (!real) {
		fail("parent", name);
		return token_fmt("-");
	}
	t = token_fmt("%s", strrchr(real, '/') + 1);
	free(real);

	return t;
}

/* Name the device that a driver has, "-" if there is none. */
struct token device_of(const char *kind)
{
	if (!strcmp(kind, "share"))
		return entry_name("virtio", VIRTIO_DRIVERS "/9pnet_virtio");

	return entry_name("virtio", VIRTIO_DRIVERS "/virtio_%s", kind);
}

/* Where the kernel keeps a list of mappings, none of them may be @device's. */
void no_mappings(const char *device)
{
	FILE *dump = fopen("/sys/kernel/debug/dma-api/dump", "r");
	char line[512];

	if (!dump)
		return;
	while (fgets(line, sizeof(line), dump)) {
		if (strstr(line, token_fmt(" %s ", device).s)) {
			errno = EBUSY;
			fail("still-mapped", device);
			break;
		}
	}
	fclose(dump);
}

static void show(const char *name, void *arg)
{
	(void)arg;
	report("device name=%s id=%s parent=%s driver=%s mode=%s features=%s status=%s group=%s domain=%s",
	       name,
	       read_token(VIRTIO_DEVICES "/%s/device", name).s,
	       parent(name).s,
	       link_name(VIRTIO_DEVICES "/%s/driver", name).s,
	       mode_token(name).s,
	       feature_bits(name).s,
	       read_token(VIRTIO_DEVICES "/%s/status", name).s,
	       link_name(VIRTIO_DEVICES "/%s/../iommu_group", name).s,
	       read_token(VIRTIO_DEVICES "/%s/../iommu_group/type", name).s);
}

void show_devices(void)
{
	if (!for_each(VIRTIO_DEVICES, "virtio", show, NULL)) {
		errno = ENODEV;
		fail("no-device", NULL);
	}
}
