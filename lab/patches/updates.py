# SPDX-License-Identifier: GPL-2.0-only
"""What a maintainer asks when a kernel comes out: is there a newer one, and does the series apply?"""
import copy
import re
import shutil
import tempfile
from pathlib import Path

from ..core.apt import Apt
from ..core.cache import cache, lock, room
from ..core.errors import Fail
from ..core.git import commit
from ..core.process import say
from . import series
from .base import Base, number, release_of, unpack


def survey(name, take):
    """The rows of a base, each with whether the series applies to that source.

    One is of the newest source of the base's package, another of the newest of
    all that it follows: the candidate of a next release leaves this one in
    sight. With @take the first becomes the one in the cache, for the other verbs.
    """
    base = Base(name).fetch()
    with tempfile.TemporaryDirectory(prefix=".newest-", dir=base.tree.parent) as temp:
        apt = Apt(Path(temp) / "apt", base.sources, cache("log") / f"newest-{name}.log")
        for package in dict.fromkeys((base.package, apt.newest(base.follow))):
            if versions := apt.versions(package):
                yield look(base, apt, package, versions[0], take)


def look(base, apt, package, version, take):
    """The row of one source, and whether the series applies to it."""
    home, base = base.tree, copy.copy(base)
    release = release_of(version)
    newer = number(release) > number(base.release().partition(" ")[2])
    if newer:
        room(6, "the kernel source")
        base.tree = apt.folder.with_name(package)
        base.tree.mkdir()
        unpack(apt, package, [version], base.tree)
        commit(base.tree, f"{package} {version}", apt.log)
    try:
        applies = f"yes, {len(series.commits(base))} commits"
    except Fail as err:
        applies = str(err)
    good = applies.startswith("yes")
    if take and newer and package != base.package:
        say(f"note: {package} is not taken, for bases/{base.name}.toml names {base.package}")
    elif take and newer:
        if not good:
            raise Fail(f"base {base.name} cannot take {package} {version}: {applies}",
                       "port the series first: docs/updating.md")
        with lock(f"src-{home.name}"), lock(f"fetch-{home.name}"):
            shutil.rmtree(home)
            base.tree.rename(home)
    low, high = base.tested
    tested = low if low == high else f"{low} to {high}"
    remark = "" if number(release) <= number(high) else " (newer)"
    return (base.name, package, release + remark, tested, re.sub(r"\s+", " ", applies)), good


def table(wanted, take):
    """Print the table; return whether all apply."""
    rows, good = [("BASE", "PACKAGE", "NEWEST", "TESTED", "APPLIES")], True
    for name in wanted:
        for row, applies in survey(name, take):
            rows.append(row)
            good = good and applies
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, wide)).rstrip())
    return good
