# SPDX-License-Identifier: GPL-2.0-only
"""The verbs that boot a guest, and that show what can be booted."""
from pathlib import Path

from ..core.process import say
from ..core.text import table
from ..model import scenario as scenarios
from ..model.record import Record
from ..model.scenario import COMPANION
from ..patches.qemu import Qemu
from ..judge.boot import judge
from ..judge.device_table import device_table
from ..flows import prompt, run_guest, runner
from .verb import option, verb


def do_list(_):
    print(table([[name, scenario["arch"], ",".join(scenario["kernels"]), scenario["about"]]
                 for name, scenario in scenarios.load().items()]))


def do_boot(args):
    good = True
    Qemu(args.qemu)  # Refuse an unknown name before anything is built.
    for scenario in scenarios.pick(args.scenario, args.base):
        kind = args.kernel or scenario["kernels"][0]
        scenario = scenarios.with_debug(scenario) if args.debug else scenario
        scenario = scenarios.with_companion(scenario, args.qemu)
        if args.dry_run:
            prompt.dry_run(scenario, kind)
        elif args.shell:
            return prompt.shell(scenario, kind)
        else:
            good = boot(scenario, kind, args.timeout, args.save and Path(
                args.save, *[scenario["name"]] * (len(args.scenario) > 1))) and good
    return 0 if good else 1


def boot(scenario, kind, patience, save=None):
    """Boot a scenario and print the verdict; return whether all its checks hold."""
    record, checks = runner.prove(runner.Boot(scenario, kind, patience))
    if save:
        record.save(save)
        say(f"the record is in {save}: './vdma judge {save}' judges it again")
    return verdict(record, checks)


def verdict(record, checks):
    """Print the devices and the checks that fail; return whether all of them hold."""
    scenario = record.scenario
    print(f"\n{scenario['name']} ({scenario['about']}), kernel {record.kind}")
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


def add(verbs):
    verb(verbs, do_list, "list the scenarios, with the machine and the kernels of each")
    verb(verbs, do_boot, "boot scenarios, drive I/O in the guest, and check from outside which"
         " addresses the devices use",
         option("scenario", metavar="SCENARIO", nargs="*",
                help=f"a name from './vdma list' (default: {scenarios.DEFAULT})"),
         option("--base", default=scenarios.BASE, metavar="BASE",
                help="the kernel to build: a name in bases/ (default: %(default)s)"),
         option("--kernel", metavar="KIND",
                help="series (with the series), stock (without it) or another kind that"
                " './vdma build --help' lists (default: the scenario's first)"),
         option("--debug", action="store_true",
                help="use a debug kernel: KASAN, UBSAN, kmemleak, lockdep and DMA_API_DEBUG"),
         option("--qemu", metavar="BASE", default=COMPANION,
                help="the companion QEMU for scenarios that need it: a name in qemu/base.toml"
                " (default: %(default)s)"),
         option("--timeout", type=float, metavar="SECONDS",
                help="give up a guest that is silent for so long (default: the scenario's limit)"),
         option("--save", metavar="DIR",
                help="save the record of the boot, so that './vdma judge' can judge it again"),
         option("--shell", action="store_true",
                help="do not run the scenario's steps; open a prompt in the guest"),
         option("--dry-run", action="store_true",
                help="build what the boot needs and print QEMU's command line, but do not run it"),
         more="The exit status is 0 if all checks hold.")
    verb(verbs, do_judge, "judge the saved record of a boot again, without QEMU",
         option("record", metavar="DIR", help="a folder that './vdma boot --save DIR' wrote"),
         option("--checks", action="store_true", help="list every check with its id"))
    verb(verbs, do_run, "boot your own guest on this terminal, and report afterwards where the"
         " host saw the rings of its devices",
         option("scenario", metavar="SCENARIO", nargs="?",
                help="boot on the machine and with the devices of this scenario (default: the"
                " plain PCI one of the architecture)"),
         option("--kernel", required=True, metavar="FILE",
                help="your kernel: Image (arm64), vmlinux (ppc64le) or bzImage (x86_64)"),
         option("--initrd", metavar="FILE", help="its initramfs"),
         option("--disk", metavar="FILE",
                help="its disk, raw or qcow2; without --initrd the guest gets root=/dev/vda"),
         option("--write", action="store_true",
                help="let the guest write to the disk (default: its writes are thrown away)"),
         option("--arch", metavar="ARCH",
                help="arm64, ppc64le or x86_64 (default: the scenario's, or arm64)"),
         option("--memory", metavar="SIZE", help="such as 2G (default: the scenario's)"),
         option("--cpus", type=int, metavar="N", help="number of CPUs (default: the scenario's)"),
         option("--append", default="", metavar="WORDS", help="further kernel parameters"))
