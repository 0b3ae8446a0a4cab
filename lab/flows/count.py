# SPDX-License-Identifier: GPL-2.0-only
"""Count what each function of a guest's kernel executes, with a TCG plugin."""
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..core.cache import scratch
from ..core.errors import Fail
from ..core.process import run
from ..model.media import DISK
from ..model.scenario import SILENCE
from ..patches.base import Base
from ..build import guest, kernel
from ..build.plugin import build_plugin
from ..vm.command_line import prepare
from ..vm.machine import Machine
from . import runner


@dataclass(frozen=True)
class Guest:
    """What boots: a scenario, stripped to one disk and some CPUs, on a kernel."""

    scenario: dict
    kind: str
    image: Path
    initrd: Path
    plugin: Path

    @classmethod
    def make(cls, scenario, kind, folder, cpus=1):
        """Build what the guest needs, the plugin in @folder."""
        disk = "scsi" if "scsi" in scenario["devices"] else "blk"
        one = scenario | {"devices": [disk], "cpus": cpus}
        one = runner.with_qemu(one)
        arch = one["machine"]
        base = Base(one["base"])
        image = kernel.build(base, arch, kind)
        return cls(one, kind, image, guest.build(arch, image, base),
                   build_plugin(arch["qemu"], folder))

    def defined(self):
        """The functions that the objects of virtio define."""
        names = set()
        for path in kernel.OBJECTS:
            for line in run(f"{self.scenario['machine']['cross']}nm",
                            self.image / Path(path).name).splitlines():
                *_, kind, name = line.split()
                names |= {name.partition(".")[0]} if kind in "tTwW" else set()
        return names

    def count(self, requests, size, helpers):
        """Boot, read @size bytes so many times, on all CPUs together; return what each function executed."""
        with scratch() as folder:
            with open(folder / "disk.img", "wb") as disk:
                disk.truncate(DISK)
            # A guest that waits for the disk is at its next timer at once: its time is no measure.
            load = requests, size, self.scenario["cpus"]
            cmd = prepare(self.scenario, self.image, self.initrd, folder,
                          "vdma.stall=3600000 vdma.steps=devices,load:%u:%u:%u" % load)
            # By its name in QEMU's folder: the plugin's options are split at commas.
            (folder / "map").symlink_to(self.image / "System.map")
            (folder / "plugin.so").symlink_to(self.plugin)
            cmd += ["-icount", "shift=0,sleep=off", "-plugin",
                    "./plugin.so,map=map,out=counts"
                    + "".join(f",helper={name}" for name in helpers)]
            self._check(self._boot(cmd, folder), "load count=%u bytes=%u readers=%u" % load)
            total = Counter()
            for line in (folder / "counts").read_text().splitlines():
                name, amount = line.split()
                # Not what the compiler has made of it: foo.isra.0, foo.part.0.
                total[re.sub(r"\.[^:]*", "", name)] += int(amount)
        return total

    def _boot(self, cmd, folder):
        said = []
        try:
            with Machine(cmd, folder, SILENCE) as machine:
                said += machine.lines()
                machine.ended()
        except TimeoutError:
            said.append("it hangs")
        return "\n".join(said)

    def _check(self, said, load):
        mode = self.scenario["mode"] if kernel.shows_mode(self.image) else "-"
        if f" mode={mode} " not in said or load not in said \
                or not said.endswith("vdma done errors=0"):
            raise Fail(f"{self.scenario['name']} on {self.kind}: no '{load}' in mode {mode}:"
                       f"\n{said}", f"./vdma boot {self.scenario['name']} --kernel {self.kind}")
