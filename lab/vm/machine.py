# SPDX-License-Identifier: GPL-2.0-only
"""A running guest, as QEMU shows it: its report port, QMP, memory, screen and keys."""
import re
import select
import socket
import subprocess

from ..core.errors import Fail
from ..core.process import tail
from .patience import Patience, SLICE
from .qmp import Gone, Qmp

# What the guest's report and the monitor are to QEMU.
PORTS = ["-device", "pci-serial,chardev=report,addr=0x4", "-mon", "chardev=qmp,mode=control"]


class Machine:
    """A running guest. Leave the context, and nothing of it is left.

    QEMU runs in @folder and is given the names of files there, so that no name of a folder
    can be one that its options do not take. Its console goes to a file or, with @terminal,
    to where the user is.
    """

    def __init__(self, cmd, folder, limit, terminal=False, ports=None):
        self.folder, self.limit, self.terminal = folder, limit, terminal
        self._ports = ports or PORTS
        self.console = folder / "console.log"
        self.cmd = cmd + (["-serial", "mon:stdio"] if terminal else [
            "-chardev", "file,id=console,path=console.log,append=on",
            "-serial", "chardev:console"])
        self._start()

    def _start(self, *extra):
        self.report, report = socket.socketpair()
        monitor, qmp = socket.socketpair()
        ports = ["-chardev", f"socket,id=report,fd={report.fileno()}",
                 "-chardev", f"socket,id=qmp,fd={qmp.fileno()}", *self._ports]
        with open(self.folder / "qemu.log", "wb") as log, report, qmp:
            # A guest does not outlive us, whatever ends us.
            self.proc = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.cmd, *ports, *extra], cwd=self.folder,
                stdin=None if self.terminal else subprocess.DEVNULL,
                stdout=None if self.terminal else log, stderr=log,
                pass_fds=(report.fileno(), qmp.fileno()), start_new_session=not self.terminal)
        try:
            self._qmp = Qmp(monitor, self.patience)
        except Gone as err:
            raise self._gone() from err
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()

    def patience(self, limit=None):
        return Patience(self.proc.pid, limit or self.limit)

    def _gone(self):
        """Why there is nothing to hear any more."""
        try:
            end = f"has ended with {self.proc.wait(1)}"
        except subprocess.TimeoutExpired:
            end = "does not answer"
        self.__exit__()
        said = [tail(file, count).strip() for file, count in
                ((self.folder / "qemu.log", 1), (self.console, 12)) if file.exists()]
        return Fail(f"QEMU {end}: " + "\n".join(filter(None, said)),
                    "see its command line: './vdma boot --dry-run SCENARIO'")

    @property
    def events(self):
        return self._qmp.events

    def qmp(self, name, **arguments):
        try:
            return self._qmp(name, **arguments)
        except Gone as err:
            raise self._gone() from err

    def wait(self, what, query):
        """Ask until the answer is true; return it."""
        answer = self.patience().until(query)
        if not answer:
            raise Fail(f"QEMU does not tell that {what}")
        return answer

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line})

    def picture(self, device):
        """What is on a GPU's screen, as a PPM."""
        self.qmp("screendump", filename="screen.ppm", device=device)
        return (self.folder / "screen.ppm").read_bytes()

    def press(self, code):
        """Press a key and let it go."""
        key = {"type": "number", "data": code}
        self.qmp("input-send-event", events=[
            {"type": "key", "data": {"down": down, "key": key}} for down in (True, False)])

    def memory(self, address, size):
        """Guest-physical memory, as the host reads it."""
        self.qmp("pmemsave", val=address, size=size, filename="memory.img")
        return (self.folder / "memory.img").read_bytes()

    def hypervisor(self):
        """What pseries' ultravisor, or virt's pKVM, says of the guest, if there is one."""
        machine = {p["name"] for p in self.qmp("qom-list", path="/machine")}
        for name in machine & {"ultravisor", "pkvm"}:
            path = f"/machine/{name}"
            get = {p["name"] for p in self.qmp("qom-list", path=path)}
            return {name: self.qmp("qom-get", path=path, property=name)
                    for name in get & {"secure", "shared", "refused", "tce-hcalls"}}
        return None

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

    def lines(self, total=None):
        """The guest's report, line by line, until it closes the port.

        Raise TimeoutError when it is silent for as long as a guest may be, or does not come to
        its end in @total seconds. Neither counts the time that QEMU waited for a CPU.
        """
        rest, whole = b"", self.patience(total) if total else None
        while True:
            silence = self.patience()
            # After a restart it is another port.
            while not select.select([self.report], [], [], SLICE)[0]:
                if not silence.look() or whole and not whole.look():
                    raise TimeoutError
            try:
                data = self.report.recv(4096)
            except ConnectionResetError:
                data = b""
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace").strip()

    def ended(self):
        """Wait for QEMU to end; return whether it did."""
        return self.patience().until(lambda: self.proc.poll() is not None)

    def go(self):
        self.report.sendall(b"go\n")
