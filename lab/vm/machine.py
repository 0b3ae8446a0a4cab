# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU machine, seen from outside: its command line, its report port, QMP."""
import json
import re
import select
import socket
import subprocess
import time

from ..core.errors import Fail
from ..core.process import tail


class Machine:
    """A running guest. Leave the context, and nothing of it is left.

    Its console goes to a file or, with @terminal, to where the user is.
    """

    def __init__(self, cmd, folder, limit, terminal=False):
        self.folder, self.limit, self.terminal = folder, limit, terminal
        self.console = folder / "console.log"
        console = ["-serial", "mon:stdio"] if terminal else [
            "-chardev", f"file,id=console,path={self.console},append=on",
            "-serial", "chardev:console"]
        self.cmd = cmd + console + [
            "-chardev", f"socket,id=report,path={folder}/report",
            "-device", "pci-serial,chardev=report,addr=0x4", "-qmp", f"unix:{folder}/qmp"]
        self._start()

    def _start(self, *extra):
        # QEMU connects to us, for both ports: it has, or it has failed.
        ports = [self._listen(name) for name in ("report", "qmp")]
        with open(self.folder / "qemu.log", "wb") as log:
            # A guest does not outlive us, whatever ends us.
            self.proc = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.cmd, *extra],
                stdin=None if self.terminal else subprocess.DEVNULL,
                stdout=None if self.terminal else log, stderr=log,
                start_new_session=not self.terminal)
        try:
            self.report, self._qmp = (self._accept(port) for port in ports)
            self._qmp.settimeout(20)
            # To read only: a text file that is written to forgets what it has read ahead.
            self._answers, self.events = self._qmp.makefile(encoding="utf-8"), []
            self._answer()
            self.qmp("qmp_capabilities")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()

    def _listen(self, name):
        (self.folder / name).unlink(missing_ok=True)
        port = socket.socket(socket.AF_UNIX)
        port.bind(str(self.folder / name))
        port.listen(1)
        port.settimeout(0.2)
        return port

    def _accept(self, port):
        with port:
            end = time.monotonic() + 20
            while time.monotonic() < end and self.proc.poll() is None:
                try:
                    return port.accept()[0]
                except TimeoutError:
                    pass
        raise self._gone()

    def _gone(self):
        """Why there is nothing to hear any more."""
        try:
            end = f"has ended with {self.proc.wait(1)}"
        except subprocess.TimeoutExpired:
            end = "does not answer"
        said = [tail(file, count).strip() for file, count in
                ((self.folder / "qemu.log", 1), (self.console, 12)) if file.exists()]
        return Fail(f"QEMU {end}: " + "\n".join(filter(None, said)),
                    "see its command line: './vdma boot --dry-run SCENARIO'")

    def _answer(self):
        """The next answer; keep the events before it."""
        while True:
            try:
                answer = json.loads(self._answers.readline())
            except (OSError, ValueError) as err:
                raise self._gone() from err
            if "event" not in answer:
                return answer
            self.events.append(answer)

    def qmp(self, name, **arguments):
        request = {"execute": name} | ({"arguments": arguments} if arguments else {})
        try:
            self._qmp.sendall(json.dumps(request).encode() + b"\n")
        except OSError as err:
            raise self._gone() from err
        answer = self._answer()
        if "error" in answer:
            raise Fail(f"QMP {name}: {answer['error']['desc']}")
        return answer["return"]

    def wait(self, what, query, *arguments):
        """Ask until the answer is true; return it."""
        end = time.monotonic() + self.limit
        while time.monotonic() < end:
            if answer := query(*arguments):
                return answer
            time.sleep(0.02)
        raise Fail(f"QEMU does not tell that {what}")

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line})

    def picture(self, device):
        """What is on a GPU's screen, as a PPM."""
        path = self.folder / "screen.ppm"
        self.qmp("screendump", filename=str(path), device=device)
        return path.read_bytes()

    def press(self, code):
        """Press a key and let it go."""
        key = {"type": "number", "data": code}
        self.qmp("input-send-event", events=[
            {"type": "key", "data": {"down": down, "key": key}} for down in (True, False)])

    def memory(self, address, size):
        """Guest-physical memory, as the host reads it."""
        path = self.folder / "memory.img"
        self.qmp("pmemsave", val=address, size=size, filename=str(path))
        return path.read_bytes()

    def ultravisor(self):
        """What pseries' ultravisor, if there is one, says of the guest."""
        path = "/machine/ultravisor"
        try:
            get = {p["name"] for p in self.qmp("qom-list", path=path)}
        except Fail:
            return None
        return {name: self.qmp("qom-get", path=path, property=name)
                for name in get & {"secure", "shared", "refused", "tce-hcalls"}}

    def ram(self):
        """The guest-physical ranges that are RAM."""
        # Not where a bus sees it: take the address space of the CPUs.
        view = next(v for v in self.hmp("info mtree -f").split("FlatView #") if 'AS "memory",' in v)
        found = set(re.findall(r"^\s+([0-9a-f]{16})-([0-9a-f]{16}) \(prio \d+, ram\): (\S+)",
                               view, re.M))
        return sorted((int(a, 16), int(b, 16)) for a, b, name in found if name.endswith(".ram"))

    def restart(self, state):
        """Kill QEMU; start another one from a saved state, without the guest running yet."""
        self.proc.kill()
        self.proc.wait()
        self._start("-S", "-incoming", f"exec:cat {state}")
        self.wait("the guest is there",
                  lambda: self.qmp("query-status")["status"] != "inmigrate")

    def lines(self):
        """The guest's report, line by line, until it closes the port or goes silent."""
        rest = b""
        # After a restart it is another port.
        while select.select([self.report], [], [], self.limit)[0]:
            data = self.report.recv(4096)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace").strip()
        raise TimeoutError

    def go(self):
        self.report.sendall(b"go\n")
