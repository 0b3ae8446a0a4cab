# SPDX-License-Identifier: GPL-2.0-only
"""A tiny base with a series of three commits, made in a folder of the test's own."""
import functools
import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab.core import environment
from lab.core.git import commit, git
from lab.patches import refresh, series

SOURCE = "kernel/source.c"
ADDED = "kernel/added.c"
DATE = "@1000000000 +0000"


def lines(first, last):
    return "".join(f"\tline {n};\n" for n in range(first, last + 1))


def hunk(at, old, new, moved=0):
    """A hunk that changes line @at of the source, where that lies @moved lines further down."""
    start = at - 3 + moved
    return (f"@@ -{start},7 +{start},7 @@\n"
            + "".join(f" \tline {n};\n" for n in range(at - 3, at))
            + f"-{old}\n+{new}\n"
            + "".join(f" \tline {n};\n" for n in range(at + 1, at + 4)))


def diff(*hunks, path=SOURCE):
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n" + "".join(hunks)


AMENDED = diff("@@ -1,2 +1,2 @@\n int added;\n-int common;\n+int special;\n", path=ADDED)
SERIES = {
    "01-first-one": {
        "message": "kernel: First one\n\nIt adds a file.\n", "adds": f"{ADDED}\n",
        "common.diff": diff(hunk(10, "\tline 10;", "\tfirst;")),
        "two.diff": diff(hunk(10, "\tline 10;", "\tfirst;", 5)) + AMENDED},
    "02-second-one": {
        "message": "kernel: Second one\n",
        "common.diff": diff(hunk(20, "\tline 20;", "\tsecond;"),
                            hunk(30, "\tline 30;", "\tthird;"))},
    "03-not-on-old": {
        "message": "kernel: Not on old\n", "old.none": "old has no line 40\n",
        "common.diff": diff(hunk(40, "\tline 40;", "\tfourth;"))},
}


class MadeBase:
    """What series.py and refresh.py ask of a base."""

    siblings, own = ["next", "old", "one", "two"], None

    def __init__(self, folder, name):
        self.name, self.series, self.overlay = name, folder / "series", folder
        self.tree = tree(name)

    def release(self):
        return "Linux 6.12.0"

    def fetch(self):
        return self


@functools.cache
def shared():
    """A folder for what is made once and not changed."""
    folder = tempfile.TemporaryDirectory(prefix="vdma-")
    unittest.addModuleCleanup(forget, folder)
    return Path(folder.name)


def forget(folder):
    """The tests of a module are over: the next ones make what they need again."""
    folder.cleanup()
    for made in (shared, tree):
        made.cache_clear()
    series.MADE.clear()


@functools.cache
def tree(name):
    """The repository of a base."""
    folder = shared() / name
    (folder / "kernel").mkdir(parents=True)
    # On one base the source has five lines more, at its top.
    top = "\t/* top */\n" * 5 if name == "two" else ""
    (folder / SOURCE).write_text(top + lines(1, 60))
    commit(folder, name, shared() / f"{name}.log")
    return folder


class Made(unittest.TestCase):
    """A series in a folder that goes with the test; git knows nothing of this machine."""

    def setUp(self):
        self.enterContext(mock.patch.dict(os.environ))
        umask = os.umask(0o022)
        self.addCleanup(os.umask, umask)
        environment.clean()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        os.environ["VDMA_CACHE"] = str(self.folder / "cache")
        # Else each repository has a dozen examples of hooks, and so has each copy of it.
        os.environ["GIT_TEMPLATE_DIR"] = ""
        # What the lab tells the user is not what is looked at here.
        for module, name in ((series, "say"), (refresh, "say"), ("lab.core.process", "say")):
            self.enterContext(mock.patch(f"{getattr(module, '__name__', module)}.{name}"))
        self.enterContext(mock.patch.object(refresh, "ROOT", self.folder))
        self.made = True
        # Were the series of each test as old as its files, all commits would be made anew.
        self.enterContext(mock.patch.object(series, "date", return_value=DATE))
        self.put(SERIES)
        (self.folder / "series" / "cover").write_text("The cover\n")
        (self.folder / "kernel").mkdir()
        (self.folder / ADDED).write_text("int added;\nint common;\n")

    def write(self, entries):
        """Change the series: what was made of it before does not hold in this test."""
        self.enterContext(mock.patch.dict(series.MADE, clear=True))
        self.made = False
        self.put(entries)

    def put(self, entries):
        """Write entries of the series: by name, their files."""
        for name, files in entries.items():
            for file, text in files.items():
                path = self.folder / "series" / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    def put_set(self, name, text):
        path = self.folder / "series" / "sets" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def base(self, name="one"):
        return MadeBase(self.folder, name)

    def checkout(self, base):
        """A checkout of the test's own. Of the series as it is, it is made once, and copied."""
        folder, once = self.folder / f"linux-{base.name}", shared() / f"linux-{base.name}"
        if not self.made:
            series.checkout(base, folder)
            return folder
        if not once.exists():
            series.checkout(base, once)
        shutil.copytree(once, folder)
        return folder

    def now(self):
        """All files of the series and its overlay, with what they hold."""
        found = [*(self.folder / "series").rglob("*"), *(self.folder / "kernel").rglob("*")]
        return {str(path.relative_to(self.folder)): path.read_text()
                for path in found if path.is_file()}


def change(tree, path, old, new, subject=None):
    """Change a file of a checkout and commit that: to the last commit, or as one of its own."""
    file = tree / path
    text = file.read_text() if file.exists() else ""
    assert old in text, f"{path} has no {old!r}"
    file.write_text(text.replace(old, new, 1) if old else new)
    git(tree, "add", "-A")
    words = ["-m", subject] if subject else ["--amend", "--no-edit"]
    git(tree, "commit", "-q", *words)
