# SPDX-License-Identifier: GPL-2.0-only
"""The mails as a maintainer takes them."""
import re
import subprocess
from pathlib import Path

from ...core.cache import scratch
from ...core.git import FAST, git, identity, WHO
from ...core.packages import need
from ...core.process import run
from ...model.check import Check
from ...patches import series
from ...patches.mbox import tag, write


def tests(base, only=None):
    """The mails as a maintainer takes them: complete to b4, and git am makes our tree of them.

    They are those of the series, or of a set.
    """
    need(["b4"])
    with scratch() as temp:
        names = write(base, temp / "out", only=only)
        mails = [Path(name).read_text() for name in names]
        patches = [name for name in names if not Path(name).name.startswith("0000-")]
        yield Check.of("each mail has a list to go to", all(
            re.search(r"^(To|Cc):(.*\n )*.*@(vger|lists)\.", m, re.M)
            for m in mails), mails[0][:800])
        good, said = b4(temp / "b4", mails)
        yield Check.of(f"b4 finds all {len(patches)} patches", good, said)
        if len(patches) > 1:
            good, said = b4(temp / "b4-control", mails[:-2] + mails[-1:])
            yield Check.of("control: b4 misses one that is lost", not good and "missing" in said,
                           said)
        commits = series.commits(base, only=only)
        tree = temp / "tree"
        run("git", "clone", "-q", "--shared", "--no-checkout", base.tree, tree)
        # Only the files that the mails touch: a tree has eighty thousand.
        git(tree, "sparse-checkout", "set", "--no-cone",
            *{f"/{path}" for entry in series.entries(base, only)
              for path in entry.paths(base.name)})
        git(tree, "checkout", "-q", "--detach", f"{commits[-len(patches)]}^")
        git(tree, "am", "-q", *patches, env=identity("@0 +0000"))
        same = git(tree, "diff", "--stat", commits[-1])
        yield Check.of(f"git am makes the tree of the {'set' if only else 'series'}", not same, same)
        other = git(tree, "diff", "--stat", "HEAD~1", commits[-1])
        yield Check.of("control: not without the last mail", bool(other), other)
        known = re.escape(tag(base.release()))
        yield Check.of("the first mail says what it is based on", bool(re.search(
            rf"^(base: {known}|base-commit: [0-9a-f]{{40}})$", mails[0], re.M)), mails[0][-800:])
        tags = [tag(f"Linux {release}") for release in ("7.3.0-rc7", "7.3.0", "6.12.117")]
        yield Check.of("as upstream calls it", tags == ["v7.3-rc7", "v7.3", "v6.12.117"], tags)


def b4(folder, mails):
    """Have b4 collect the series from a mailbox: is it whole, and what did b4 say?"""
    folder.mkdir()
    box = folder / "box"
    # Debian 12's b4 fails on a subject of two lines.
    box.write_text("".join(re.sub(r"^(Subject: .*)\n (.*)$", r"\1 \2", mail, count=1, flags=re.M)
                           for mail in mails))
    ident = re.search(r"^Message-I[dD]: <(.*)>$", mails[0], re.M)[1]
    run("git", *FAST, "init", "-q", folder)
    # It says nothing and fails where git knows no user.
    for key, value in WHO.items():
        git(folder, "config", f"user.{key.lower()}", value)
    result = subprocess.run(["b4", "--offline-mode", "am", "-m", box, "-o", folder, ident],
                            cwd=folder, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    return (result.returncode == 0 and "ERROR" not in result.stdout
            and "WARNING" not in result.stdout, result.stdout)
