# SPDX-License-Identifier: GPL-2.0-only
"""The companion QEMU as a target of its series."""
import hashlib
import os
import shutil
import tomllib
from pathlib import Path

from ..core.apt import Apt
from ..core.cache import cache, lock, new_entry, room, ROOT
from ..core.errors import Fail
from ..core.git import commit, git, import_own
from ..core.process import say
from ..model.scenario import COMPANION
from .base import number

FOLDER = ROOT / "qemu"


def companions():
    return list(read()["bases"])


def read():
    return tomllib.loads((FOLDER / "base.toml").read_text())


class Qemu:
    """A base of the companion series, as series.py takes one."""

    series, overlay = FOLDER / "series", FOLDER / "tree"

    def __init__(self, name=COMPANION):
        if name not in companions():
            raise Fail(f"unknown QEMU base '{name}'", f"the bases are: {', '.join(companions())}")
        self.name, self.siblings = name, companions()
        data = read()
        self.data = data | data["bases"][name]
        self.own = os.environ.get("QEMU")
        slot = name
        if self.own:
            slot += "-" + hashlib.sha256(self.own.encode()).hexdigest()[:8]
        self.tree = cache("src") / slot

    def release(self, commit="base"):
        return "QEMU " + git(self.tree, "show", f"{commit}:VERSION")

    def fetch(self):
        """Bring the source, unless it is here; return self. Commit 'base' is pristine."""
        if (self.tree / ".git").exists() and not self.own:
            return self
        with lock(f"fetch-{self.tree.name}"):
            if self.own:
                check_version(Path(self.own), self.data["version"])
                import_own(self.own, self.tree)
            elif not (self.tree / ".git").exists():
                self._import_package()
        return self

    def _import_package(self):
        room(3, "QEMU's source")
        log = cache("log") / f"fetch-{self.name}.log"
        with new_entry(self.tree) as entry:
            apt = Apt(entry / ".apt", self.data["sources"], log)
            for path in apt.source(self.data["package"], "40 MB").iterdir():
                path.rename(entry / path.name)
            shutil.rmtree(apt.folder)
            shutil.rmtree(entry / ".pc", ignore_errors=True)
            check_version(entry, self.data["version"])
            commit(entry, "QEMU", log)


def check_version(tree, tested):
    try:
        version = (tree / "VERSION").read_text().strip()
    except OSError as err:
        raise Fail(f"{tree} is not a QEMU tree", "QEMU=/path/to/qemu") from err
    if number(version)[:2] != number(tested)[:2]:
        raise Fail(f"{tree} is QEMU {version}: the companion series needs {tested} here",
                   "see the bases in qemu/base.toml")
    if number(version) != number(tested):
        say(f"note: QEMU {version} is not {tested}, which is tested: trying")
