# SPDX-License-Identifier: GPL-2.0-only
"""Boot a scenario on a kernel: build what it needs, watch it, and return its record."""
import contextlib
import random
import shutil
import time

from ..core.cache import room, scratch
from ..core.errors import Fail
from ..core.packages import need
from ..core.process import run, say
from ..model.record import Record
from ..model import distribution as distributions
from ..model.scenario import starts_another
from ..patches.base import Base, number
from ..build import distribution, guest, host, kernel, program, qemu, vmm
from ..vm import firmware, hosted, installed, media, nested
from ..vm.backend import Backends, in_kernel, kinds_of
from ..vm.command_line import prepare
from ..vm.host_actions import HOST_ACTIONS
from ..vm.host_view import observe
from ..vm.machine import Machine
from ..judge.boot import judge

# How much longer the whole of a boot may take than the guest may be silent.
WHOLE = 6


class Boot:
    """A scenario and a kernel to boot it on, with all that it needs built."""

    def __init__(self, scenario, kind, patience=None, image=None):
        self.scenario = scenario = with_qemu(scenario)
        # A debug kernel takes its time.
        self.patience = patience or scenario["patience"] * (
            3 if "debug" in scenario["config"] else 1)
        base = Base(scenario["base"])
        data = scenario["distribution"] and distributions.load(
            scenario["distribution"], scenario["arch"])
        self._media, self._parameters = (installed, data["parameters"]) if data else (media, "")
        self.kernel = image or (distribution.build(data, scenario["machine"], kind) if data
                                else kernel.build(base, scenario["machine"], kind))
        # The initramfs is for both: a kernel of modules has its own, and starts no other one.
        self.next = self.kernel if not scenario["next"] else kernel.build(
            base, scenario["machine"], scenario["next"])
        self.initrd = self.kernel / "initrd" if data else guest.build(
            scenario["machine"], self.kernel, base)
        self.backend, self._backends = back_end(scenario), None
        self.host = vmm.build(base, scenario["machine"]) if scenario["vmm"] else None
        self._vmm = nested.Vmm(scenario)
        self.outer = host.build() if in_kernel(scenario) else None
        self.record = Record(scenario, kind, shows_mode=kernel.shows_mode(self.kernel))

    def run(self):
        """Boot it, watch it, and return its record."""
        record = self.record
        room(1, "a boot")
        with scratch() as folder:
            self._fill(folder)
            record.seed, peer = random.getrandbits(64), self._media.Peer(self.kernel)
            append = (f"vdma.seed={record.seed:#x} vdma.port={peer.port}"
                      f" vdma.steps={','.join(self.scenario['steps'])} {self._parameters}")
            try:
                cmd = self._command(folder, append)
                with Backends(self.scenario, self.backend, folder) as self._backends:
                    with Machine(cmd, folder, self.patience,
                                 ports=hosted.PORTS if self.outer else None) as machine:
                        watch = self._wait_stuck if self.scenario["stuck"] else self._follow
                        watch(machine)
                    record.backends = self._backends.ended()
            finally:
                peer.stop()
                console = folder / "console.log"
                record.console = console.read_text(errors="replace") if console.exists() else ""
            self._media.read_media(folder, record)
            peer.note(record)
        return record

    def _command(self, folder, append):
        if self.host:
            return nested.prepare(self.scenario, self.host, self.kernel, self.initrd, folder,
                                  append)
        cmd = prepare(self.scenario, self.kernel, self.initrd, folder, append)
        return hosted.prepare(self.outer, cmd, folder) if self.outer else cmd

    def _fill(self, folder):
        self._media.write_media(folder, self.kernel)
        if starts_another(self.scenario):
            image = self.next / self.scenario["machine"]["image"].rpartition("/")[2]
            shutil.copy(image, folder / "share" / "kernel")
            shutil.copy(self.initrd, folder / "share" / "initrd")

    def look(self, moment, machine):
        """Have QEMU, or the VMM, say what it sees at this moment."""
        if self.host:
            view = self._vmm.view()
        else:
            view = observe(machine, self.scenario, self.kernel, self._backends)
        self.record.views[moment] = view

    def _follow(self, machine):
        """Read the report to its end; do what the guest asks for where it waits for it."""
        step, start = "boot", time.monotonic()
        try:
            for line in machine.lines(WHOLE * self.patience):
                word, _, rest = line.partition(" ")
                if self._vmm.takes(line) or word != "vdma":
                    continue
                verb, *fields = rest.split()
                fields = dict(f.partition("=")[::2] for f in fields)
                self.record.said.append([verb, fields])
                step = f"{verb} {' '.join(fields.values())}"[:60]
                if verb == "ready":
                    self.look(fields["name"], machine)
                    machine.go()
                elif verb in HOST_ACTIONS:
                    HOST_ACTIONS[verb](self, machine, **fields)
                    machine.go()
            if not machine.ended():
                raise TimeoutError
            self.record.end = f"QEMU exited with {machine.proc.returncode}"
        except TimeoutError:
            self.record.end = (f"the guest hangs after '{step}',"
                               f" {time.monotonic() - start:.0f} s after its start")

    def _wait_stuck(self, machine):
        """Wait for the text that tells why, then make sure that nothing moves any more."""
        text = self.scenario["stuck"]

        def there():
            return text in machine.console.read_text(errors="replace")

        if self.host:
            self._listen(machine, there)
        else:
            machine.patience().until(lambda: machine.proc.poll() is not None or there(), 0.1)
        self.look("stuck", machine)
        time.sleep(2)
        machine.report.setblocking(False)
        try:
            self.record.end = machine.report.recv(4096).decode(errors="replace")
        except BlockingIOError:
            self.record.end = "silent"

    def _listen(self, machine, there):
        """Hear what the VMM sees, until it has said so of what the console shows."""
        with contextlib.suppress(TimeoutError):
            for line in machine.lines(self.patience):
                if not self._vmm.takes(line):
                    self.record.said.append([line, {}])
                elif line.startswith("vmm memory ") and there():
                    return


def with_qemu(scenario):
    """The scenario with a QEMU that is there and knows the queries that show a device."""
    arch = scenario["machine"]
    need(firmware.packages(scenario))
    if scenario["companion"]:
        binary = qemu.build(scenario["companion"]) / arch["qemu"]
        return scenario | {"machine": arch | {"qemu": str(binary)}}
    need(arch["packages"] + ["device-tree-compiler"])
    version = run(arch["qemu"], "--version").partition("version ")[2].split()[0]
    if number(version)[:2] < [7, 2]:
        raise Fail(f"{arch['qemu']} {version} is too old: 7.2 has the virtio queries of QMP",
                   "install the QEMU of Debian 12 or later")
    if scenario["behind"] and number(version)[:2] < [10, 0]:
        # It passes on what the back end offers, whatever bit that is.
        binary = qemu.backported(arch)
        return scenario | {"machine": arch | {"qemu": str(binary)}}
    return scenario


def back_end(scenario):
    """Have what is behind the scenario's vhost-user devices; return the program that is ours."""
    for kind in kinds_of(scenario).values():
        need(kind.get("packages", []))
    if "lab" not in scenario["behind"].values():
        return None
    need(["gcc", "libc6-dev"])
    return program.build("backend", "gcc")


def prove(boot):
    """Boot and judge: the record, and the checks that were made of it."""
    record = boot.run()
    if not record.finished() and not record.scenario["stuck"]:
        say(f"{record.scenario['name']} on {record.kind}: {record.end}; the end of its console:\n"
            + "\n".join(f"    {line}" for line in record.console.splitlines()[-12:]))
    return record, judge(record)
