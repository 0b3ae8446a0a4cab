# SPDX-License-Identifier: GPL-2.0-only
"""The verbs of ./vdma."""
import argparse
import shutil
import signal
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit("vdma: Python 3.11 or later is needed\n  hint: Debian 12 and 13 have it as python3")

from ..core import environment
from ..core.cache import cache
from ..core.errors import explain, Fail
from ..core.ktap import Report
from ..core.process import say
from ..model import machines, scenario
from ..model.record import Record
from ..model.scenario import COMPANION
from ..patches import debian, mbox, series, updates
from ..patches.base import Base, wanted
from ..patches.qemu import companions, Qemu
from ..patches.refresh import refresh
from ..patches.spec import Spec
from ..build import guest, kernel, qemu
from ..judge.boot import judge
from ..judge.device_table import device_table
from ..flows import bench, mutate, results, run_guest, runner, suite
from ..flows.jobs import github
from ..flows.review import checks as review, specification


def do_boot(args):
    good = True
    Qemu(args.qemu)
    for one in scenario.pick(args.scenario, args.base):
        kind = args.kernel or one["kernels"][0]
        one = scenario.with_debug(one) if args.debug else one
        one = scenario.with_companion(one, args.qemu)
        if args.dry_run:
            runner.dry_run(one, kind)
        elif args.shell:
            return runner.shell(one, kind)
        else:
            good = boot_one(one, kind, args.timeout, args.save and Path(
                args.save, *[one["name"]] * (len(args.scenario) > 1))) and good
    return 0 if good else 1


def boot_one(one, kind, patience, save=None):
    """Boot a scenario and print what people want to know of it."""
    record, checks = runner.prove(runner.Boot(one, kind, patience))
    if save:
        record.save(save)
        say(f"the record is in {save}: './vdma judge {save}' judges it again")
    return verdict(record, checks)


def verdict(record, checks):
    """Print what people want to know of a boot; return whether all its checks hold."""
    one = record.scenario
    print(f"\n{one['name']} ({one['about']}), kernel {record.kind}")
    print(f"\n{device_table(record, checks)}\n")
    for check in checks:
        if not check.ok:
            print(f"FAILED: {check.id}: {check.title}: {check.detail}")
    good = all(check.ok for check in checks)
    print(f"{sum(check.ok for check in checks)} of {len(checks)} checks hold: "
          f"{'as the scenario says' if good else 'NOT as the scenario says'}")
    return good


def do_judge(args):
    record = Record.load(args.record)
    checks = judge(record)
    if args.checks:
        for check in checks:
            print(f"{'ok' if check.ok else 'FAILED':6} {check.id:32} {check.title}")
    return 0 if verdict(record, checks) else 1


def do_run(args):
    return run_guest.run(args)


def do_check(args):
    report = Report()
    for name in [args.base] if args.base else [*wanted(None), COMPANION, "spec"]:
        tests = (specification.checks() if name == "spec" else review.qemu_checks(name)
                 if name in companions() else review.checks(name))
        for title, checks in tests:
            report.add(title, checks)
    return report.close()


def do_test(args):
    return suite.run(args.junit, args.base, args.arch, args.all, args.debug, args.qemu)


def do_bench(args):
    return 0 if bench.main(args.arch, args.verify) else 1


def do_mutate(args):
    return mutate.listing() if args.list else mutate.run(args.name)


def do_list(_):
    for name, one in scenario.load().items():
        print(f"{name:36} {one['arch']:6} {','.join(one['kernels']):14} {one['about']}")


def do_table(_):
    print(results.last(), end="")


def do_build(args):
    machine = machines.load(args.arch)
    base = Base(args.base)
    built = kernel.build(base, machine, args.kernel)
    print(guest.build(machine, built, base))
    print(built / Path(machine["image"]).name)


def do_qemu(args):
    print(qemu.build(args.base))


def do_bases(args):
    return 0 if updates.table(wanted(args.base), args.take) else 1


def base_of(name):
    """What a tree can be made of: a kernel base, the companion QEMU, or the specification."""
    if name == "spec":
        return Spec()
    return Qemu(name) if name in companions() else Base(name)


def do_checkout(args):
    folder = Path(args.dir or f"linux-{args.base}")
    series.checkout(base_of(args.base), folder)
    print(folder)


def do_refresh(args):
    refresh(base_of(args.base), Path(args.dir or f"linux-{args.base}"))


def do_mbox(args):
    for name in mbox.write(base_of(args.base), Path(args.dir or f"outgoing-{args.base}"),
                           args.reroll):
        print(name)


def do_debian(args):
    folder = Path(args.dir or f"debian-{args.base}")
    for patch in debian.write(Base(args.base), folder, args.only):
        print(patch)


def do_jobs(args):
    made, left = github.make(args.format, args.url)
    for path in github.write(made, Path(args.dir or f"outgoing-{args.format}")):
        print(path)
    for name, reason in left.items():
        say(f"left out: {name}: {reason}")


def do_clean(args):
    what = ["obj", "kernel", "qemu", "guest", "log"] + (["src"] if args.all else [])
    for name in what:
        shutil.rmtree(cache(name))
    say(f"removed {', '.join(what)} from {cache()}")


def arguments():
    top = argparse.ArgumentParser(prog="vdma", description="virtio platform DMA: the patch"
                                  " series, and the lab that proves it on booted guests")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(func, text, *options):
        sub = verbs.add_parser(func.__name__[3:], help=text, description=text)
        sub.set_defaults(func=func)
        for names, settings in options:
            sub.add_argument(*names, **settings)

    base = (("base",), {"metavar": "BASE", "help": "a name in bases/, such as 6.12;"
                       " qemu or qemu-10.2; spec"})
    folder = (("dir",), {"metavar": "DIR", "nargs": "?", "help": "the folder of the tree"})
    verb(do_boot, "boot a scenario, drive I/O, and check from outside which addresses it uses",
         (("scenario",), {"metavar": "SCENARIO", "nargs": "*",
                          "help": f"a name from 'list' (default: {scenario.DEFAULT})"}),
         (("--base",), {"default": scenario.BASE,
                        "help": "a name in bases/ (default: %(default)s)"}),
         (("--kernel",), {"help": "vdma, stock or a variant (default: the scenario's first)"}),
         (("--debug",), {"action": "store_true", "help": "on a kernel that watches itself"}),
         (("--qemu",), {"metavar": "BASE", "default": COMPANION, "help": "a companion QEMU, a name"
                        " in qemu/base.toml (default: %(default)s)"}),
         (("--timeout",), {"type": float, "metavar": "SECONDS",
                           "help": "how long a guest may be silent (default: the scenario's)"}),
         (("--save",), {"metavar": "DIR", "help": "keep the record of the boot, to judge again"}),
         (("--shell",), {"action": "store_true", "help": "leave me in the guest"}),
         (("--dry-run",), {"action": "store_true", "help": "print the QEMU command line"}))
    verb(do_judge, "judge the saved record of a boot again, without QEMU",
         (("record",), {"metavar": "DIR", "help": "what 'boot --save DIR' has made"}),
         (("--checks",), {"action": "store_true", "help": "list all checks, with their ids"}))
    verb(do_run, "boot a guest of your own, and tell which addresses its devices are handed",
         (("scenario",), {"metavar": "SCENARIO", "nargs": "?", "help": "whose machine and devices"
                          " to take (default: the architecture's plain one)"}),
         (("--kernel",), {"required": True, "metavar": "FILE",
                          "help": "Image, vmlinux or bzImage"}),
         (("--initrd",), {"metavar": "FILE", "help": "its initramfs"}),
         (("--disk",), {"metavar": "FILE", "help": "raw or qcow2, kept as it is; root=/dev/vda"}),
         (("--write",), {"action": "store_true", "help": "write to that disk"}),
         (("--arch",), {"help": "a name in lab/arch/ (default: the scenario's, or arm64)"}),
         (("--memory",), {"metavar": "SIZE", "help": "such as 2G (default: the scenario's)"}),
         (("--cpus",), {"type": int, "metavar": "N", "help": "(default: the scenario's)"}),
         (("--append",), {"default": "", "metavar": "WORDS", "help": "further kernel parameters"}))
    verb(do_list, "list the scenarios, with the kernels that run each")
    verb(do_table, "README's table of modes, as the last './vdma test' saw it")
    verb(do_build, "build a kernel; its initramfs and its image are the last lines",
         (("--base",), {"default": "6.12", "help": "a name in bases/ (default: 6.12)"}),
         (("--arch",), {"default": "arm64", "help": "a name in lab/arch/ (default: arm64)"}),
         (("--kernel",), {"default": "vdma", "help": "vdma (the series, the default), stock"
                          " (none of it), vdma@N (its first N commits), or a lab variant"}))
    verb(do_bases, "the newest kernel of each base, what is tested, and whether the series applies",
         (("base",), {"metavar": "BASE", "nargs": "?", "help": "a name in bases/ (default: all)"}),
         (("--take",), {"action": "store_true", "help": "go on with the newest source"}))
    verb(do_qemu, "build the companion QEMU; the folder of its binaries is the last line",
         (("base",), {"metavar": "BASE", "nargs": "?", "default": COMPANION,
                      "help": "a name in qemu/base.toml (default: %(default)s)"}))
    verb(do_checkout, "make a git tree with one commit per entry of the series", base, folder)
    verb(do_refresh, "fold the commits of such a tree back into series/", base, folder)
    verb(do_mbox, "write the series as git send-email takes it", base, folder,
         (("--reroll",), {"type": int, "help": "the version of the posting, from 2"}))
    verb(do_debian, "write the series as a drop-in for debian/patches of Debian's kernel",
         base, folder, (("--only",), {"metavar": "SUBSET",
                                      "help": "a name in series/subsets.toml (default: all)"}))
    verb(do_check, "checkpatch, sparse, W=1, kernel-doc, round trip and the hot path (15 minutes; 3 with warm caches)",
         (("base",), {"metavar": "BASE", "nargs": "?", "help": "a name in bases/ (default: all)"}))
    verb(do_test, "everything that must pass, as KTAP (an hour; 30 minutes with warm caches)",
         (("--base",), {"help": "what concerns one base (default: all, and the rest)"}),
         (("--arch",), {"help": "what concerns one machine, a name in lab/arch/"}),
         (("--all",), {"action": "store_true", "help": "on every base what else only the default"
                       " base has: kernels without the series, variants, each commit"}),
         (("--debug",), {"action": "store_true", "help": "every scenario of the series on"
                         " kernels that watch themselves, and nothing else"}),
         (("--qemu",), {"metavar": "BASE", "help": "what concerns another companion QEMU, a name in"
                        " qemu/base.toml, and nothing else"}),
         (("--junit",), {"metavar": "FILE", "help": "write the results as JUnit XML as well"}))
    verb(do_jobs, "write the scenarios as jobs for a hosted CI or a test farm",
         (("format",), {"metavar": "FORMAT", "help": " or ".join(github.FORMATS)}), folder,
         (("--url",), {"help": "where a farm finds, in BASE-ARCH-KERNEL/, what 'build' names"}))
    verb(do_bench, "what a block request costs: instructions of the guest's kernel, by mode",
         (("--arch",), {"help": "a name in lab/arch/ (default: all)"}),
         (("--verify",), {"action": "store_true", "help": "measure every row twice"}))
    verb(do_mutate, "break the series in one small place at a time: a test must notice (an hour)",
         (("name",), {"metavar": "NAME", "nargs": "*", "help": "a mutation (default: all)"}),
         (("--list",), {"action": "store_true", "help": "list the mutations, with their tests"}))
    verb(do_clean, "remove what was built from the cache",
         (("--all",), {"action": "store_true", "help": "the kernel sources as well"}))
    return top.parse_args()


def main():
    environment.clean()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    args = arguments()
    try:
        return args.func(args) or 0
    except Fail as err:
        fail = err
    except (OSError, subprocess.CalledProcessError) as err:
        fail = explain(err)
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    say(fail)
    if fail.hint:
        print(f"  hint: {fail.hint}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
