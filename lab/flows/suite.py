# SPDX-License-Identifier: GPL-2.0-only
"""What "./vdma test" runs, in the order of what fails fastest."""
import datetime
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from ..core.cache import cache
from ..core.errors import Fail
from ..core.ktap import Report
from ..core.process import say
from ..model import scenario
from ..patches import base as bases, mbox, series
from ..patches.qemu import companions, Qemu
from . import bench, modes, mutate, run_guest, runner, tally
from .jobs import proof
from .review import checks as review, drop_in, specification
from tests import bad_input

# Where another base than the default one boots in each run, for there is time for no more.
FIRST = {"mainline": "arm64"}


def run(junit, base=None, arch=None, full=False, debug=False, companion=None):
    """Run what the default base needs and a first look at the others; or all; or a part.

    A base or a machine that is asked for is run in full. Return the exit status.
    """
    if debug:
        return watch(junit, base or scenario.BASE, arch)
    if companion:
        Qemu(companion)
        report = Report()
        upon(report, companion, base or scenario.BASE, arch)
        return report.close(junit)
    say("an hour with empty caches on two cores, half with warm ones" if not (base or arch or full)
        else "several hours with empty caches" if full else "half an hour and more per base")
    report, rows, counts = Report(), [], Counter()
    for name in bases.wanted(base):
        thorough = full or bool(base or arch)
        whole = thorough or name == scenario.BASE
        guarded(report, review.checks(name, arch, whole))
        if whole or name in FIRST:
            for checked, row in boot_all(report, name, arch or (None if whole else FIRST[name]),
                                         boots(name, whole, thorough)):
                counts += checked
                rows += [row] if row and name == scenario.BASE else []
        if full or base:
            guarded(report, review.thorough(name, arch))
        if full:
            guarded(report, drop_in.tests(name))
            guarded(report, drop_in.alone(name))
    if not (base or arch):
        guarded(report, modes.tests(rows))
        guarded(report, mutate.tests())
        guarded(report, review.qemu_checks())
        for name in companions()[1:] if full else []:
            upon(report, name, scenario.BASE)
        guarded(report, specification.checks())
        guarded(report, bench.tests())
        guarded(report, run_guest.tests())
        guarded(report, proof.tests())
        guarded(report, bad_input.checks())
    status = report.close(junit, tally.line(counts))
    if not (base or arch):
        # The cover letter quotes it.
        on = ", ".join(bases.Base(name).fetch().release() for name in bases.wanted(base))
        (cache() / mbox.LAST).write_text(f"{report.summary}\n({tally.line(counts)};"
                                         f" {datetime.date.today()}; {on}).\n")
    return status


def watch(junit, base, arch):
    """Boot every scenario of the series on kernels that watch themselves."""
    report, counts = Report(), Counter()
    every = ((scenario.watched(one), "vdma") for one in scenario.load(base).values()
             if "vdma" in one["kernels"])
    for checked, _ in boot_all(report, base, arch, every):
        counts += checked
    return report.close(junit, tally.line(counts))


def upon(report, companion, base, arch=None):
    """What concerns a further base of the companion QEMU: its checks, and who boots on it."""
    guarded(report, review.qemu_checks(companion))
    every = [(scenario.upon(one, companion), kind) for one, kind in boots(base, True, False)
             if one["companion"]]
    boot_all(report, base, arch, every, f"{companion}: ")


def guarded(report, tests):
    """Report tests as they come; what stops them is one more that fails."""
    try:
        for name, checks in tests:
            report.add(name, checks)
    except Fail as err:
        report.add("the rest of it", [(str(err), False, err.hint)])


def boots(name, full, thorough):
    """The boots of a base, each a scenario and a kernel.

    Unless in full, a scenario runs on the first of its kernels, and what runs
    on a variant only, or on a configuration of its own, is left out. Unless
    thorough, so is what is slow to build.
    """
    every = scenario.load(name)
    for one in every.values():
        # A kernel that watches itself takes half an hour to build, and its guests as long.
        if (one["slow"] or "debug" in one["config"]) and not thorough:
            continue
        for kind in one["kernels"] if full else one["kernels"][:1]:
            if full or kind in ("vdma", "stock") and not one["config"]:
                yield one, kind
    # Every commit of the series builds, boots and keeps the default as it is.
    base = bases.Base(name)
    for default, everywhere in ((scenario.DEFAULT, True), ("ppc-pci-modern", False)):
        one = every[default]
        for number, entry in enumerate(series.entries(base), 1):
            own = entry.touches(name, f"arch/{one['machine']['kernel_arch']}/")
            if thorough and (everywhere or own):
                yield one | {"name": f"{default} after {entry.name}"}, f"vdma@{number}"


def boot_all(report, base, arch, wanted, prefix=""):
    """Build kernels one after the other; boot them meanwhile, a guest on each CPU.

    Return of each that passed what it checked, and its row in README's table of modes.
    """
    pool, waiting, good = ThreadPoolExecutor(os.cpu_count()), [], []
    prefix += "" if base == scenario.BASE else f"{base}: "
    try:
        for one, kind in wanted:
            title = f"{prefix}boot {one['name']} on {kind}"
            if arch not in (None, one["arch"]):
                continue
            if one["missing"]:
                report.add(title, skip=one["missing"])
                continue
            try:
                boot = runner.Run(one, kind)
                result = pool.submit(runner.prove, boot).result
            except Fail as err:
                boot, result = None, broken(err)
            waiting.append((title, result, boot))
            if len(waiting) > 2 * os.cpu_count():
                good += finish(report, *waiting.pop(0))
        for job in waiting:
            good += finish(report, *job)
        return good
    finally:
        pool.shutdown(cancel_futures=True)


def broken(err):
    return lambda: [("the guest boots", False, f"{err}; {err.hint}")]


def finish(report, name, result, boot):
    try:
        checks = result()
    except Fail as err:
        checks = broken(err)()
    if not report.add(name, checks):
        return []
    return [(tally.count(boot), modes.seen(boot) if "row" in boot.scenario else None)]
