# SPDX-License-Identifier: GPL-2.0-only
"""What a maintainer's bot says of what is about to be posted, commit by commit."""
import contextlib
import copy
import re
import subprocess
import tempfile

from ...core.git import git
from ...core.packages import need
from ...core.process import run
from ...model import machines
from ...model.check import Check
from ...patches import series, tree
from . import builds, each_commit, mails
from .checks import kernel_doc, PACKAGES, round_trip, sparse, style

MACHINES = "arm64", "ppc64le", "x86_64"


def checks(name, base, only=None, arch=None):
    """All checks of a series on a base, or of a set: (name, checks), a test per commit and tool."""
    targets = [*map(machines.load, [arch] if arch else MACHINES)]
    need(PACKAGES + [p for m in targets for p in m["packages"]] + ["python3-sphinx"])
    base.fetch()
    own = series.members(base, only) if only else series.entries(base)
    commits = series.commits(base, only=only)
    chain = [git(base.tree, "rev-parse", f"{commits[-len(own)]}^"), *commits[-len(own):]]
    if not only:
        yield f"{name}: series round trip", list(round_trip(base, name))
    yield f"{name}: mails", list(mails.tests(base, only))
    with apart(base) as base:
        for entry, below, commit in zip(own, chain, chain[1:]):
            tree.switch(base, commit)
            paths = entry.paths(base.name)
            yield f"{name}: style of {entry.name}", [
                *style(base, entry, commit), *kernel_doc(base, below, commit, paths)]
        yield from documents(base, name, own, chain)
        touched = sorted({path for entry in own for path in entry.paths(base.name)})
        targets = [machine | {"fragments": ("allmodconfig",),
                              "checker": ("C=1", f"CHECK={sparse(base)}")} for machine in targets]
        for machine in targets:
            for title, found in each_commit.compiled(
                    base, machine, [entry.name for entry in own], chain, touched):
                yield f"{name}: {machine['name']}, all as modules: {title}", found
        left = each_commit.left_out(base, targets, touched, chain)
        yield f"{name}: what it changes", [
            Check.of("is compiled on some machine", not left, ", ".join(left))]


@contextlib.contextmanager
def apart(base):
    """The base in a tree beside its own, which builds and boots go on using."""
    aside = copy.copy(base)
    aside.tree = base.tree.with_name(f"{base.tree.name}-check")
    with tree.alone(aside):
        if not aside.tree.exists():
            run("git", "clone", "-q", "--shared", "--no-checkout", base.tree, aside.tree)
        yield aside


def documents(base, title, own, chain):
    """Where a commit changes Documentation/: nothing new is complained of."""
    for entry, below, commit in zip(own, chain, chain[1:]):
        parts = {path.split("/")[1] for path in entry.paths(base.name)
                 if re.match(r"Documentation/(ABI/|.*\.rst$)", path)}
        said = []
        for state in (below, commit) if parts else ():
            tree.switch(base, state)
            said.append([line for part in sorted(parts) for line in complaints(base, part)])
        if said:
            more = each_commit.fresh(*said)
            yield f"{title}: Documentation of {entry.name}", [Check.of(
                f"nothing new in {', '.join(sorted(parts))}", not more, "\n".join(more))]


def complaints(base, part):
    """What the kernel's tools say of a part of Documentation/, if they can take it by itself."""
    if part == "ABI":
        script = next(path for path in ("tools/docs/get_abi.py", "scripts/get_abi.pl")
                      if (base.tree / path).exists())
        result = subprocess.run([base.tree / script, "validate"], cwd=base.tree, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return result.stdout.splitlines()
    if not (base.tree / "Documentation" / part / "index.rst").exists():
        return []
    with tempfile.TemporaryDirectory(prefix="vdma-") as out:
        return builds.pages(base, out, part).splitlines()
