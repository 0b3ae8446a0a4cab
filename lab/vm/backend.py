# SPDX-License-Identifier: GPL-2.0-only
"""Back ends of vhost-user devices: a process for each, from before QEMU to after it."""
import contextlib
import json
import signal
import subprocess

from ..core.errors import Fail
from ..core.process import tail
from ..model.features import BIT
from ..model.scenario import behind_vhost_user
from .patience import Patience

# Seconds that one may take to write its report, or to end once QEMU is gone.
LIMIT = 20


class Backends:
    """What is behind the scenario's vhost-user devices. Leave the context, and nothing is left."""

    def __init__(self, scenario, program, folder):
        self.folder, self._running = folder, {}
        with contextlib.ExitStack() as stack:
            stack.callback(self.__exit__)
            for name, cmd in commands(scenario, program):
                self._start(name, cmd)
            stack.pop_all()

    def _start(self, name, cmd):
        """Start the back end of a device, and wait until QEMU can connect to it."""
        log = self.folder / f"{name}.log"
        with open(log, "wb") as file:
            # It does not outlive us, whatever ends us.
            self._running[name] = proc = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *cmd], cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file,
                start_new_session=True)
        if proc.stdout.readline() != b"ready\n":
            raise Fail(f"the back end of {name} has ended with {proc.wait(LIMIT)}:"
                       f" {tail(log, 1).strip()}", "lab/backend/main.c has its options")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for proc in self._running.values():
            proc.kill()
            proc.wait()
            proc.stdout.close()

    def ended(self):
        """The last report of each, once its front end has gone."""
        for proc in self._running.values():
            Patience(proc.pid, LIMIT).until(lambda p=proc: p.poll() is not None)
        return {name: self._report(name) or {} for name in self._running}

    def _report(self, name):
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def ask(self, name):
        """What one reports now."""
        proc = self._running[name]
        (self.folder / f"{name}.json").unlink(missing_ok=True)
        proc.send_signal(signal.SIGUSR1)
        found = Patience(proc.pid, LIMIT).until(
            lambda: self._report(name) or proc.poll() is not None)
        if not isinstance(found, dict):
            raise Fail(f"the back end of {name} does not answer: "
                       + tail(self.folder / f"{name}.log", 1).strip())
        return found

    def view(self, name):
        """A device as its back end has it, in the words of QMP, which QEMU 10 dies of."""
        now = self.ask(name)
        return {"bits": bits(name, now["acked"]), "offered": bits(name, now["offered"]),
                "rings": [now["ring"]] if now["starts"] else [], "buffers": now["data"],
                "ok": now["starts"] > 0}


def commands(scenario, program):
    """The command of each back end, by device."""
    return [(name, [str(program), f"{name}.sock", f"{name}.json", "entropy.img",
                    *scenario["backend"]]) for name in behind_vhost_user(scenario)]


def bits(device, features):
    """The names of feature bits, and all of them again as those of the device."""
    words = {name for name, bit in BIT.items() if features >> bit & 1}
    return sorted(words | {f"{device}.{word}" for word in words})
