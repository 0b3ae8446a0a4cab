# SPDX-License-Identifier: GPL-2.0-only
"""What is behind the devices of a distribution: its disks, and a repository of a package."""
import functools
import http.server
import os
import subprocess
import threading

from ..core.packages import need
from ..core.process import run
from ..model.distribution import lines
from ..model.record import digest
from .media import images

DATA, BLOCK = 512 << 20, 4096
# How the host checks each disk without writing to it.
CHECKS = {"blk": ["e2fsck", "-fn", "disk.img"], "data": ["xfs_repair", "-n", "-f", "data.img"]}
# Where Debian has them, users do not look.
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


def write_media(folder, image):
    """Put the disks into the folder of a boot: the distribution's, and an empty one."""
    need(["e2fsprogs", "xfsprogs"])
    run("cp", "--sparse=always", image / "disk.img", folder)
    with open(folder / "data.img", "wb") as file:
        file.truncate(DATA)
    (folder / "entropy.img").symlink_to(images() / "entropy.img")


def read_media(folder, record):
    """Check both disks after the guest has let go of them, and look for what it wrote."""
    counts = [int(step[5:]) for step in record.scenario["steps"] if step.startswith("fill:")]
    wanted = lines(record.seed, sum(counts))
    for name, command in CHECKS.items():
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                                check=False, env=os.environ | {"PATH": PATH})
        record.written[name] = {"status": result.returncode, "said": result.stdout[-1000:]
                                + result.stderr[-1000:], "missing": missing(folder / command[-1], wanted)}


def missing(path, wanted):
    """How many blocks of a file are nowhere on a disk; the last one is filled with zeroes."""
    left = {wanted[at:at + BLOCK].ljust(BLOCK, b"\0") for at in range(0, len(wanted), BLOCK)}
    with open(path, "rb") as file:
        left.difference_update(iter(functools.partial(file.read, BLOCK), b""))
    return len(left)


class Peer:
    """The host's end of the network: it serves the repository, and notes what is asked for."""

    def __init__(self, image):
        self._asked = asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            """Serve the folder of the repository."""

            def log_request(self, code="-", size="-"):
                asked.append([self.path, int(code)])

            def log_message(self, *_):
                pass

        self._folder = image / "repository"
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(
            Handler, directory=self._folder))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def note(self, record):
        """Note what was asked for, and what the package has."""
        deb = next(self._folder.glob("*.deb"))
        name = deb.name.partition("_")[0]
        program = subprocess.run(f"dpkg-deb --fsys-tarfile {deb.name} | tar -xO ./usr/bin/{name}",
                                 shell=True, cwd=self._folder, capture_output=True, check=True)
        record.written["net"] = {"package": deb.name, "sha256": digest(program.stdout),
                                 "asked": self._asked}

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
