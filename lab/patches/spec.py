# SPDX-License-Identifier: GPL-2.0-only
"""The change to the virtio specification, and its proof."""
import hashlib
import os
import tomllib
from pathlib import Path

from ..core.cache import cache, lock, ROOT
from ..core.errors import Fail
from ..core.git import git, import_own

FOLDER = ROOT / "spec"


class Spec:
    """The base of the specification's series, as series.py takes one."""

    series, overlay = FOLDER / "series", FOLDER / "tree"
    name, siblings = "spec", ["spec"]

    def __init__(self):
        self.data = tomllib.loads((FOLDER / "base.toml").read_text())
        self.own = os.environ.get("SPEC", "")
        self.tree = cache("src") / f"spec-{hashlib.sha256(self.own.encode()).hexdigest()[:8]}"

    def release(self, commit="base"):
        return "virtio " + git(self.tree, "show", f"{commit}:REVISION").partition("-v")[2]

    def fetch(self):
        """Take the user's clone as it stands; return self. Commit 'base' is pristine."""
        if not self.own or not (Path(self.own) / "conformance.tex").exists():
            raise Fail(f"{self.own or 'SPEC'} is not a tree of the specification",
                       f"SPEC=/path/to/virtio-spec, a clone of {self.data['repository']}")
        with lock(f"fetch-{self.tree.name}"):
            import_own(self.own, self.tree)
        return self
