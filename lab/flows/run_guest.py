# SPDX-License-Identifier: GPL-2.0-only
"""Boot a guest of the user's own on the machine of a scenario, and tell what its devices are handed."""
import hashlib
import subprocess
import tempfile
import time
from pathlib import Path

from ..core.cache import ROOT
from ..core.errors import Fail
from ..model import machines, scenario
from ..model.scenario import SILENCE
from ..patches.base import Base
from ..build import guest, kernel
from ..vm.command_line import prepare
from ..vm.host_view import observe
from ..vm.machine import Machine
from ..vm.media import images
from . import runner

# What an image that a machine can boot has, and where.
MAGIC = {
    "arm64": ((56, b"ARMd"), (0, b"\x1f\x8b")),
    "ppc64le": ((0, b"\x7fELF\x02\x01"),),
    "x86_64": ((0x202, b"HdrS"),),
}
QCOW2 = b"QFI\xfb"
# Devices that only the lab works, or has something behind.
OURS = ("balloon", "scsi", "share", "swap")


def there(path, what):
    """A file of the user's, or one line that says why not."""
    try:
        with open(path, "rb") as file:
            return Path(path).resolve(), file.read(0x300)
    except OSError as err:
        raise Fail(f"the {what} {path} cannot be read: {err.strerror}",
                   f"name a file with --{what}") from err


def command(one, args, folder):
    """The QEMU command line: the scenario's machine and devices, the user's kernel and disk."""
    image, head = there(args.kernel, "kernel")
    if not any(head[at:].startswith(magic) for at, magic in MAGIC[one["arch"]]):
        raise Fail(f"{args.kernel} is no kernel for {one['arch']}",
                   f"QEMU takes {Path(one['machine']['image']).name} there; see --arch")
    (folder / Path(one["machine"]["image"]).name).symlink_to(image)
    initrd = there(args.initrd, "initrd")[0] if args.initrd else None
    drive = "raw"
    if args.disk:
        disk, head = there(args.disk, "disk")
        drive = ("qcow2" if head.startswith(QCOW2) else "raw") + (
            "" if args.write else ",snapshot=on")
        (folder / "disk.img").symlink_to(disk)
    one = one | {"devices": [d for d in one["devices"] if args.disk or d != "blk"]}
    (folder / "entropy.img").symlink_to("/dev/urandom")
    root = "root=/dev/vda" if args.disk and not initrd else ""
    cmd = prepare(one, folder, initrd, folder, f"{root} {args.append}")
    return one, [word.replace("disk.img,format=raw", f"disk.img,format={drive}") for word in cmd]


def run(args):
    """Boot it on this terminal; afterwards, say what the host saw. Return QEMU's status."""
    one = machine_of(args)
    runner.require_qemu(one)
    view = None
    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        one, cmd = command(one, args, Path(temp))
        with Machine(cmd, Path(temp), SILENCE, terminal=True) as machine:
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
    print(table(view) if view else "no virtio device was ever in use")
    return status


def machine_of(args):
    """The scenario that the guest runs on, without what only the lab's own guest can do."""
    known = scenario.load()
    if args.scenario:
        one = scenario.pick([args.scenario])[0]
        if args.arch not in (None, one["arch"]):
            raise Fail(f"{one['name']} is a scenario for {one['arch']}, not for {args.arch}",
                       "leave --arch out, or name another: './vdma list'")
    else:
        arch = machines.load(args.arch or "arm64")["name"]
        one = next(s for n, s in known.items() if s["arch"] == arch and n.endswith("pci-modern"))
    return one | {"devices": [d for d in one["devices"] if d not in OURS], "steps": [],
                  "machine": one["machine"] | {"page_tables": False}}


def table(view):
    rows = [("DEVICE", "TRANSPORT", "RINGS (HOST)", "WHERE", "FEATURES (HOST)")]
    for name, device in view["devices"].items():
        rings = [ring[0] for ring in device["rings"]]
        ram = [any(low <= a <= high for low, high in view["ram"]) for a in rings]
        rows.append((name, device["parent"], ",".join(f"{a:#x}" for a in rings) or "-",
                     "-" if not rings else "ram" if all(ram) else "iova",
                     ",".join(sorted(b for b in device["bits"] if "." not in b))))
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, wide)).rstrip() for row in rows)


def tests():
    """The lab's own guest as a user's: what is seen of it, and what becomes of its disk."""
    one = scenario.pick([scenario.DEFAULT])[0]
    base = Base(one["base"])
    built = kernel.build(base, one["machine"], "vdma")
    initrd = guest.build(one["machine"], built, base)
    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        disk = Path(temp) / "a, disk"
        disk.write_bytes((images() / "disk.img").read_bytes())

        def boot(*extra):
            result = subprocess.run(
                [ROOT / "vdma", "run", "--kernel", built / "Image", "--initrd", initrd, "--disk",
                 disk, "--append", "vdma.seed=0x1 vdma.steps=write,read,read", *extra],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
            blk = [line.split() for line in result.stdout.splitlines() if line.startswith("blk ")]
            return (result.returncode, blk[0][3] if blk else None,
                    hashlib.sha256(disk.read_bytes()).hexdigest()), result.stdout + result.stderr
        before = hashlib.sha256(disk.read_bytes()).hexdigest()
        kept, said = boot()
        yield "run: a guest of one's own", [
            ("its rings are in RAM, and its disk is kept", kept == (0, "ram", before), said)]
        moved, said = boot("smmu-access-platform")
        yield "run: on the machine of another scenario", [
            ("its rings are at IOVAs", moved == (0, "iova", before), said)]
        written, said = boot("--write")
        yield "run: --write", [("the disk is written to", written[:2] == (0, "ram")
                                and written[2] != before, said)]
