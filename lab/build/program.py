# SPDX-License-Identifier: GPL-2.0-only
"""Programs of the lab's own, each made of all C files of a folder."""
import hashlib
import subprocess

from ..core.cache import cache, new_entry, ROOT
from ..core.errors import Fail
from ..core.process import run

COMPILE = "-O2", "-Wall", "-Wextra", "-Werror"


def build(name, compiler, *options):
    """Return the program of lab/NAME, compiled once for what goes into it."""
    files = sorted((ROOT / "lab" / name).glob("*.[ch]"))
    text = b"".join(f.read_bytes() for f in files) + run(compiler, "--version").encode()
    entry = cache(name) / hashlib.sha256(text).hexdigest()[:16]
    if not entry.exists():
        with new_entry(entry) as new:
            compile_to(new / name, name, compiler, *options)
    return entry / name


def compile_to(path, name, compiler, *options):
    try:
        run(compiler, *COMPILE, *options, "-o", path, *sorted((ROOT / "lab" / name).glob("*.c")))
    except subprocess.CalledProcessError as err:
        raise Fail(f"lab/{name}/ does not build:\n" + err.stderr.decode()) from err
