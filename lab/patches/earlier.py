# SPDX-License-Identifier: GPL-2.0-only
"""A series as it was at an earlier revision of this repository, as commits on the same base."""
import copy
import shlex
import subprocess

from ..core.cache import ROOT, scratch
from ..core.errors import Fail
from ..core.git import git
from ..core.process import run
from . import series


def commits(base, rev, only=None):
    """The range of commits that were the series, or a set's own, at a revision."""
    try:
        git(ROOT, "rev-parse", "--verify", "-q", f"{rev}^{{commit}}")
    except subprocess.CalledProcessError as err:
        raise Fail(f"'{rev}' is no revision of this repository",
                   "name the commit that the last version was sent from") from err
    with scratch() as folder:
        run("sh", "-c", f"git -C {shlex.quote(str(ROOT))} archive {shlex.quote(rev)}"
            f" | tar -x -C {shlex.quote(str(folder))}")
        then = copy.copy(base)
        then.series, then.overlay = (folder / path.relative_to(ROOT)
                                     for path in (base.series, base.overlay))
        try:
            last = series.commits(then, only=only)[-1]
            count = len(series.members(then, only) if only else series.entries(then))
        except Fail as err:
            raise Fail(f"as of {rev}: {err}", "'--since' takes a revision that has the set, and"
                       " that applies to the source that is here") from err
    return f"{last}~{count}..{last}"
