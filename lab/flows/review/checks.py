# SPDX-License-Identifier: GPL-2.0-only
"""What a reviewer's tools say of the series: checkpatch, sparse, W=1, kernel-doc, round trip."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ...core.apt import tool
from ...core.cache import cache, ROOT, scratch
from ...core.errors import Fail
from ...core.git import git, WHO
from ...core.packages import need, TOOLS
from ...core.process import run, tail
from ...model import machines
from ...model.check import Check
from ...model.scenario import COMPANION
from ...patches import series, tree
from ...patches.base import Base
from ...patches.qemu import Qemu
from ...build import kernel, qemu
from ...build.functional import functional
from . import builds, machine_code, mails
from .each_commit import fresh

PACKAGES = TOOLS + ["sparse", "perl", "python3-ply", "python3-git"]
# How what the series touches is compiled, and the fragments of the configuration for that.
KINDS = ("built in", ()), ("modules", ("modules", "check-modules"))
# A function of which kernel-doc must complain.
UNDOCUMENTED = """
/**
 * vdma_control() - it has two parameters
 * @a: the first
 */
int vdma_control(int a, int b)
{
	return a + b;
}
"""


def checks(name, arch=None, build=True, modules=False):
    """All checks of a base, one test each: (name, checks).

    Unless @build, leave out those that take a build of the kernel. With @modules, compile the
    drivers as modules as well.
    """
    base, targets = Base(name), [machines.load(a) for a in ("arm64", "ppc64le")
                                  if arch in (None, a)]
    need(PACKAGES + [p for m in targets for p in m["packages"]])
    base.fetch()
    yield f"{name}: series round trip", list(round_trip(base, name))
    yield f"{name}: mails", list(mails.tests(base))
    with tree.alone(base):
        commits = series.commits(base)
        tree.switch(base, commits[-1])
        for entry, commit in zip(series.entries(base), commits):
            yield f"{name}: style of {entry.name}", list(style(base, entry, commit))
        yield f"{name}: each set applies", list(sets(base))
        yield f"{name}: kernel-doc", list(
            kernel_doc(base, "base", "HEAD", touched(base, (".c", ".h"))))
        yield f"{name}: htmldocs", list(builds.htmldocs(base))
        yield f"{name}: tools/virtio", list(builds.userspace(base, commits[-1]))
        yield f"{name}: selftests", list(builds.kselftests(base, commits[-1]))
        if not build:
            return
        for machine in targets:
            for kind, extra in KINDS[:2 if modules else 1]:
                yield (f"{name}: sparse and W=1, {machine['name']}, {kind}",
                       list(compile_clean(base, machine, commits, extra)))
    for machine in targets:
        yield f"{name}: hot path, {machine['name']}", list(hot_path(base, machine))


def thorough(name, arch=None):
    """What takes too long for every run: coccinelle, and configurations that nobody boots."""
    base = Base(name).fetch()
    need(PACKAGES)
    with tree.alone(base):
        head = series.commits(base)[-1]
        tree.switch(base, head)
        yield f"{name}: coccinelle", list(builds.coccinelle(base, head, touched(base, ".c")))
        for machine in map(machines.load, [arch] if arch else ("arm64", "ppc64le", "x86_64")):
            need(machine["packages"])
            yield (f"{name}: other configurations, {machine['name']}",
                   list(builds.configurations(base, machine)))
        if not arch:
            yield from builds.compile_only(base)


def qemu_checks(on=COMPANION):
    """The companion series: round trip, QEMU's own checkpatch, its qtests and functional tests."""
    need(PACKAGES)
    base = Qemu(on).fetch()
    yield f"{on}: series round trip", list(round_trip(base, on))
    with tree.alone(base):
        commits = series.commits(base)
        tree.switch(base, commits[-1])
        for entry, commit in zip(series.entries(base), commits):
            yield f"{on}: style of {entry.name}", [checkpatch(base, commit)]
        yield f"{on}: each set applies", list(sets(base))
    for name, test in base.data["qtests"].items():
        passed, said = qemu.qtest(name, test["program"], on)
        control, noise = qemu.qtest(name, test["program"], on, test["option"])
        yield f"{on}: {name}", [
            Check.of("it passes", passed, said),
            Check.of(f"control: not without {test['option']}",
                     not control and "assertion failed" in noise, noise)]
    there = {path for entry in series.entries(base) for path in entry.adds}
    for path, test in base.data["functional"].items():
        if path in there:
            passed, said = functional(path, test["program"], base)
            control, noise = functional(path, test["program"], base, test["option"],
                                        ["-k", test["control"]])
            yield f"{on}: {Path(path).stem}", [
                Check.of("it passes", passed, said),
                Check.of(f"control: not {test['control']} without {test['option']}",
                         not control and "AssertionError" in noise, noise)]


def checkpatch(base, commit, *options):
    """What the tree's own checkpatch says of a commit: nothing, or it fails."""
    patch = git(base.tree, "format-patch", "-1", "--stdout", commit) + "\n"
    result = subprocess.run(["perl", "scripts/checkpatch.pl", "--strict", *options, "-"],
                            cwd=base.tree, input=patch, capture_output=True, text=True,
                            check=False, env=os.environ | {"HOME": str(base.tree)})
    said = result.stdout + result.stderr
    return Check.of("checkpatch --strict", result.returncode == 0 and not re.search(
        r"^(ERROR|WARNING|CHECK):", said, re.M), said)


def round_trip(base, name):
    """checkout, then refresh, must leave series/ and the overlay as they are."""
    with scratch() as temp:
        copy, tree = temp / "repo", temp / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(
            ".git", "__pycache__", "linux-*", "outgoing-*", "debian-*"))
        series.checkout(base, tree)
        count = git(tree, "rev-list", "--count", "base..series")
        yield Check.of("one commit per entry", int(count) == len(series.entries(base)),
                       f"{count} commits")
        run(copy / "vdma", "refresh", name, tree)
        there = copy / base.series.relative_to(ROOT), copy / base.overlay.relative_to(ROOT)
        diff = subprocess.run(["diff", "-r", base.series, there[0]],
                              capture_output=True, text=True, check=False).stdout
        diff += "".join(f"{path} differs\n" for e in series.entries(base) for path in e.adds
                        if (base.overlay / path).read_bytes() != (there[1] / path).read_bytes())
        yield Check.of("refresh brings back what checkout was made of", not diff, diff)


def style(base, entry, commit):
    # That MAINTAINERS covers a new file is looked up below, not guessed; and
    # the source at hand has no history in which to look up what a message names.
    yield checkpatch(base, commit, "--ignore", ",".join(
        ["FILE_PATH_CHANGES", "UNKNOWN_COMMIT_ID", *base.unchecked]))
    yield signed(entry)
    for path in entry.adds:
        to = run("perl", "scripts/get_maintainer.pl", "--nogit", "--nogit-fallback", "-f", path,
                 cwd=base.tree, env=os.environ | {"HOME": str(base.tree)})
        yield Check.of(f"MAINTAINERS covers {path}", base.list in to, to)


def sets(base):
    for name in series.sets(base):
        try:
            series.commits(base, only=name)
            yield Check.of(f"{name} applies", True, "")
        except Fail as err:
            yield Check.of(f"{name} applies", False, str(err))


def signed(entry):
    lines = entry.message.splitlines()
    long = [t for t in lines if len(t) > 75 and not re.match("(Fixes|Link|Signed-off-by):", t)]
    # Others may review below: it is among the last lines, which are of tags only.
    tags = entry.message.rstrip("\n").rpartition("\n\n")[2].splitlines()
    return Check.of("the message is wrapped and signed", not long and
                    f"Signed-off-by: {WHO['NAME']} <{WHO['EMAIL']}>" in tags
                    and all(re.match(r"[A-Z][\w-]+: ", line) for line in tags), "\n".join(long))


def touched(base, suffix):
    """The files that the series adds or edits, of one kind."""
    found = {path for entry in series.entries(base) for path in entry.paths(base.name)}
    return sorted(p for p in found if p.endswith(suffix) and not p.startswith("tools/"))


def kernel_doc(base, before, after, paths):
    """What kernel-doc says of files as of one commit that it did not say as of another."""
    def said(commit, path, more=""):
        with tempfile.TemporaryDirectory() as temp:
            file = Path(temp) / Path(path).name
            try:
                file.write_text(git(base.tree, "show", f"{commit}:{path}") + "\n" + more)
            except subprocess.CalledProcessError:
                file.write_text("")  # The series adds it.
            result = subprocess.run(["perl", "scripts/kernel-doc", "-none", file],
                                    cwd=base.tree, capture_output=True, text=True, check=False)
        return result.stderr.replace(str(file), path).splitlines()

    code = [path for path in paths if path.endswith((".c", ".h"))]
    for path in code:
        found = fresh(said(before, path), said(after, path))
        yield Check.of(f"kernel-doc: {path}", not found, "\n".join(found))
    if code:
        found = fresh(said(after, code[0]), said(after, code[0], UNDOCUMENTED))
        yield Check.of("control: kernel-doc misses a parameter", "'b'" in "".join(found), found)


def compiled(path, machine):
    """Which machine compiles a file: its own architecture's, or arm64 for all others."""
    own = re.match(r"arch/(\w+)/|drivers/(s390)/", path)
    return machine["kernel_arch"] in own.groups() if own else machine["name"] == "arm64"


def compile_clean(base, machine, commits, modules):
    """Compile what the series touches with sparse and W=1, without and with it."""
    machine = machine | {"fragments": ("check", *modules)}
    said = []
    for commit in ("base", commits[-1]):
        tree.switch(base, commit)
        objects = [p[:-1] + "o" for p in touched(base, ".c")
                   if compiled(p, machine) and (base.tree / p).exists()]
        log = cache("log") / f"check-{base.tree.name}.log"
        try:
            kernel.configure(base, machine, log)
            for path in objects:
                (kernel.objdir(base, machine) / path).unlink(missing_ok=True)
            kernel.make(base, machine, "W=1", "C=2", f"CHECK={sparse(base)}", "-k", *objects,
                        log=log, label=f"checking {len(objects)} objects with sparse and W=1")
        except subprocess.CalledProcessError:
            yield Check.of("it compiles", False, tail(log))
            return
        said.append([t.replace(f"{base.tree}/", "") for t in log.read_text().splitlines()
                     if re.search(r"(warning|error):", t)])
    yield Check.of(f"{len(objects)} objects compile", bool(objects), " ".join(objects))
    yield Check.of("no new complaint", not fresh(*said), "\n".join(fresh(*said)))


def sparse(base):
    """The sparse that knows the base's headers: built from source where Debian's is too old."""
    def make(apt, new):
        source = apt.source("sparse", "0.3 MB")
        without = [f"HAVE_{what}=no" for what in ("LLVM", "SQLITE", "LIBXML", "GTK")]
        run("make", "-C", source, "CC=gcc", *without, "sparse", log=apt.log,
            label="building sparse")
        shutil.copy2(source / "sparse", new)
    return tool("sparse", base.sparse, make) / "sparse" if base.sparse else "sparse"


def hot_path(base, machine):
    """The functions that run per request keep their machine code; a control does not.

    Where packed rings return another error, the compiler chooses other registers. So compare
    with a kernel that has this fix alone, and that one with stock, but for the functions fixed,
    or where these are inlined, as powerpc's compiler does, those that add a buffer. The bench
    shows that they cost what they did.
    """
    without, stock, ours, hot = (kernel.build(base, machine, k)
                                 for k in ("stock", "only:ring-enomem", "series", "hot"))
    ring = "virtio_ring.o"
    verdicts = machine_code.compare(without / ring, stock / ring, machine["cross"])
    fixed = {"virtqueue_add_packed", "virtqueue_add_packed_in_order"} & set(verdicts)
    fixed = fixed or {n for n in verdicts if n.startswith("virtqueue_add_") and "split" not in n}
    other = [n for n, v in verdicts.items() if v.kind != "same" and n not in fixed]
    yield Check.of(f"ring-enomem changes {', '.join(sorted(fixed))} at most",
                   bool(verdicts) and not other, other)
    ok, lines = machine_code.report(stock / ring, ours / ring, machine["cross"])
    yield Check.of(lines[0], ok, "\n".join(lines))
    for line in lines[1:]:
        yield Check.of(line.partition(":")[0], not line.startswith("HOT"), line)
    ok, lines = machine_code.report(ours / ring, hot / ring, machine["cross"])
    yield Check.of("control: a test per request is noticed", not ok, "\n".join(lines))
    for name, probe in (("virtio_blk.o", {"virtblk_probe", "virtblk_read_limits"}),
                        ("virtio_net.o", set())):
        verdicts = machine_code.compare(stock / name, ours / name, machine["cross"])
        other = [n for n, v in verdicts.items()
                 if v.kind != "same" and n.partition(".")[0] not in probe]
        yield Check.of(f"{name} is the same" + (f" but for {', '.join(sorted(probe))}" if probe else ""),
                       bool(verdicts) and not other, other)
