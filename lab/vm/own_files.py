# SPDX-License-Identifier: GPL-2.0-only
"""Kernels and disks that a user brings: what they are, by their first bytes."""
import gzip
import zlib
from pathlib import Path

from ..core.errors import Fail

HEAD = 0x300
# What an image that a machine can boot has, and where.
KERNELS = {
    "arm64": ((56, b"ARMd"), (0, b"\x1f\x8b")),
    "ppc64le": ((0, b"\x7fELF\x02\x01"),),
    "x86_64": ((0x202, b"HdrS"),),
}
# A compressed kernel in an EFI program: distributions ship it for arm64.
ZBOOT = b"MZ\0\0zimg"
# The formats that QEMU opens by these first bytes; all of the companion's are the first two.
DISKS = (("qcow2", 0, b"QFI\xfb"), ("vmdk", 0, b"KDMV"), ("vmdk", 0, b"# Disk DescriptorFile"),
         ("vdi", 0x40, b"\x7f\x10\xda\xbe"), ("vhdx", 0, b"vhdxfile"), ("vpc", 0, b"conectix"),
         ("qed", 0, b"QED\0"), ("luks", 0, b"LUKS\xba\xbe"))
TAKEN = "raw", "qcow2"


def there(path, what):
    """A file of the user's and how it begins, or one line that says why not."""
    try:
        with open(path, "rb") as file:
            return Path(path).resolve(), file.read(HEAD)
    except OSError as err:
        raise Fail(f"the {what} {path} cannot be read: {err.strerror}",
                   f"name a file with --{what}") from err


def kernel(machine, path, folder):
    """Put a kernel where the machine boots it from, under the name of its image."""
    image, head = there(path, "kernel")
    name = Path(machine["image"]).name
    target = folder / name
    if machine["name"] == "arm64" and head.startswith(ZBOOT):
        target.write_bytes(unpack(image, path))
    elif any(head[at:].startswith(magic) for at, magic in KERNELS[machine["name"]]):
        target.symlink_to(image)
    else:
        raise Fail(f"{path} is no kernel for {machine['name']}",
                   f"QEMU takes {name} there; see --arch")


def unpack(image, path):
    """The kernel in an EFI program that is compressed by gzip."""
    data = image.read_bytes()
    start, size = (int.from_bytes(data[at:at + 4], "little") for at in (8, 12))
    kind = data[24:56].partition(b"\0")[0].decode(errors="replace")
    try:
        if kind == "gzip":
            return gzip.decompress(data[start:start + size])
    except (OSError, EOFError, zlib.error) as err:
        raise Fail(f"the kernel {path} cannot be unpacked: {err}", "is the file whole?") from err
    raise Fail(f"the kernel {path} is compressed by {kind}, in an EFI program",
               "unpack it, or name the Image that it was made of")


def disk(path):
    """A disk and its format; refuse one that not every QEMU here opens."""
    image, head = there(path, "disk")
    form = next((name for name, at, magic in DISKS if head[at:].startswith(magic)), "raw")
    if form not in TAKEN:
        raise Fail(f"the disk {path} is of format {form}, and QEMU takes raw and qcow2 here",
                   f"qemu-img convert -O qcow2 {path} {Path(path).stem}.qcow2")
    return image, form


def quoted(path):
    """A path as an option of QEMU takes it."""
    return str(path).replace(",", ",,")
