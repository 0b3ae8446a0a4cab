# SPDX-License-Identifier: GPL-2.0-only
"""Does each commit of a set compile, with all as modules, and what do compilers say of it?"""
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from ...core.cache import cache
from ...core.git import git
from ...core.process import tail
from ...model.check import Check
from ...patches import mutant, tree
from ...build import kernel

CONFIG = kernel.LAB / "arch" / "all-modules.config"
COMPLAINT = re.compile(r"\b(warning|error):", re.I)
FAILED = re.compile(r"\*\*\* \[[^]]*: (\S+\.o)\] Error")
# What no machine compiles as a part of its kernel.
ELSEWHERE = "tools/", "samples/", "scripts/", "Documentation/"
BROKEN = "\nint vdma_control(void)\n{\n\treturn not_declared;\n}\n"


class Build(NamedTuple):
    """What became of a commit: @ran is whether make got as far as the objects."""

    ran: bool
    failed: frozenset
    said: tuple
    log: str


def fresh(before, after):
    """The complaints that were not there before, wherever their lines have moved."""
    def place(text):
        return re.sub(r":\d+(:\d+)?\b:?", ":", text)
    old = {place(t) for t in before}
    return [t for t in after if place(t) not in old]


def sources(base, paths, commits):
    """The C files that these paths can break: those that include them, or that nobody includes."""
    found = set()
    for path in (path for path in paths if path.endswith((".c", ".h"))):
        users = includers(base, path, commits)
        found |= users if users or path.endswith(".h") else {path}
    return sorted(path for path in found if not path.startswith(ELSEWHERE))


def includers(base, path, commits):
    """The C files that include this one, as of the first or the last commit."""
    # Who includes one of include/ may be anywhere, else it is in the same folder.
    public = re.search(r"(?:^|/)include/(?:uapi/)?(.*)", path)
    name = public[1] if public else Path(path).name
    where = "*.c" if public else f"{Path(path).parent}/*.c"
    found = set()
    for commit in commits[0], commits[-1]:
        try:
            found |= {line.partition(":")[2] for line in git(
                base.tree, "grep", "-lE", f'^#include ["<](uapi/)?{re.escape(name)}[">]',
                commit, "--", where).splitlines()}
        except subprocess.CalledProcessError:
            pass  # Nobody does.
    return found


def own(path, machine):
    """Whether a machine compiles a file: what is of no architecture all of them do."""
    arch = re.match(r"arch/(\w+)/|drivers/(s390|parisc|sh)/", path)
    return not arch or machine["kernel_arch"].replace("x86_64", "x86") in arch.groups()


def build(base, machine, commit, files, before):
    """Compile what a commit has of these files, unless it is up to date.

    It is configured as the commit @before was, if nothing of Kconfig lies between them.
    """
    tree.switch(base, commit)
    same = before and not re.search(r"Kconfig\S*$", git(
        base.tree, "diff", "--name-only", before, commit), re.M)
    objects = [path[:-1] + "o" for path in files if (base.tree / path).exists()]
    log = cache("log") / f"commits-{base.tree.name}-{machine['name']}.log"
    ran = True
    try:
        if not same:
            kernel.make(base, machine, f"KCONFIG_ALLCONFIG={CONFIG}", "allmodconfig", log=log)
        kernel.make(base, machine, "-k", "W=1", *machine["checker"], *objects, log=log,
                    label=f"{machine['name']}: {len(objects)} objects as of {commit[:12]}")
    except subprocess.CalledProcessError:
        ran = False
    text = log.read_text(errors="replace").replace(f"{base.tree}/", "")
    failed = frozenset(FAILED.findall(text))
    return Build(ran or bool(failed), failed, tuple(
        line for line in text.splitlines() if COMPLAINT.search(line)), tail(log))


def judge(known, before, after):
    """What a commit breaks, and what is said of it that was not @known, as checks."""
    failed = sorted(after.failed - before.failed)
    # What stopped it, as the compiler has it.
    why = [line for line in after.said if re.search(r"\berror:", line)]
    yield Check.of("it compiles", after.ran and not failed,
                   "\n".join([*failed, *fresh(before.said, why)]) if after.ran else after.log)
    more = fresh(known, after.said)
    yield Check.of("no new complaint of W=1, sparse and kernel-doc", not more, "\n".join(more))


def walk(base, machine, commits, files, before=None):
    """Build the first commit, and judge each of the others by what was said up to it.

    @before is a commit as of which the machine is configured already.
    """
    for path in files:
        (kernel.objdir(base, machine) / (path[:-1] + "o")).unlink(missing_ok=True)
    first = build(base, machine, commits[0], files, before)
    known = [*first.said]
    for below, commit in zip(commits, commits[1:]):
        after = build(base, machine, commit, files, below)
        yield [*judge(known, first, after)]
        known += after.said


def left_out(base, machines, touched, commits):
    """What a set changes and no machine has compiled, though it is one of those that should."""
    changed = sources(base, [path for path in touched if path.endswith(".c")], commits)
    return [path for path in changed if any(own(path, machine) for machine in machines)
            and not any((kernel.objdir(base, machine) / (path[:-1] + "o")).exists()
                        for machine in machines)]


def compiled(base, machine, titles, commits, touched):
    """The tests of a machine: one for each commit of a set, and a control.

    @commits has the one below the set first. The control is a commit that does not compile, and
    that the next one mends.
    """
    files = [path for path in sources(base, touched, commits) if own(path, machine)]
    if not files:
        return
    yield from zip(titles, walk(base, machine, commits, files))
    made = [path for path in files if path in touched
            and (kernel.objdir(base, machine) / (path[:-1] + "o")).exists()]
    if not made:
        yield "what the set changes", [Check.of("compiles here", False, " ".join(files))]
        return
    last, path = commits[-1], made[0]
    text = git(base.tree, "show", f"{last}:{path}") + "\n"
    broken = mutant.commit_file(base, last, path, text + BROKEN, "lab: broken")
    mended = mutant.commit_file(base, broken, path, text, "lab: mended")
    (bad, _), good = walk(base, machine, [last, broken, mended], [path], last)
    yield "a commit that the next one mends", [
        Check.of("control: it is found, with the compiler's line", not bad.ok
                 and f"{path}:" in bad.detail and "not_declared" in bad.detail, bad.detail),
        Check.of("control: and not the next one", all(check.ok for check in good), good)]
