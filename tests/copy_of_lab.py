# SPDX-License-Identifier: GPL-2.0-only
"""A copy of the repository for a test of the command line, and how one is judged."""
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from lab.core.cache import cache, ROOT
from lab.model.check import Check

LIMIT = 300


def processes(mark):
    """The processes whose command line or environment carries @mark, and their names."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            text = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            if mark.encode() in text:
                found[int(path.name)] = (path / "comm").read_text().strip()
        except OSError:  # It has ended.
            continue
    return found


def half_written():
    return sorted(str(p) for p in cache().glob("*/.new-*"))


class Lab:
    """A copy of the repository that a test may spoil, and a way to run its vdma."""

    def __init__(self, folder):
        self.folder, self.repo = folder, folder / "repo"
        shutil.copytree(ROOT, self.repo, ignore=shutil.ignore_patterns(
            ".git", "__pycache__", "linux-*", "outgoing-*", "debian-*"))

    def spoil(self, path, old, new):
        file = self.repo / path
        text = file.read_text()
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new, 1))

    def start(self, *args, under=(), **env):
        # Whoever runs the tests in the background has them ignore Ctrl-C.
        listen = ["env", "--default-signal=INT"]
        return subprocess.Popen([*listen, *under, self.repo / "vdma", *args],
                                cwd=self.folder, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE,
                                env=os.environ | {"VDMA_MARK": str(self.folder)} | env)

    def judge(self, proc, *wanted, status=1, hint=True):
        """Did it end as it should? A check for each part of that."""
        try:
            out, err = proc.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            proc.kill()
            out, err = proc.communicate()
        text = out + err
        yield Check.of(f"exits with {status}", proc.returncode == status, f"{proc.returncode}: {text}")
        for want in wanted:
            yield Check.of(f"says: {want}", re.search(want, text) is not None, text)
        yield Check.of("a hint and no traceback", "Traceback" not in text and \
            ("hint:" in text or not hint), text)
        time.sleep(0.5)
        yield Check.of("no stray process", not processes(str(self.folder)), processes(str(self.folder)))
        yield Check.of("nothing half-written in the cache", not half_written(), half_written())


def case(check):
    """Run one test in a lab of its own."""
    with tempfile.TemporaryDirectory(prefix="vdma-") as folder:
        return list(check(Lab(Path(folder))))
