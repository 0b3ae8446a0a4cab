# SPDX-License-Identifier: GPL-2.0-only
"""The verbs that fetch sources, build kernels and QEMU, and remove what was built."""
import os
import shutil
from pathlib import Path

from ..core.cache import cache
from ..core.errors import Fail
from ..core.process import say
from ..model import distribution as distributions, machines
from ..model.scenario import BASE, COMPANION
from ..patches import trial, updates
from ..patches.base import Base, wanted
from ..build import distribution, guest, kernel, qemu
from .verb import option, verb


def do_build(args):
    if args.distribution:
        data = distributions.load(args.distribution, args.arch)
        machine = machines.load(args.arch)
        built = distribution.build(data, machine, args.kernel)
        print(built / "disk.img", built / "initrd", built / Path(machine["image"]).name, sep="\n")
        return
    machine = machines.load(args.arch)
    base = Base(args.base)
    built = kernel.build(base, machine, args.kernel)
    print(guest.build(machine, built, base))
    print(built / Path(machine["image"]).name)


def do_qemu(args):
    print(qemu.build(args.base))


def do_bases(args):
    bases = wanted(args.base)
    if os.environ.get("KERNEL"):
        if args.take:
            raise Fail("--take is for Debian's sources", "run it without KERNEL")
        return 0 if trial.report(Base(bases[0], any_version=True)) else 1
    return 0 if updates.table(bases, args.take) else 1


def do_clean(args):
    what = ["obj", "kernel", "qemu", "guest", "backend", "vmm", "host", "images", "log"]
    what += ["src"] if args.all else []
    for name in what:
        shutil.rmtree(cache(name))
    say(f"removed {', '.join(what)} from {cache()}")


def add(verbs):
    verb(verbs, do_build, "build a kernel and an initramfs for it",
         option("--base", default=BASE, metavar="BASE",
                help="a name in bases/ (default: %(default)s)"),
         option("--arch", default="arm64", metavar="ARCH",
                help="a name in lab/arch/ (default: %(default)s)"),
         option("--kernel", default="series", metavar="KIND",
                help="series (all of it, the default), stock (none), series@N (its first"
                " N commits), only:SET (a set from series/sets/), swiotlb (the series for it"
                " alone, or swiotlb@N) or a variant from lab/variants/; KIND+MUTATION adds a"
                " mutation from lab/mutations/"),
         option("--distribution", metavar="NAME", help="build a distribution from"
                " lab/distributions.toml instead, with its own kernel, stock or with the series;"
                " the line before those two is the path of its disk"),
         more="The last two lines of the output are the paths of the initramfs and of the image.")
    verb(verbs, do_qemu, "build the companion QEMU",
         option("base", metavar="BASE", nargs="?", default=COMPANION,
                help="a name in qemu/base.toml (default: %(default)s)"),
         more="The last line of the output is the folder of its binaries.")
    verb(verbs, do_bases, "show for each base the newest kernel that Debian has, the tested"
         " ones, and whether the series applies",
         option("base", metavar="BASE", nargs="?", help="a name in bases/ (default: all)"),
         option("--take", action="store_true",
                help="make the newest source that the series applies to the one in the cache"),
         more="With KERNEL, try the series on that tree, entry by entry, and name each hunk that"
         " does not apply.")
    verb(verbs, do_clean, "remove everything that was built from the cache",
         option("--all", action="store_true",
                help="remove the sources of the kernels and of QEMU as well"))
