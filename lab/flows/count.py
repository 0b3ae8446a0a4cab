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

# What a network card takes commands for, and the queue for them.
COMMANDS = ("ctrl_vq", "ctrl_rx", "ctrl_rx_extra", "ctrl_vlan", "ctrl_mac_addr",
            "ctrl_guest_offloads", "guest_announce")
# Milliseconds: what the guest waits for comes while its clock leaps, and is never late.
FOREVER = 3_600_000


@dataclass(frozen=True)
class Guest:
    """What boots: a scenario, stripped to one device and some CPUs, on a kernel."""

    scenario: dict
    kind: str
    image: Path
    initrd: Path
    plugin: Path

    @classmethod
    def make(cls, scenario, kind, folder, device="blk", cpus=1):
        """Build what the guest needs, the plugin in @folder."""
        one = scenario | {"devices": [device], "cpus": cpus}
        if device == "net":
            # Its driver spins until the host has answered a command: as long as the host likes.
            one["options"] += "".join(f",{name}=off" for name in COMMANDS)
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
        """Boot, make so many requests of @size bytes; return what each function executed.

        All CPUs together read a disk; a network card sends a packet that comes back.
        """
        with scratch() as folder:
            with open(folder / "disk.img", "wb") as disk:
                disk.truncate(DISK)
            # A guest that waits for the disk is at its next timer at once: its time is no measure.
            if self.scenario["devices"] == ["net"]:
                step, words = f"ping:{requests}:{FOREVER}", f"ping packets={requests} "
            else:
                load = requests, size, self.scenario["cpus"]
                step, words = "load:%u:%u:%u" % load, "load count=%u bytes=%u readers=%u" % load
            cmd = prepare(self.scenario, self.image, self.initrd, folder,
                          f"vdma.seed=1 vdma.stall={FOREVER} vdma.steps=devices,{step}")
            # By its name in QEMU's folder: the plugin's options are split at commas.
            (folder / "map").symlink_to(self.image / "System.map")
            (folder / "plugin.so").symlink_to(self.plugin)
            cmd += ["-icount", "shift=0,sleep=off", "-plugin",
                    "./plugin.so,map=map,out=counts"
                    + "".join(f",helper={name}" for name in helpers)]
            self._check(self._boot(cmd, folder), words)
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

    def _check(self, said, words):
        mode = self.scenario["mode"] if kernel.shows_mode(self.image) else "-"
        if f" mode={mode} " not in said or words not in said \
                or not said.endswith("vdma done errors=0"):
            raise Fail(f"{self.scenario['name']} on {self.kind}: no '{words}' in mode {mode}:"
                       f"\n{said}", f"./vdma boot {self.scenario['name']} --kernel {self.kind}")
