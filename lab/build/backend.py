# SPDX-License-Identifier: GPL-2.0-only
"""The lab's own vhost-user back end, for this host."""
import hashlib
import subprocess

from ..core.cache import cache, new_entry, ROOT
from ..core.errors import Fail
from ..core.packages import need
from ..core.process import run

SOURCES = ROOT / "lab" / "backend"
COMPILE = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror"]


def build():
    """Return the program."""
    need(["gcc", "libc6-dev"])
    files = sorted(SOURCES.glob("*.[ch]"))
    text = b"".join(f.read_bytes() for f in files) + run("gcc", "--version").encode()
    entry = cache("backend") / hashlib.sha256(text).hexdigest()[:16]
    if not entry.exists():
        with new_entry(entry) as new:
            compile_to(new / "backend")
    return entry / "backend"


def compile_to(path):
    try:
        run(*COMPILE, "-o", path, *sorted(SOURCES.glob("*.c")))
    except subprocess.CalledProcessError as err:
        raise Fail("the back end does not build:\n" + err.stderr.decode()) from err
