# SPDX-License-Identifier: GPL-2.0-only
"""The change to the specification: its hunks, and one number for the bit everywhere."""
import os
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

from ...core.cache import ROOT
from ...core.errors import Fail
from ...core.git import git
from ...core.packages import need
from ...core.process import run
from ...model.check import Check
from ...patches import series
from ...patches.spec import Spec
from .checks import round_trip, signed

# Where the bit is given its number, as a macro or as an \item.
FOLDERS = "spec/series", "series", "qemu/series"

LATEX = ["texlive-xetex", "texlive-latex-extra", "texlive-fonts-recommended", "lmodern",
         "fonts-liberation"]
# What LaTeX says of a reference to nowhere, and of one place that has two names.
WARNED = re.compile(r"^LaTeX Warning: (?:Hyper reference|Reference|Label) `(.*?)'.*"
                    r"(?:undefined|multiply)", re.M)

BIT = re.compile(r"^\+.*\bVIRTIO_F_PLATFORM_DMA[ \t(]+(\d+)", re.M)


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


def document(base, commit, edit=None):
    """Make the document of a commit; return what LaTeX says of it, or of its error.

    @edit is a pair of texts: the first that there is becomes the second.
    """
    with tempfile.TemporaryDirectory(prefix="vdma-") as temp:
        folder, packed = Path(temp) / "tree", Path(temp) / "tree.tar"
        git(base.tree, "archive", "-o", packed, commit)
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")
        if edit:
            path = folder / "content.tex"
            path.write_text(path.read_text().replace(*edit, 1))
        name = (folder / "REVISION").read_text().strip()
        try:
            run("sh", "./make-setup-generated.sh", name, cwd=folder)
            # References are there the second time.
            for _ in range(2):
                run("xelatex", "-interaction=nonstopmode", "-halt-on-error", "-jobname", name,
                    "virtio.tex", cwd=folder, env=os.environ | {"max_print_line": "1000"})
        except subprocess.CalledProcessError as err:
            return None, (err.output or err.stderr).decode(errors="replace")[-2000:]
        return set(WARNED.findall((folder / f"{name}.log").read_text(errors="replace"))), ""


def built(base):
    """The document is made of the tree with the series, and refers to nothing that is not there."""
    need(LATEX)
    before, said = document(base, "base")
    after, more = document(base, series.commits(base)[-1])
    broken, _ = document(base, "base", (r"\ref{", r"\ref{nowhere:"))
    yield Check.of("LaTeX makes the document, with no reference to nowhere that is not there without"
                   " the series", None not in (before, after) and after <= before,
                   f"{said}{more}{sorted((after or set()) - (before or set()))}")
    yield Check.of("control: a reference to nowhere is noticed", bool(broken) and bool(broken - before),
                   broken)


def checks():
    """The series by itself and, where SPEC names a tree of the specification, on that tree."""
    base = Spec()
    entries = series.entries(base)
    for entry in entries:
        hunks = entry.diff(base.name).read_text()
        torn, said = parses(hunks.rstrip("\n").rpartition("\n")[0])
        yield f"spec: {entry.name}", [
            Check.of("its hunks parse", *parses(hunks)),
            Check.of("control: not with a line lost", not torn and "corrupt patch" in said, said),
            signed(entry)]
    said = {folder: numbers(texts(folder)) for folder in FOLDERS}
    moved = numbers(BIT.sub(lambda m: m[0][:-1] + "9", text) for text in texts("spec/series"))
    yield "spec: the number of the feature bit", [
        Check.of(f"{', '.join(FOLDERS)} agree", agree(said), said),
        Check.of("control: not with another number", not agree(said | {"spec/series": moved}), moved)]
    if not base.own:
        return
    yield "spec: series round trip", list(round_trip(base.fetch(), base.name))
    yield "spec: the document", list(built(base))
    try:
        series.commits(base, entries[0].diff(base.name))
        twice = "it applied"
    except Fail as err:
        twice = str(err)
    yield "spec: where it applies", [
        Check.of("control: not where it is there already", "does not apply" in twice, twice)]
