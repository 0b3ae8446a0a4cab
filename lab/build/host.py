# SPDX-License-Identifier: GPL-2.0-only
"""A host that has one guest: its kernel serves a device of that, and QEMU the others."""
import platform
import re
from collections import namedtuple
from pathlib import Path

from ..core.errors import Fail
from ..core.process import run
from ..model import machines
from ..patches.base import Base, NEWEST
from . import initramfs, kernel, program

# The host is of this machine's kind, so that QEMU runs there as it is built.
KIND = {"x86_64": "x86_64", "aarch64": "arm64"}
SPEC = """dir /dev 755 0 0
dir /proc 755 0 0
dir /sys 755 0 0
nod /dev/console 600 0 0 c 5 1
"""

Host = namedtuple("Host", "machine kernel program")


def build():
    """Have a host: its kernel is the newest, without the series."""
    name = platform.machine()
    if name not in KIND:
        raise Fail(f"no host can be built for {name}", f"the lab has: {', '.join(KIND)}")
    machine = machines.load(KIND[name]) | {"fragments": ("vhost-host",)}
    return Host(machine, kernel.build(Base(NEWEST), machine, "stock"),
                program.build("host", "gcc", "-static"))


def files(cmd):
    """What a command names, and the libraries of its program, each by the name it has here."""
    named = [word for word in cmd if word.startswith("/") and Path(word).is_file()]
    return [*named, *re.findall(r"(/\S+) \(0x", run("ldd", cmd[0]))]


def pack(host, cmd, folder):
    """Return the host's initramfs: its init, a command of QEMU, and the files that this needs."""
    (folder / "command").write_text("\n".join(cmd) + "\n")
    there = {"/init": host.program, "/command": folder / "command"} | {
        name: Path(name).resolve() for name in files(cmd)}
    folders = sorted({str(parent) for name in there for parent in list(Path(name).parents)[:-1]})
    return initramfs.pack(host.kernel, SPEC + "".join(
        [f"dir {name} 755 0 0\n" for name in folders]
        + [f"file {name} {path} 755 0 0\n" for name, path in there.items()]),
        folder / "host.initrd")
