# SPDX-License-Identifier: GPL-2.0-only
"""The requests of a storm: the host draws the same as the guest, and does the same to a disk."""
import hashlib
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from lab.core.cache import ROOT
from lab.model import storm
from lab.model.media import disk_image

LIB = ROOT / "lab" / "guest" / "lib"
# A guest whose disk is a file.
GUEST = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "part.h"
#include "pattern.h"

void alive(void) {}
void fail(const char *what, const char *at) { printf("%s %s\n", what, at ?: "-"); }
/* Not a digest: the host looks at the file. */
int hash_open(void) { return 0; }
int hash_add(int fd, const void *data, size_t len) { return fd || !data || !len; }
int hash_close(int fd, char *hex) { return fd || !strcpy(hex, "-"); }

int main(int argc, char **argv)
{
	struct part *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct tally t = { 0 };
	int i, spoil = argc > 3 ? atoi(argv[3]) : -1;

	p->fd = open(argv[1], O_RDWR);
	p->tally = &t;
	p->tag = 3ULL << 56 | 2ULL << 40;
	p->most = 65536;
	p->state = 7;
	fill_pattern(p->text, sizeof(p->text), p->state);
	p->state += 2 * 16 + 3;
	if (vector_init(&p->vector, 512) || part_learn(p))
		return 1;
	for (i = 0; i < atoi(argv[2]); i++) {
		if (i == spoil && pwrite(p->fd, "?", 1, PART_BYTES / 2) != 1)
			return 1;
		if (part_request(p, i))
			return 1;
	}
	if (part_compare(p))
		return 1;
	printf("%lu %lu %lu %lu\n", t.reads, t.writes, t.pieces, t.bytes);

	return 0;
}
"""


@unittest.skipUnless(shutil.which("gcc"), "no compiler")
class Guests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (cls.folder / "guest.c").write_text(GUEST)
        subprocess.run(["gcc", "-O1", "-Werror", "-iquote", LIB, "-o", cls.folder / "guest",
                        cls.folder / "guest.c", *(LIB / f"{name}.c" for name in
                                                  ("part", "vector", "draw", "pattern"))], check=True)

    def guest(self, *args):
        disk = self.folder / "disk"
        disk.write_bytes(disk_image()[:storm.PART])
        run = subprocess.run([self.folder / "guest", disk, *map(str, args)], check=False,
                             capture_output=True, text=True)
        return run.stdout, disk.read_bytes()

    def test_the_host_works_out_what_the_guest_does(self):
        said, disk = self.guest(100)
        part = bytearray(disk_image()[:storm.PART])
        done = storm.play(part, 7, 3, storm.Storm(4, 100, 65536, 2))
        self.assertEqual(said.split(), [str(done[key]) for key in storm.COUNTS])
        self.assertEqual(hashlib.sha256(disk).hexdigest(), hashlib.sha256(part).hexdigest())
        self.assertNotEqual(disk, disk_image()[:storm.PART])

    def test_a_byte_that_another_one_has_written_is_noticed(self):
        for at in (1, 99):
            self.assertRegex(self.guest(100, at)[0], "^differs (read|end)")


class Storms(unittest.TestCase):
    def test_processes_have_parts_of_their_own_at_the_end_of_the_disk(self):
        said, disks = storm.weather(1, (), (storm.Storm(2, 5, 4096),))
        image = disk_image()
        for one, end in zip(said, (len(image), len(image) - storm.PART)):
            part = bytearray(image[end - storm.PART:end])
            self.assertEqual(one["before"], hashlib.sha256(part).hexdigest())
            storm.play(part, 1, one["process"], storm.Storm(2, 5, 4096))
            image = image[:end - storm.PART] + bytes(part) + image[end:]
        self.assertEqual(disks, [hashlib.sha256(image).hexdigest()])

    def test_each_has_requests_of_its_own(self):
        said, _ = storm.weather(1, (), (storm.Storm(3, 50, 65536), storm.Storm(3, 50, 65536, 1)))
        self.assertEqual(len({one["bytes"] for one in said}), 6)
        self.assertEqual({one["reads"] + one["writes"] for one in said}, {50})


if __name__ == "__main__":
    unittest.main()
