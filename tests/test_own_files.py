# SPDX-License-Identifier: GPL-2.0-only
"""Kernels and disks that a user brings: what is taken, and what is refused with a hint."""
import gzip
import tempfile
import unittest
from pathlib import Path

from lab.core.errors import Fail
from lab.model import machines
from lab.vm import own_files

# How an image begins that the machine boots.
ARM64 = bytes(56) + b"ARMd" + bytes(64)
HEADS = {"arm64": [ARM64, gzip.compress(ARM64)],
         "ppc64le": [b"\x7fELF\x02\x01" + bytes(64)],
         "x86_64": [bytes(0x202) + b"HdrS" + bytes(64)]}
BIG_ENDIAN = b"\x7fELF\x02\x02" + bytes(64)
# How QEMU's formats begin.
FORMATS = {"qcow2": b"QFI\xfb\0\0\0\3", "vdi": bytes(0x40) + b"\x7f\x10\xda\xbe",
           "vmdk": b"KDMV\1\0\0\0", "vhdx": b"vhdxfile", "vpc": b"conectix\0",
           "qed": b"QED\0", "luks": b"LUKS\xba\xbe\0\1"}


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.into = self.folder / "boot"
        self.into.mkdir()

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path


class Brought(Folder):
    def kernel(self, arch, data):
        """Bring a kernel; return the machine's image, as it lies where it is booted."""
        machine = machines.load(arch)
        own_files.kernel(machine, self.write("mine", data), self.into)
        return self.into / Path(machine["image"]).name

    def refused(self, arch, data, reason):
        with self.assertRaisesRegex(Fail, reason) as caught:
            self.kernel(arch, data)
        self.assertTrue(caught.exception.hint)
        self.assertEqual(list(self.into.iterdir()), [])


class Kernels(Brought):
    def test_every_machine_takes_its_own(self):
        self.assertEqual(set(HEADS), set(own_files.KERNELS))
        for arch, heads in HEADS.items():
            for data in heads:
                image = self.kernel(arch, data)
                self.assertEqual(image.read_bytes(), data)
                self.assertTrue(image.is_symlink())
                image.unlink()

    def test_no_machine_takes_another_s(self):
        for arch in HEADS:
            for other, heads in HEADS.items():
                for data in heads if other != arch else [b"", b"#!/bin/sh\n", BIG_ENDIAN]:
                    self.refused(arch, data, f"mine is no kernel for {arch}$")

    def test_a_file_that_is_not_there_is_refused(self):
        with self.assertRaisesRegex(Fail, "the kernel .*none cannot be read: No such file"):
            own_files.kernel(machines.load("arm64"), self.folder / "none", self.into)

    def test_a_folder_is_refused(self):
        with self.assertRaisesRegex(Fail, "cannot be read: Is a directory"):
            own_files.there(self.folder, "initrd")


def zboot(payload, kind=b"gzip"):
    """A kernel in an EFI program: where it starts, its size, and what has compressed it."""
    head = b"MZ\0\0zimg" + (64).to_bytes(4, "little") + len(payload).to_bytes(4, "little")
    return (head + bytes(8) + kind).ljust(64, b"\0") + payload + b"behind it"


class Zboot(Brought):
    def test_it_is_unpacked(self):
        image = self.kernel("arm64", zboot(gzip.compress(ARM64)))
        self.assertEqual(image.read_bytes(), ARM64)
        self.assertFalse(image.is_symlink())

    def test_what_is_not_whole_is_refused(self):
        packed = gzip.compress(ARM64)
        for payload in (packed[:-9], b"no gzip at all", packed[:12] + b"\xff" * 20):
            self.refused("arm64", zboot(payload), "cannot be unpacked")

    def test_another_compression_is_named(self):
        self.refused("arm64", zboot(b"x", b"zstd"), "mine is compressed by zstd")

    def test_other_machines_do_not_boot_it(self):
        self.refused("ppc64le", zboot(gzip.compress(ARM64)), "no kernel for ppc64le")


class Disks(Folder):
    def test_what_every_qemu_here_opens_is_taken(self):
        for data, form in ((FORMATS["qcow2"], "qcow2"), (bytes(512), "raw"), (b"", "raw"),
                           (b" QFI\xfb", "raw")):
            path = self.write("disk.img", data)
            self.assertEqual(own_files.disk(path), (path.resolve(), form))

    def test_every_other_format_is_refused_with_the_command_that_converts_it(self):
        self.assertEqual(set(FORMATS), {name for name, _, _ in own_files.DISKS})
        texts = {name: [data] for name, data in FORMATS.items()}
        texts["vmdk"].append(b"# Disk DescriptorFile\nversion=1\n")
        del texts["qcow2"]
        for form, heads in texts.items():
            for data in heads:
                path = self.write("my.disk", data + bytes(600))
                with self.assertRaisesRegex(Fail, f"of format {form}, ") as caught:
                    own_files.disk(path)
                self.assertEqual(caught.exception.hint,
                                 f"qemu-img convert -O qcow2 {path} my.qcow2")

    def test_a_disk_that_is_not_there_is_refused_with_its_option(self):
        with self.assertRaisesRegex(Fail, "the disk .* cannot be read") as caught:
            own_files.disk(self.folder / "none")
        self.assertEqual(caught.exception.hint, "name a file with --disk")

    def test_a_comma_in_a_path_is_doubled(self):
        self.assertEqual(own_files.quoted(Path("/a, b/c,d")), "/a,, b/c,,d")


if __name__ == "__main__":
    unittest.main()
