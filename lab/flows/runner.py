# SPDX-License-Identifier: GPL-2.0-only
"""Boot a scenario and judge it: what the guest says against what the host sees."""
import random
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from ..core.cache import cache
from ..core.errors import Fail
from ..core.packages import need
from ..core.process import run, say
from ..patches.base import Base, number
from ..build import guest, kernel, qemu
from ..vm import host_actions, media
from ..vm.command_line import prepare
from ..vm.host_view import observe
from ..vm.machine import Machine
from ..vm.media import furnish, images, Peer
from ..judge.checks import judge

HELP = media.HELP | host_actions.HELP


class Run:
    """One boot of a scenario on one kernel, all that it needs built, and what was seen of it."""

    def __init__(self, scenario, kind, patience=None, image=None):
        require_qemu(scenario)
        self.scenario, self.kind = scenario, kind
        # A kernel that watches itself takes its time.
        self.patience = patience or scenario["patience"] * (
            3 if "debug" in scenario["config"] else 1)
        self.kernel = image or kernel.build(Base(scenario["base"]), scenario["machine"], kind)
        self.initrd, self.source = guest.build(
            scenario["machine"], self.kernel, Base(scenario["base"])), images()
        self.records, self.views, self.step = [], {}, "boot"
        self.pictures, self.typed, self.refusal, self.searches = [], 0, "", []
        self.end, self.console = None, ""

    def all(self, verb):
        return [fields for v, fields in self.records if v == verb]

    def boot(self, folder):
        furnish(folder, self.source)
        if "kexec" in self.scenario["steps"]:
            image = self.kernel / self.scenario["machine"]["image"].rpartition("/")[2]
            shutil.copy(image, folder / "share" / "kernel")
            shutil.copy(self.initrd, folder / "share" / "initrd")
        self.seed, self.peer = random.getrandbits(64), Peer()
        append = (f"vdma.seed={self.seed:#x} vdma.port={self.peer.port}"
                  f" vdma.steps={','.join(self.scenario['steps'])}")
        cmd = prepare(self.scenario, self.kernel, self.initrd, folder, append)
        try:
            with Machine(cmd, folder, self.patience) as machine:
                if self.scenario["stuck"]:
                    self._wait_stuck(machine)
                else:
                    self._follow(machine)
        finally:
            self.peer.stop()
            console = folder / "console.log"
            self.console = console.read_text(errors="replace") if console.exists() else ""
        self.disk = (folder / "disk.img").read_bytes()
        # A sparse file has what was written to it.
        self.swapped = (folder / "swap.img").stat().st_blocks * 512
        # What the guest wrote to files of the host, by step.
        self.written = {step: path.read_bytes() for step, path in (
            ("port", folder / "port.out"), ("share", folder / "share" / "out")) if path.exists()}
        self.entropy = (folder / "entropy.img").read_bytes()
        self.original = (self.source / "disk.img").read_bytes()

    def _follow(self, machine):
        """Read the report to its end; look from outside where the guest waits for it."""
        deadline = time.monotonic() + 6 * self.patience
        try:
            for line in machine.lines():
                word, _, rest = line.partition(" ")
                if word != "vdma":
                    continue
                verb, *fields = rest.split()
                fields = dict(f.partition("=")[::2] for f in fields)
                self.records.append((verb, fields))
                self.step = f"{verb} {' '.join(fields.values())}"[:60]
                if verb == "ready":
                    self.views[fields["name"]] = observe(machine, self.scenario, self.kernel)
                    machine.go()
                elif verb in HELP:
                    HELP[verb](self, machine, **fields)
                    machine.go()
                if time.monotonic() > deadline:
                    raise TimeoutError
            machine.proc.wait(self.patience)
            self.end = f"QEMU exited with {machine.proc.returncode}"
        except (TimeoutError, subprocess.TimeoutExpired):
            self.end = f"the guest hangs after '{self.step}'"

    def _wait_stuck(self, machine):
        """Wait for the text that tells why, then make sure that nothing moves any more."""
        end, text = time.monotonic() + self.patience, self.scenario["stuck"]
        while time.monotonic() < end and machine.proc.poll() is None \
                and text not in machine.console.read_text(errors="replace"):
            time.sleep(0.1)
        self.views["stuck"] = observe(machine, self.scenario, self.kernel)
        time.sleep(2)
        machine.report.setblocking(False)
        try:
            self.end = machine.report.recv(4096).decode(errors="replace")
        except BlockingIOError:
            self.end = "silent"

    def finished(self):
        return self.end == "QEMU exited with 0" and self.all("done") != []


def require_qemu(scenario):
    """QEMU must be there, and know the queries that show a device from outside."""
    arch = scenario["machine"]
    if scenario["companion"]:
        scenario["machine"] = arch | {"qemu": str(qemu.build(scenario["companion"]) / arch["qemu"])}
        return
    need(arch["packages"] + ["device-tree-compiler"])
    version = run(arch["qemu"], "--version").partition("version ")[2].split()[0]
    if number(version)[:2] < [7, 2]:
        raise Fail(f"{arch['qemu']} {version} is too old: 7.2 has the virtio queries of QMP",
                   "install the QEMU of Debian 12 or later")


def prove(run):
    """Boot and judge: the checks of a run, turned round for a negative control."""
    with tempfile.TemporaryDirectory(prefix="vdma-") as folder:
        run.boot(Path(folder))
    checks = judge(run)
    if not run.finished() and not run.scenario["stuck"]:
        say(f"{run.scenario['name']} on {run.kind}: {run.end}; the end of its console:\n"
            + "\n".join(f"    {t}" for t in run.console.splitlines()[-12:]))
    return checks


def interactive(scenario, kind):
    """The command line of a guest with a prompt on this terminal, with disks that stay."""
    require_qemu(scenario)
    arch = scenario["machine"]
    base = Base(scenario["base"])
    image = kernel.build(base, arch, kind)
    folder = cache("shell")
    furnish(folder, images())
    cmd = prepare(scenario, image, guest.build(arch, image, base), folder,
                  "vdma.shell vdma.steps=devices")
    return cmd + ["-serial", "mon:stdio", "-chardev", "null,id=report",
                  "-device", "pci-serial,chardev=report,addr=0x4"]


def shell(scenario, kind):
    cmd = interactive(scenario, kind)
    say("'help' lists the commands; 'poweroff', or Ctrl-A x, ends the guest")
    return subprocess.run(cmd, check=False).returncode


def dry_run(scenario, kind):
    print(shlex.join(interactive(scenario, kind)))
