# SPDX-License-Identifier: GPL-2.0-only
"""Where Debian has the commands that the lab runs, for systems that call their packages else."""
import re
from pathlib import Path

PACKAGES = {
    "apt-cache": "apt", "apt-get": "apt", "dpkg-deb": "dpkg", "dpkg-source": "dpkg-dev",
    "fdtget": "device-tree-compiler", "fdtput": "device-tree-compiler",
    "qemu-img": "qemu-utils", "qemu-system-aarch64": "qemu-system-arm",
    "qemu-system-ppc64": "qemu-system-ppc", "qemu-system-x86_64": "qemu-system-x86",
    "ninja": "ninja-build", "nm": "binutils", "objdump": "binutils", "objcopy": "binutils",
    "setpriv": "util-linux", "unshare": "util-linux", "spatch": "coccinelle", "xz": "xz-utils",
    "cat": "coreutils", "env": "coreutils", "sh": "dash",
}


def package(command):
    """The Debian package of a command; most are called as their commands are."""
    name = Path(command).name
    # A cross compiler, or the binutils that belong to it.
    if cross := re.fullmatch(r"(\w+-linux-gnu)-(gcc(-\d+)?|\w+)", name):
        tool = cross[2] if cross[2].startswith("gcc") else "binutils"
        return f"{tool}-{cross[1].replace('_', '-')}"
    return PACKAGES.get(name, name)
