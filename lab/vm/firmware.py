# SPDX-License-Identifier: GPL-2.0-only
"""Firmware, and the disk that it reads before the kernel does: an EFI system partition."""
import shutil

from ..core.process import run

# By its name in the folder that QEMU runs in.
CODE = "firmware.fd"
# MiB: a kernel, its initramfs and some room.
SIZE = 64
KERNEL = "linux.efi"


def packages(scenario):
    """What the host needs for it."""
    if not scenario["firmware"]:
        return []
    return ["mtools", *scenario["machine"]["firmware"]["packages"]]


def write(scenario, image, initrd, folder, parameters):
    """Put the firmware and its disk into the folder.

    The shell of UEFI runs a script, since nothing else on that disk can be booted.
    """
    shutil.copy(scenario["machine"]["firmware"]["file"], folder / CODE)
    script = folder / "startup.nsh"
    script.write_text(f"fs0:\ninitrd initrd\n{KERNEL} {parameters}\n")
    disk = folder / "esp.img"
    run("mformat", "-C", "-T", SIZE << 11, "-i", disk, "::")
    for path, name in ((image / scenario["machine"]["image"].rpartition("/")[2], KERNEL),
                       (initrd, "initrd"), (script, script.name)):
        run("mcopy", "-i", disk, path, f"::{name}")
