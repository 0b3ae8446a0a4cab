# SPDX-License-Identifier: GPL-2.0-only
"""What a maintainer asks when a kernel comes out: is there a newer one, and does the series apply?"""
import re
import shutil
import tempfile
from pathlib import Path

from ..core.apt import Apt
from ..core.cache import cache, lock, room
from ..core.errors import Fail
from ..core.git import commit
from . import series
from .base import Base, number, unpack


def release_of(version):
    """The kernel's own name for the version of a Debian package."""
    upstream, _, candidate = version.partition("-")[0].partition("~rc")
    if upstream.count(".") == 1:
        upstream += ".0"
    return upstream + (f"-rc{candidate}" if candidate else "")


def survey(name, take):
    """A row of the table, and whether the series applies to the newest source.

    With @take that source becomes the one in the cache, for the other verbs.
    """
    base = Base(name).fetch()
    home, log = base.tree, cache("log") / f"newest-{name}.log"
    with tempfile.TemporaryDirectory(prefix=".newest-", dir=home.parent) as temp:
        apt = Apt(Path(temp) / "apt", base.sources, log)
        package, version = apt.newest(base.follow)
        release = release_of(version)
        newer = number(release) > number(base.release().partition(" ")[2])
        if newer:
            room(6, "the kernel source")
            base.tree = Path(temp) / "tree"
            base.tree.mkdir()
            unpack(apt, package, base.tree)
            commit(base.tree, f"{package} {version}", log)
        try:
            applies = f"yes, {len(series.commits(base))} commits"
        except Fail as err:
            applies = str(err)
        good = applies.startswith("yes")
        if take and newer:
            if not good or package != base.package:
                raise Fail(f"base {name} cannot take {package} {version}: "
                           + (applies if not good else f"bases/{name}.toml names {base.package}"),
                           "port the series first: README.md, 'Update to a new kernel'")
            with lock(f"src-{home.name}"):
                shutil.rmtree(home)
                base.tree.rename(home)
    low, high = base.tested
    tested = low if low == high else f"{low} to {high}"
    remark = "" if number(release) <= number(high) else " (newer)"
    return (name, package, release + remark, tested, re.sub(r"\s+", " ", applies)), good


def table(wanted, take):
    """Print the table; return whether all apply."""
    rows, good = [("BASE", "PACKAGE", "NEWEST", "TESTED", "APPLIES")], True
    for name in wanted:
        row, applies = survey(name, take)
        rows.append(row)
        good = good and applies
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, wide)).rstrip())
    return good
