# SPDX-License-Identifier: GPL-2.0-only
"""What of a series applies to a tree that nobody has tried it on: entry by entry, hunk by hunk."""
import os
import re
import subprocess

from ..core.errors import Fail
from ..core.git import git
from . import series


def hunks(diff):
    """Each hunk of a diff: its file, its number there, its header, and a diff of it alone."""
    for part in re.split(r"^(?=diff --git )", diff, flags=re.M)[1:]:
        head, *rest = re.split(r"^(?=@@ )", part, flags=re.M)
        path = re.search(r"^diff --git a/.* b/(.*)$", head, re.M)[1]
        for number, hunk in enumerate(rest, 1):
            yield path, number, re.match("@@.*?@@", hunk)[0], head + hunk


def trial(base):
    """Each entry of a series, with those of its hunks that do not apply.

    The others are applied, for what comes later to find them.
    """
    index = base.tree / ".git" / f"vdma-trial-{os.getpid()}"
    env = {"GIT_INDEX_FILE": str(index)}
    try:
        git(base.tree, "read-tree", "base", env=env)
        for entry in series.entries(base):
            series.add_files(base, entry, env)
            yield entry, [left for diff in (entry.overlay, entry.diff(base.name)) if diff
                          for left in stage(base, diff, env)]
    finally:
        index.unlink(missing_ok=True)


def stage(base, diff, env):
    """Apply a diff, or what applies of it, and name the rest."""
    try:
        series.stage(base.tree, diff, env, diff.parent.name)
    except Fail:
        for path, number, header, alone in hunks(diff.read_text()):
            try:
                git(base.tree, "apply", "--cached", "--whitespace=nowarn", "-", env=env, text=alone)
            except subprocess.CalledProcessError:
                yield f"{path}, hunk {number} ({header})"


def report(base):
    """Print what does not apply; return whether all does."""
    failed = {entry.name: left for entry, left in trial(base.fetch()) if left}
    every = len(series.entries(base))
    print(f"{base.release()}, by the hunks of base {base.name}: {every - len(failed)} of {every}"
          " commits apply")
    for name, left in failed.items():
        print("".join(f"  {name}: {hunk}\n" for hunk in left), end="")
    return not failed
