# SPDX-License-Identifier: GPL-2.0-only
"""Count what each function of a guest's kernel executes, with a TCG plugin."""
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..build import guest, kernel, qemu
from ..vm import media
from . import runner
from ..patches.base import Base, number
from ..core.git import git
from ..core.host import Fail, ROOT, need, run
from ..vm.machine import SILENCE, Machine

PLUGIN = ROOT / "lab" / "plugin" / "functions.c"


def build_plugin(binary, folder):
    """Build the plugin for a QEMU; any header will do, for what it uses has never changed."""
    version = number(run(binary, "--version").partition("version ")[2])
    api = 1 if version[0] < 9 else 2
    plugin = folder / f"functions-{api}.so"
    if not plugin.exists():
        need(["gcc", "libc6-dev", "pkg-config", "libglib2.0-dev"])
        header = git(qemu.Qemu().fetch().tree, "show", "base:include/qemu/qemu-plugin.h")
        (folder / "qemu-plugin.h").write_text(header)
        try:
            run("gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", f"-DAPI={api}",
                f"-I{folder}", *run("pkg-config", "--cflags", "glib-2.0").split(),
                "-o", plugin, PLUGIN)
        except subprocess.CalledProcessError as err:
            raise Fail("the plugin does not build:\n" + err.stderr.decode()) from err
    return plugin


@dataclass(frozen=True)
class Guest:
    """What boots: a scenario, stripped to one CPU and one disk, on a kernel."""

    scenario: dict
    kind: str
    image: Path
    initrd: Path
    plugin: Path

    @classmethod
    def make(cls, scenario, kind, folder):
        """Build what the guest needs, the plugin in @folder."""
        one = scenario | {"devices": ["blk"], "cpus": 1}
        runner.require_qemu(one)
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
        """Boot, read @size bytes so many times, and return what each function executed."""
        with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
            folder = Path(temp)
            with open(folder / "disk.img", "wb") as disk:
                disk.truncate(media.DISK)
            cmd = runner.prepare(self.scenario, self.image, self.initrd, folder,
                                f"vdma.steps=devices,load:{requests}:{size}")
            cmd += ["-icount", "shift=0,sleep=off", "-plugin",
                    f"{self.plugin},map={self.image}/System.map,out={folder}/counts"
                    + "".join(f",helper={name}" for name in helpers)]
            self._check(self._boot(cmd, folder), f"load count={requests} bytes={size}")
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
                machine.proc.wait(SILENCE)
        except (TimeoutError, subprocess.TimeoutExpired):
            said.append("it hangs")
        return "\n".join(said)

    def _check(self, said, load):
        mode = "-" if self.kind == "stock" else self.scenario["mode"]
        if f" mode={mode} " not in said or load not in said \
                or not said.endswith("vdma done errors=0"):
            raise Fail(f"{self.scenario['name']} on {self.kind}: no '{load}' in mode {mode}:"
                       f"\n{said}", f"./vdma boot {self.scenario['name']} --kernel {self.kind}")
