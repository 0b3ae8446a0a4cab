# SPDX-License-Identifier: GPL-2.0-only
"""The change to the virtio specification, and its proof."""
import hashlib
import os
import re
import subprocess
import tomllib
from pathlib import Path

from . import series
from ..flows.review.checks import round_trip, signed
from ..core.git import git, import_own
from ..core.host import Fail, ROOT, cache, lock

FOLDER = ROOT / "spec"
# Where the bit is given its number, as a macro or as an \item.
FOLDERS = "spec/series", "series", "qemu/series"
BIT = re.compile(r"^\+.*\bVIRTIO_F_PLATFORM_DMA[ \t(]+(\d+)", re.M)


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
        with lock(f"src-{self.tree.name}"):
            import_own(self.own, self.tree)
        return self


def parses(hunks):
    """Is this text a patch, and what does git say of it?"""
    result = subprocess.run(["git", "apply", "--numstat", "-"], input=hunks, text=True,
                            capture_output=True, check=False, cwd="/")
    return result.returncode == 0 and bool(result.stdout), result.stdout + result.stderr


def texts(folder):
    return [path.read_text() for path in sorted((ROOT / folder).glob("*/*.diff"))]


def numbers(diffs):
    """What number the diffs give to the feature bit."""
    return {number for diff in diffs for number in BIT.findall(diff)}


def agree(said):
    """One number everywhere; QEMU need not have the bit."""
    return len(set().union(*said.values())) == 1 and bool(said["spec/series"] and said["series"])


def checks():
    """The series by itself and, where SPEC names a tree of the specification, on that tree."""
    base = Spec()
    entries = series.entries(base)
    for entry in entries:
        hunks = entry.diff(base.name).read_text()
        torn, said = parses(hunks.rstrip("\n").rpartition("\n")[0])
        yield f"spec: {entry.name}", [
            ("its hunks parse", *parses(hunks)),
            ("control: not with a line lost", not torn and "corrupt patch" in said, said),
            signed(entry)]
    said = {folder: numbers(texts(folder)) for folder in FOLDERS}
    moved = numbers(BIT.sub(lambda m: m[0][:-1] + "9", text) for text in texts("spec/series"))
    yield "spec: the number of the feature bit", [
        (f"{', '.join(FOLDERS)} agree", agree(said), said),
        ("control: not with another number", not agree(said | {"spec/series": moved}), moved)]
    if not base.own:
        return
    yield "spec: series round trip", list(round_trip(base.fetch()))
    try:
        series.commits(base, entries[0].diff(base.name))
        twice = "it applied"
    except Fail as err:
        twice = str(err)
    yield "spec: where it applies", [
        ("control: not where it is there already", "does not apply" in twice, twice)]
