# SPDX-License-Identifier: GPL-2.0-only
"""The change to the specification: its hunks, and one number for the bit everywhere."""
import re
import subprocess

from ...core.cache import ROOT
from ...core.errors import Fail
from ...model.check import Check
from ...patches import series
from ...patches.spec import Spec
from .checks import round_trip, signed

# Where the bit is given its number, as a macro or as an \item.
FOLDERS = "spec/series", "series", "qemu/series"

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
    try:
        series.commits(base, entries[0].diff(base.name))
        twice = "it applied"
    except Fail as err:
        twice = str(err)
    yield "spec: where it applies", [
        Check.of("control: not where it is there already", "does not apply" in twice, twice)]
