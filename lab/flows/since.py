# SPDX-License-Identifier: GPL-2.0-only
"""Which tests depend on what has changed since a revision."""
import re
import subprocess
import tomllib
from dataclasses import dataclass, field

from ..core.cache import ROOT
from ..core.errors import Fail
from ..core.git import git
from ..model import scenario
from ..patches import series
from ..patches.base import Base, names

# The parts of a run, in the order of the run; boots and checks of bases come between.
PARTS = ("unit", "results", "mutations", "companion", "specification", "bench", "run", "jobs",
         "bad input")
# For each path, the first pattern that fits: the parts that depend on it, and which boots:
# "one" of each machine, or none.
RULES = (
    (r"docs/|[^/]*\.md$|tests/|lab/judge/|lab/model/(check|record)\.py|lab/.*/README\.md", "", ""),
    (r"\.ci/|\.gitignore|COPYING|vdma$", "bad input", "one"),
    (r"lab/mutations/|lab/flows/mutate|lab/patches/mutant|lab/model/mutation", "mutations", ""),
    (r"lab/(bench\.toml|plugin/|flows/(bench|cost|count))", "bench", ""),
    (r"lab/flows/jobs/", "jobs", ""),
    (r"lab/flows/run_guest|lab/vm/own_files", "run", ""),
    (r"lab/(core|cli|patches)/|lab/\w+\.py$", "bad input", "one"),
    (r"lab/(build|vm|model|flows)/", "run", "one"),
    (r"lab/guest/(?!steps/)|lab/arch/", "", "one"),
    (r"lab/(vmm|host|distribution)/|lab/distributions\.toml", "", ""),
    (r"lab/compile-only\.toml", "", ""),
    (r"qemu/", "companion", ""),
    (r"spec/", "specification", ""),
    (r"swiotlb/", "", ""),
)


@dataclass
class Plan:
    """What to run: parts, checks of bases, and boots by the names of their scenarios."""

    parts: set = field(default_factory=lambda: {"unit"})
    # The bases whose checks run, and whether those that build run as well.
    checks: dict = field(default_factory=dict)
    # (base, scenario): the kinds of kernels to boot it on; None for all.
    boots: dict = field(default_factory=dict)

    def add_boots(self, base, wanted, kinds=None):
        for one in scenario.load(base).values():
            if not one["slow"] and "debug" not in one["config"] and wanted(one):
                self.boots.setdefault((base, one["name"]), kinds)

    def wants(self, base, one, kind):
        kinds = self.boots.get((base, one["name"]), ())
        return kinds is None or kind in kinds

    def left_out(self):
        """One line: what this run leaves out."""
        parts = [part for part in PARTS if part not in self.parts]
        bases = [name for name in names() if name not in self.checks]
        every = sum(len(scenario.load(base)) for base in (scenario.BASE, "mainline"))
        return (f"{len(self.boots)} of {every} scenarios boot; left out: "
                + ", ".join(parts + [f"checks of {name}" for name in bases]))


def changed(rev):
    """The paths that differ from a revision, in commits or in the work tree."""
    try:
        names_only = git(ROOT, "diff", "--name-only", "--no-renames", rev, "--").splitlines()
    except subprocess.CalledProcessError as err:
        raise Fail(f"'{rev}' is no revision of this repository",
                   "name a commit, such as HEAD~1 or main") from err
    return sorted({*names_only, *git(ROOT, "ls-files", "--others",
                                     "--exclude-standard").splitlines()})


def plan(rev):
    made = Plan()
    for path in changed(rev):
        add(made, path, rev)
    return made


def add(made, path, rev):
    """Add what depends on a path."""
    if path.startswith("lab/scenarios/"):
        scenarios(made, path, rev)
    elif step := re.fullmatch(r"lab/guest/steps/(\w+)\.c", path):
        made.add_boots(scenario.BASE, lambda one: any(
            step[1] in word.split(":") for word in one["steps"]), one_kind())
    elif re.match(r"lab/(backend/|backends\.toml|vm/backend\.py)", path):
        made.add_boots(scenario.BASE, lambda one: one["behind"])
    elif variant := re.match(r"lab/variants/([\w-]+)\.", path):
        made.add_boots(scenario.BASE, lambda one: variant[1] in one["kernels"], {variant[1]})
    elif path.startswith("bases/"):
        base(made, path[6:].removesuffix(".toml"), lambda one: True)
    elif path.startswith("series/") or not path.startswith(
            ("lab/", "qemu/", "spec/", "swiotlb/", "docs/", "tests/", ".ci/")) and "/" in path:
        of_series(made, path)
    else:
        by_rule(made, path)


def one_kind():
    return {"series"}


def by_rule(made, path):
    for pattern, parts, boots in RULES:
        if re.match(pattern, path):
            made.parts |= {part for part in PARTS if part == parts}
            if boots:
                made.add_boots(scenario.BASE, lambda one: one["name"].endswith("pci-modern"),
                               one_kind())
            if path.startswith("qemu/"):
                made.add_boots(scenario.BASE, lambda one: one["companion"], one_kind())
            return
    raise Fail(f"it is not known which tests depend on {path}", "run './vdma test'")


def scenarios(made, path, rev):
    """Boot the scenarios of a file that are not what they were."""
    try:
        before = tomllib.loads(git(ROOT, "show", f"{rev}:{path}"))
    except subprocess.CalledProcessError:
        before = {}
    now = tomllib.loads((ROOT / path).read_text()) if (ROOT / path).exists() else {}
    same = {name for name in now if before.get("all") == now.get("all")
            and before.get(name) == now[name]}
    made.add_boots(scenario.BASE, lambda one: one["name"] in set(now) - same)


def base(made, name, wanted, kinds=None):
    """Run the checks of a base, and boot its scenarios where this run has any."""
    if name in names():
        made.checks[name] = name == scenario.BASE
        if name in (scenario.BASE, "mainline"):
            made.add_boots(name, wanted, kinds)


def of_series(made, path):
    """A file of the series or its overlay: the checks of its bases; for code, who boots it."""
    target = Base(scenario.BASE)
    own = re.fullmatch(r"series/[\w-]+/(.*)\.(diff|none)", path)
    where = [own[1]] if own and own[1] in names() else names()
    code = []
    for entry in series.folders(target):
        if path in entry.adds:
            code += [path]
        elif path.startswith(f"series/{entry.name}/") and own:
            code += [p for name in where if not entry.missing(name) for p in entry.changes + entry.edits(name)]
    code = [p for p in code if p.endswith((".c", ".h", "Kconfig", "Makefile"))]
    machines = {m for p in code for m in machines_of(p)}
    for name in where:
        base(made, name, lambda one: one["machine"]["kernel_arch"] in machines, one_kind())


def machines_of(path):
    """The kernel architectures that compile a file and that somebody boots here."""
    every = {"arm64", "powerpc", "x86_64"}
    own = re.match(r"arch/(\w+)/", path)
    return every & {own[1].replace("x86", "x86_64")} if own else every
