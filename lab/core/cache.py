# SPDX-License-Identifier: GPL-2.0-only
"""The cache, which lies outside the checkout."""
import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from .errors import Fail
from .process import say

ROOT = Path(__file__).resolve().parents[2]


def cache(*parts):
    """A folder of the cache, which lives outside the checkout."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(os.environ.get("VDMA_CACHE") or Path(home) / "vdma", *parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise Fail(f"cannot use the cache folder {path}: {err.strerror}",
                   "set VDMA_CACHE to a folder that can be written") from err
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
