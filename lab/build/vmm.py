# SPDX-License-Identifier: GPL-2.0-only
"""A host with KVM that has one guest: its kernel, the lab's own VMM, and what that is given."""
from collections import namedtuple

from ..core.cache import ROOT
from ..core.process import run
from . import initramfs, kernel, program

SOURCES = ROOT / "lab" / "vmm"
SPEC = """dir /dev 755 0 0
nod /dev/console 600 0 0 c 5 1
file /init {program} 755 0 0
file /Image {guest}/Image 644 0 0
file /initrd {initrd} 644 0 0
file /dtb {folder}/guest.dtb 644 0 0
"""

# The folder of the host's kernel, and the VMM.
Host = namedtuple("Host", "kernel program")


def build(base, machine):
    """Have a host, whose kernel is without the series: what is tested is the guest's."""
    return Host(kernel.build(base, machine | {"fragments": ("pkvm-host",)}, "stock"),
                program.build("vmm", f"{machine['cross']}gcc", "-static"))


def device_tree(machine, initrd, parameters, folder):
    """What the guest is told."""
    dtb = folder / "guest.dtb"
    text = run(f"{machine['cross']}gcc", "-E", "-P", "-nostdinc", "-undef", "-x",
               "assembler-with-cpp", SOURCES / "guest.dts")
    # Room for the command line.
    run("dtc", "-q", "-I", "dts", "-O", "dtb", "-p", 4096, "-o", dtb, text=text)
    run("fdtput", "-t", "s", dtb, "/chosen", "bootargs", parameters)
    start = int(run("fdtget", "-t", "x", dtb, "/chosen", "linux,initrd-start").split()[1], 16)
    run("fdtput", "-t", "x", dtb, "/chosen", "linux,initrd-end", 0,
        f"{start + initrd.stat().st_size:x}")


def pack(host, machine, guest, initrd, parameters, folder):
    """Return the host's initramfs: the VMM as its init, and the guest's files."""
    device_tree(machine, initrd, parameters, folder)
    return initramfs.pack(host.kernel, SPEC.format(program=host.program, guest=guest, initrd=initrd,
                                                   folder=folder), folder / "host.initrd")
