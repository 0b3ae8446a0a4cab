# SPDX-License-Identifier: GPL-2.0-only
"""The cache, which lies outside the checkout."""
import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from pathlib import Path

from .errors import Fail
from .process import say

ROOT = Path(__file__).resolve().parents[2]


HINT = "set VDMA_CACHE to a folder that can be written"


def top():
    """The folder of the cache, as the user names it or where caches go."""
    named, shared = os.environ.get("VDMA_CACHE"), os.environ.get("XDG_CACHE_HOME")
    try:
        path = Path(named or Path(shared or Path.home() / ".cache") / "vdma").absolute()
    except (RuntimeError, OSError) as err:
        raise Fail("there is no home folder to keep the cache in", HINT) from err
    # make, the shell and the kernel's own tools take a name apart at anything else.
    if odd := re.search(r"[^\w./,+@%=~-]", str(path)):
        raise Fail(f"the kernel cannot be built in a folder with {odd[0]!a} in its name:"
                   f" {ascii(str(path))}", "set VDMA_CACHE to a folder with a plain name")
    return path


def cache(*parts):
    """A folder of the cache, which lives outside the checkout."""
    path = top().joinpath(*parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise Fail(f"cannot use the cache folder {path}: {err.strerror}", HINT) from err
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise Fail(f"cannot use the cache folder {path}: it is not ours to write to", HINT)
    return path


def room(gib, what):
    """Refuse to start what the disk cannot hold."""
    free = shutil.disk_usage(cache()).free / 2**30
    if free < gib:
        raise Fail(f"{what} needs {gib} GiB of disk, {free:.1f} GiB are free in {cache()}",
                   "free some space, run './vdma clean', or set VDMA_CACHE to another disk")


@contextlib.contextmanager
def lock(name, shared=False):
    """Keep two runs from changing one folder at the same time; those that share may read it."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with open(cache("lock") / name, "a", encoding="ascii") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another vdma that uses {name}")
            fcntl.flock(file, kind)
        yield


@contextlib.contextmanager
def new_entry(path):
    """Fill a cache entry aside and move it into place whole, or not at all."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as temp:
        entry = Path(temp) / path.name
        entry.mkdir()
        yield entry
        if path.exists():
            shutil.rmtree(path)
        entry.rename(path)


@contextlib.contextmanager
def scratch():
    """A folder for what does not outlive us, beside the cache: /tmp may be a part of memory.

    What others have left, for they were killed, goes when the next one comes.
    """
    home = cache("run")
    for path in home.glob("*.lock"):
        with contextlib.suppress(OSError), open(path, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            path.unlink()
    number, mark = claim(home)
    folder = mark.with_suffix("")
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        mark.unlink(missing_ok=True)
        os.close(number)


def claim(home):
    """A new name, with its lock file, which is ours as long as that is open."""
    while True:
        number, name = tempfile.mkstemp(".lock", "vdma-", home)
        fcntl.flock(number, fcntl.LOCK_EX)
        # Who cleans up may have taken it for one that was left, just before.
        if os.fstat(number).st_nlink:
            return number, Path(name)
        os.close(number)
