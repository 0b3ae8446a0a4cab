# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU on a host that is itself a guest of QEMU, and whose kernel serves devices."""
from ..build import host

# The host has the report and the monitor of its guest as serial ports, and passes them on.
PORTS = ["-device", "pci-serial-2x,chardev1=report,chardev2=qmp,addr=0x4"]
OWN = ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
       "-chardev", "serial,id=report,path=/dev/ttyS1", "-device", "pci-serial,chardev=report,addr=0x4",
       "-chardev", "serial,id=qmp,path=/dev/ttyS2", "-mon", "chardev=qmp,mode=control",
       "-trace", "vhost_iotlb_miss"]
MEMORY, CPUS = "2G", 2


def prepare(outer, cmd, folder):
    """The command line of the host's QEMU, of that which the guest would have here."""
    machine = outer.machine
    packed = host.pack(outer, [*cmd, *OWN], folder)
    return [machine["qemu"], "-M", machine["machine"], "-cpu", machine["cpu"], "-m", MEMORY,
            "-smp", str(CPUS), "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", str(outer.kernel / machine["image"].rpartition("/")[2]),
            "-initrd", str(packed), "-append", f"console={machine['console']} loglevel=4 panic=-1"]
