# SPDX-License-Identifier: GPL-2.0-only
"""The parts of a whole run: which of them a slice has, and when each was last green."""
import datetime
import re

from ..core.cache import ROOT
from ..core.errors import Fail
from ..core.git import git
from ..model import scenario
from ..patches.base import names
from ..patches.qemu import companions
from .since import PARTS

PAGE = ROOT / "docs" / "last-green.md"
HEAD = """# When each part was last green

`./vdma test --all` wrote this. It is too long for one sitting: `./vdma test --all --slice 2/8` runs the second of
eight slices. A part is green when all its tests passed in one run, at the commit that is named.

| part | last green | commit |
| --- | --- | --- |
"""


def of_boot(base, one):
    """The part that a boot belongs to: those on one machine and configuration build together."""
    return f"{base}: boots, {'+'.join([one['arch'], *one['config']])}"


def every():
    """All parts of a whole run, in the order of the run."""
    found = ["unit"]
    for base in names():
        found.append(f"{base}: checks")
        found += dict.fromkeys(of_boot(base, one) for one in scenario.load(base).values())
        found += [f"{base}: {what}" for what in ("other configurations", "drop-in", "sets")]
    return found + [part for part in PARTS if part != "unit"] + [
        f"companion: {name}" for name in companions()[1:]]


def slice_of(text):
    """The parts of slice N/M: every M-th one, so that each slice has some of all kinds."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 0 < int(match[1]) <= int(match[2]):
        raise Fail(f"'{text}' is no slice", "--slice 2/8 is the second of eight")
    return set(every()[int(match[1]) - 1::int(match[2])])


def read():
    text = PAGE.read_text() if PAGE.exists() else ""
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+ \| [^|]+) \|$", text, re.M))


def note(outcomes):
    """Write down the parts that were green in this run: {part: whether all of it passed}."""
    commit = git(ROOT, "log", "-1", "--format=%h")
    if git(ROOT, "status", "--porcelain", "-uno"):
        commit += ", changed"
    green = f"{datetime.date.today()} | {commit}"
    rows = read() | {part: green for part, passed in outcomes.items() if passed}
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(HEAD + "".join(f"| {part} | {rows.get(part, 'never | -')} |\n"
                                   for part in every()))
