# SPDX-License-Identifier: GPL-2.0-only
"""Run a functional test of the companion QEMU: it boots a guest in QEMU's own style."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..core.apt import tool
from ..core.process import run
from ..patches import series, tree
from .qemu import build, complete, wrapped

SOURCES = ["deb SITE trixie main"]
GUEST = "debian-installer-13-netboot-arm64"
FILES = "usr/lib/debian-installer/images/13/arm64/text/debian-installer/arm64"
# The test names its guest by the address and checksum of one release of Debian's installer. It is
# given that of the newest one, as a package, because a mirror of packages has nothing else.
RUN = """
import runpy, sys
from qemu_test import Asset
folder = sys.argv.pop(1)
Asset.available = lambda asset: True
Asset.fetch = lambda asset: folder + "/" + asset.url.rpartition("/")[2]
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
# A test that hangs has no limit of its own.
SECONDS = 900


def functional(path, program, base, without=None, only=()):
    """Run a test: did all of it pass, and what did it say? Leave the option @without out.

    @only are the test's own options, which choose from its functions.
    """
    entry, files, printer = build(base.name), guest(), pycotap()
    with tempfile.TemporaryDirectory(prefix="vdma-") as folder, \
            tree.at(base, series.commits(base)[-1]):
        log, test = Path(folder) / "log", base.tree / path
        found = [base.tree / "python", base.tree / "tests/functional", test.parent, printer]
        try:
            run("timeout", SECONDS, sys.executable, "-c", RUN, files, test, *only, log=log,
                env=os.environ | {
                    "PYTHONPATH": ":".join(map(str, found)), "PYTHONDONTWRITEBYTECODE": "1",
                    "QEMU_BUILD_ROOT": folder,
                    "QEMU_TEST_QEMU_BINARY": wrapped(entry / program, Path(folder), without)})
        except subprocess.CalledProcessError:
            return False, log.read_text()
        return complete(log.read_text()), log.read_text()


def guest():
    """The kernel of Debian's installer, and an initramfs with a shell."""
    def make(apt, new):
        run("dpkg-deb", "-x", apt.binary(GUEST, "146 MB"), new / "all")
        for name in ("linux", "initrd.gz"):
            (new / "all" / FILES / name).rename(new / name)
        shutil.rmtree(new / "all")
    return tool(GUEST, SOURCES, make)


def pycotap():
    """The module that QEMU's functional tests print with; Debian 12 does not have it."""
    entry = tool("python3-pycotap", SOURCES, lambda apt, new: run(
        "dpkg-deb", "-x", apt.binary("python3-pycotap", "5 kB"), new))
    return entry / "usr/lib/python3/dist-packages"
