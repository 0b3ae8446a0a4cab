# SPDX-License-Identifier: GPL-2.0-only
"""Boot a guest of the user's own, and tell which addresses its devices are handed."""
import hashlib
import subprocess
import time

from ..core.cache import ROOT, scratch
from ..core.errors import Fail
from ..core.packages import need
from ..core.text import table
from ..model import machines, scenario
from ..model.check import Check
from ..model.scenario import SILENCE
from ..patches.base import Base
from ..build import guest, kernel
from ..vm import own_files
from ..vm.command_line import prepare
from ..vm.host_view import observe
from ..vm.machine import Machine
from ..vm.media import images
from ..judge import host
from . import runner

# Devices that only the lab works, or has something behind.
OURS = ("balloon", "scsi", "share", "swap", "data", "esp", "vsock")
HEAD = ("DEVICE", "TRANSPORT", "RINGS (HOST)", "WHERE", "FEATURES (HOST)")


def command(one, args, folder):
    """The QEMU command line: the scenario's machine and devices, the user's kernel and disk."""
    own_files.kernel(one["machine"], args.kernel, folder)
    initrd = own_files.there(args.initrd, "initrd")[0] if args.initrd else None
    drive = ""
    if args.disk:
        path, form = own_files.disk(args.disk)
        # By its own name: a backing file may be given by where it lies beside it.
        drive = f"{own_files.quoted(path)},format={form}" + ("" if args.write else ",snapshot=on")
    one = one | {"devices": [d for d in one["devices"] if args.disk or d != "blk"]}
    (folder / "entropy.img").symlink_to("/dev/urandom")
    root = "root=/dev/vda" if args.disk and not initrd else ""
    cmd = prepare(one, folder, initrd, folder, f"{root} {args.append}")
    return one, [word.replace("disk.img,format=raw", drive) for word in cmd]


def run(args):
    """Boot it on this terminal; afterwards, say what QEMU saw. Return QEMU's status."""
    one = runner.with_qemu(machine_of(args))
    view = None
    with scratch() as folder:
        one, cmd = command(one, args, folder)
        with Machine(cmd, folder, SILENCE, terminal=True) as machine:
            while machine.proc.poll() is None:
                try:
                    seen = observe(machine, one, None)
                except Fail:
                    # It went while we looked, or its firmware is still at work.
                    seen = {"devices": {}}
                if any(d["rings"] and d["ok"] for d in seen["devices"].values()):
                    view = seen
                time.sleep(0.3)
            status = machine.proc.returncode
    print(summary(view) if view else "no virtio device was ever in use")
    return status


def machine_of(args):
    """The scenario that the guest runs on, without what only the lab's own guest can do."""
    if args.scenario:
        one = scenario.pick([args.scenario])[0]
        if args.arch not in (None, one["arch"]):
            raise Fail(f"{one['name']} is a scenario for {one['arch']}, not for {args.arch}",
                       "leave --arch out, or name another: './vdma list'")
    else:
        arch = machines.load(args.arch or "arm64")["name"]
        one = next(s for n, s in scenario.load().items()
                   if s["arch"] == arch and n.endswith("pci-modern"))
    return one | {"devices": [d for d in one["devices"] if d not in OURS], "steps": [],
                  "memory": args.memory or one["memory"], "cpus": args.cpus or one["cpus"],
                  "machine": one["machine"] | {"page_tables": False}}


def summary(view):
    rows = [HEAD]
    for name, device in view["devices"].items():
        rings = [ring[0] for ring in device["rings"]]
        where = "ram" if all(host.in_ram(view, a) for a in rings) else "iova"
        rows.append((name, device["parent"], ",".join(f"{a:#x}" for a in rings) or "-",
                     where if rings else "-",
                     ",".join(b for b in device["bits"] if "." not in b)))
    return table(rows)


def tests():
    """The lab's own guest as a user's: what is seen of it, and what becomes of its disk."""
    one = scenario.pick([scenario.DEFAULT])[0]
    base = Base(one["base"])
    built = kernel.build(base, one["machine"], "series")
    initrd = guest.build(one["machine"], built, base)
    with scratch() as temp:
        disk = temp / "a, disk"
        disk.write_bytes((images() / "disk.img").read_bytes())

        def digest():
            return hashlib.sha256(disk.read_bytes()).hexdigest()

        def boot(*extra, path=disk):
            result = subprocess.run(
                [ROOT / "vdma", "run", "--kernel", built / "Image", "--initrd", initrd, "--disk",
                 path, "--append", "vdma.seed=0x1 vdma.steps=write,read,read", *extra],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=240)
            blk = [line.split() for line in result.stdout.splitlines() if line.startswith("blk ")]
            return (result.returncode, blk[0][3] if blk else None, digest()), \
                result.stdout + result.stderr
        before = digest()
        kept, said = boot("--memory", "1G", "--cpus", "2")
        yield "run: a guest of one's own", [
            Check.of("its rings are in RAM, and its disk is kept", kept == (0, "ram", before),
                     said)]
        moved, said = boot("smmu-access-platform")
        yield "run: on the machine of another scenario", [
            Check.of("its rings are at IOVAs", moved == (0, "iova", before), said)]
        need(["qemu-utils"])
        over = temp / "over.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", disk.name,
                        over], cwd=temp, check=True)
        kept, said = boot(path=over)
        yield "run: an image over another one", [
            Check.of("its relative backing file is found", kept == (0, "ram", before), said)]
        written, said = boot("--write")
        yield "run: --write", [Check.of("the disk is written to", written[:2] == (0, "ram")
                                        and written[2] != before, said)]
