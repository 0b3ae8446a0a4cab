# SPDX-License-Identifier: GPL-2.0-only
"""Back ends of vhost-user devices: a process for each, from before QEMU to after it."""
import contextlib
import functools
import json
import os
import re
import signal
import subprocess
import tomllib

from ..core.cache import ROOT
from ..core.errors import Fail
from ..core.process import tail
from ..model.features import BIT
from .patience import Patience

FILE = ROOT / "lab" / "backends.toml"
# Seconds that one may take to start, to write its report, or to end once QEMU is gone.
LIMIT = 20


@functools.cache
def kinds():
    """What a device's back end can be, by name."""
    return tomllib.loads(FILE.read_text())


def kinds_of(scenario):
    """The kind of each device that has a back end of its own."""
    known = kinds() if scenario["behind"] else {}
    for name, kind in scenario["behind"].items():
        if kind not in known:
            raise Fail(f"unknown back end '{kind}' of {name}", f"{FILE.name} has: {', '.join(known)}")
    return {name: known[kind] for name, kind in scenario["behind"].items()}


def in_kernel(scenario):
    """Whether the kernel of QEMU's host is behind a device."""
    return any("command" not in kind for kind in kinds_of(scenario).values())


class Backends:
    """What is behind the scenario's vhost-user devices. Leave the context, and nothing is left."""

    def __init__(self, scenario, program, folder):
        self.folder, self._kinds, self._running = folder, kinds_of(scenario), {}
        with contextlib.ExitStack() as stack:
            stack.callback(self.__exit__)
            for name, cmd in commands(scenario, program):
                self._start(name, cmd)
            stack.pop_all()

    def _log(self, name):
        """What is told of a back end, and by the host's kernel on the console."""
        log = f"{name}.log" if "command" in self._kinds[name] else "console.log"
        return (self.folder / log).read_text(errors="replace")

    def _start(self, name, cmd):
        """Start the back end of a device, and wait until QEMU can connect to it."""
        with open(self.folder / f"{name}.log", "wb") as log:
            # It does not outlive us, whatever ends us.
            self._running[name] = proc = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *cmd], cwd=self.folder,
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True)
        ready = Patience(proc.pid, LIMIT).until(lambda: proc.poll() is not None or
                                                self._kinds[name]["ready"] in self._log(name))
        if not ready or proc.poll() is not None:
            what = f"has ended with {proc.poll()}" if ready else "does not get ready"
            raise Fail(f"the back end of {name} {what}: {tail(self.folder / f'{name}.log', 1).strip()}",
                       f"{FILE.relative_to(ROOT)} has its command")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for proc in self._running.values():
            proc.kill()
            proc.wait()
            proc.stdin.close()

    def ended(self):
        """The last report of each, once its front end has gone."""
        for name, proc in self._running.items():
            proc.stdin.close()
            if not self._kinds[name].get("stays"):
                Patience(proc.pid, LIMIT).until(lambda p=proc: p.poll() is not None)
        return {name: self._report(name) or self._numbers(name) for name in self._kinds}

    def _report(self, name):
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def _numbers(self, name):
        """What the log of one that writes no report tells."""
        log, found = self._log(name), {}
        for number, text in self._kinds[name].get("numbers", {}).items():
            pattern = re.compile(text)
            seen = pattern.findall(log)
            found[number] = int(seen[-1], 0) if pattern.groups and seen else len(seen)
        return found

    def ask(self, name):
        """What the lab's own reports now."""
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
                "rings": now["ring"] if now["starts"] else [], "buffers": now["data"],
                "ok": now["starts"] > 0}


def commands(scenario, program):
    """The command of each back end, by device."""
    cpus = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    return [(name, [word.format(program=program, name=name, cpus=cpus,
                                queues=scenario["queues"].get(name, 1))
                    for word in kind["command"]] + scenario["backend"])
            for name, kind in kinds_of(scenario).items() if "command" in kind]


def bits(device, features):
    """The names of feature bits, and all of them again as those of the device."""
    words = {name for name, bit in BIT.items() if features >> bit & 1}
    return sorted(words | {f"{device}.{word}" for word in words})
