# SPDX-License-Identifier: GPL-2.0-only
"""The verbs that test the series and the lab, and that count what a request costs."""
from ..core.errors import Fail
from ..core.ktap import Report
from ..model.scenario import COMPANION
from ..patches import series
from ..patches.base import Base, NEWEST, wanted
from ..patches.qemu import companions
from ..patches.swiotlb import PREFIX
from ..flows import bench, mutate, suite
from ..flows.review import checks as review, posting, specification
from .series import base_of
from .verb import option, verb


def do_test(args):
    return suite.run(args.junit, args.base, args.arch, args.all, args.debug, args.qemu,
                     args.since, args.slice)


def do_check(args):
    report = Report()
    for name in [args.what] if args.what else [*wanted(None), COMPANION, "spec"]:
        for title, checks in checks_of(name, args.base, args.arch):
            report.add(title, checks)
    return report.close()


def checks_of(name, base, arch):
    """The checks of what has a name: a set, a series, the specification, a QEMU or a kernel."""
    if name in series.every_set(Base(NEWEST)):
        where = Base(base or NEWEST)
        return posting.checks(f"{where.name}: {name}", where, name, arch)
    if name.startswith(PREFIX) and not base:
        return posting.checks(name, base_of(name), None, arch)
    if base or arch:
        raise Fail(f"there is no set '{name}'", "--base and --arch are for one of series/sets/")
    if name == "spec":
        return specification.checks()
    return review.qemu_checks(name) if name in companions() else review.checks(name)


def do_mutate(args):
    return mutate.listing() if args.list else mutate.run(args.name)


def do_bench(args):
    return 0 if bench.main(args.arch, args.verify) else 1


def add(verbs):
    verb(verbs, do_test, "run the tests and print the results as KTAP",
         option("--base", metavar="BASE",
                help="test this base in full, and nothing else"),
         option("--arch", metavar="ARCH",
                help="test this machine in full, a name in lab/arch/, and nothing else"),
         option("--all", action="store_true",
                help="run everything on every base and machine"),
         option("--slice", metavar="N/M", help="with --all, run one slice of it: 2/8 is the second"
                " of eight"),
         option("--since", metavar="REV", help="run what depends on the files that differ from"
                " this git revision, and say what that leaves out"),
         option("--debug", action="store_true",
                help="boot every scenario of the series on debug kernels, and nothing else"),
         option("--qemu", metavar="BASE",
                help="test the companion series on this base in qemu/base.toml, and nothing else"),
         option("--junit", metavar="FILE", help="write the results as JUnit XML as well"),
         more="docs/testing.md says what a run without options leaves out.")
    verb(verbs, do_check, "check the series without booting it: checkpatch, sparse, W=1,"
         " kernel-doc, machine code of the hot path",
         option("what", metavar="WHAT", nargs="?", help="a name in bases/, a name in"
                f" qemu/base.toml, spec, a set from series/sets/, or {PREFIX}BASE, for the swiotlb"
                " series (default: all kernels, the default companion QEMU and the specification)"),
         option("--base", metavar="BASE",
                help=f"with a set: the base that it is checked on (default: {NEWEST})"),
         option("--arch", metavar="ARCH", help="with a set or the swiotlb series:"
                " compile it on this machine only"),
         more="A set and the swiotlb series are checked commit by commit, with all as modules on three"
         " machines.")
    verb(verbs, do_mutate, "change the series in one small place at a time, and see which test"
         " notices",
         option("name", metavar="NAME", nargs="*", help="a mutation (default: all)"),
         option("--list", action="store_true",
                help="list the mutations, with the test that must notice each"),
         more="It writes the results to lab/mutations/README.md.")
    verb(verbs, do_bench, "count the kernel instructions of a block request in each mode",
         option("--arch", metavar="ARCH", help="a name in lab/arch/ (default: all)"),
         option("--verify", action="store_true", help="count every row twice"),
         more="docs/cost.md explains the tables.")
