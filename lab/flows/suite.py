# SPDX-License-Identifier: GPL-2.0-only
"""What "./vdma test" runs, in the order of what fails fastest."""
import datetime
import os
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from tests import bad_input

from ..core.cache import cache
from ..core.errors import Fail
from ..core.ktap import Report
from ..core.process import say
from ..model import scenario
from ..model.check import Check
from ..patches import series
from ..patches.base import Base, wanted
from ..patches.mbox import LAST
from ..patches.qemu import companions, Qemu
from . import bench, mutate, results, run_guest, runner, unit
from .jobs import proof
from .review import checks as review, drop_in, specification

# Where another base than the default one boots in each run, for there is time for no more.
FIRST = {"mainline": "arm64"}


def run(junit, base=None, arch=None, full=False, debug=False, companion=None):
    """Run what the default base needs and a first look at the others; or all; or a part.

    A base or a machine that is asked for is run in full. Return the exit status.
    """
    if debug:
        return with_debug(junit, base or scenario.BASE, arch)
    if companion:
        Qemu(companion)
        report = Report()
        on_companion(report, companion, base or scenario.BASE, arch)
        return report.close(junit)
    say("an hour with empty caches on two cores, half with warm ones" if not (base or arch or full)
        else "several hours with empty caches" if full else "half an hour and more per base")
    report, seen = Report(), []
    if not (base or arch):
        guarded(report, unit.tests())
    for name in wanted(base):
        thorough = full or bool(base or arch)
        whole = thorough or name == scenario.BASE
        guarded(report, review.checks(name, arch, whole))
        if whole or name in FIRST:
            seen += boot_all(report, name, arch or (None if whole else FIRST[name]),
                             boots(name, whole, thorough))
        if full or base:
            guarded(report, review.thorough(name, arch))
        if full:
            guarded(report, drop_in.tests(name))
            guarded(report, drop_in.alone(name))
    if not (base or arch):
        further(report, seen, full)
    counts = results.line(sum(map(results.count, seen), Counter()))
    status = report.close(junit, counts)
    if not (base or arch):
        # The cover letter quotes it.
        on = ", ".join(Base(name).fetch().release() for name in wanted(base))
        (cache() / LAST).write_text(f"{report.summary}\n({counts};"
                                            f" {datetime.date.today()}; {on}).\n")
    return status


def further(report, seen, full):
    """What concerns no base, or only the default one."""
    guarded(report, results.tests([results.row(record) for record in seen if
                                   "row" in record.scenario
                                   and record.scenario["base"] == scenario.BASE]))
    guarded(report, mutate.tests())
    guarded(report, review.qemu_checks())
    for name in companions()[1:] if full else []:
        on_companion(report, name, scenario.BASE)
    for tests in (specification.checks, bench.tests, run_guest.tests, proof.tests,
                  bad_input.checks):
        guarded(report, tests())


def with_debug(junit, base, arch):
    """Boot every scenario of the series on debug kernels."""
    report = Report()
    every = ((scenario.with_debug(one), "vdma") for one in scenario.load(base).values()
             if "vdma" in one["kernels"])
    seen = boot_all(report, base, arch, every)
    return report.close(junit, results.line(sum(map(results.count, seen), Counter())))


def on_companion(report, companion, base, arch=None):
    """What concerns a further base of the companion QEMU: its checks, and who boots on it."""
    guarded(report, review.qemu_checks(companion))
    every = [(scenario.with_companion(one, companion), kind)
             for one, kind in boots(base, True, False) if one["companion"]]
    boot_all(report, base, arch, every, f"{companion}: ")


def guarded(report, tests):
    """Report tests as they come; what stops them is one more that fails."""
    try:
        for name, checks in tests:
            report.add(name, checks)
    except Fail as err:
        report.add("the rest of it", [Check.of(str(err), False, err.hint)])


def boots(name, full, thorough):
    """The boots of a base, each a scenario and a kernel.

    Unless in full, a scenario runs on the first of its kernels, and what runs
    on a variant only, or on a configuration of its own, is left out. Unless
    thorough, so is what is slow to build.
    """
    every = scenario.load(name)
    for one in every.values():
        # A debug kernel takes half an hour to build, and its guests as long.
        if (one["slow"] or "debug" in one["config"]) and not thorough:
            continue
        for kind in one["kernels"] if full else one["kernels"][:1]:
            if full or kind in ("vdma", "stock") and not one["config"]:
                yield one, kind
    # Every commit of the series builds, boots and keeps the default as it is.
    base = Base(name)
    for default, everywhere in ((scenario.DEFAULT, True), ("ppc-pci-modern", False)):
        one = every[default]
        for number, entry in enumerate(series.entries(base), 1):
            own = entry.touches(name, f"arch/{one['machine']['kernel_arch']}/")
            if thorough and (everywhere or own):
                yield one | {"name": f"{default} after {entry.name}"}, f"vdma@{number}"


def boot_all(report, base, arch, every, prefix=""):
    """Build kernels one after the other; boot them meanwhile, a guest on each CPU.

    Report each boot as it ends, for one that takes long must not hold up the others.
    Return the records of those that passed.
    """
    pool, running, good = ThreadPoolExecutor(os.cpu_count()), {}, []
    prefix += "" if base == scenario.BASE else f"{base}: "

    def finish(most):
        while len(running) > most:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                good.extend(outcome(report, running.pop(future), future))

    try:
        for one, kind in every:
            title = f"{prefix}boot {one['name']} on {kind}"
            if arch not in (None, one["arch"]):
                continue
            if one["missing"]:
                report.add(title, skip=one["missing"])
                continue
            try:
                running[pool.submit(runner.prove, runner.Boot(one, kind))] = title
            except Fail as err:
                report.add(title, [broken(err)])
            finish(2 * os.cpu_count())
        finish(0)
        return good
    finally:
        pool.shutdown(cancel_futures=True)


def broken(err):
    return Check("guest.boots", "the guest boots", False, f"{err}; {err.hint}")


def outcome(report, title, future):
    """Report a boot that has ended; return its record if it passed."""
    try:
        record, checks = future.result()
    except Fail as err:
        report.add(title, [broken(err)])
        return []
    return [record] if report.add(title, checks) else []
